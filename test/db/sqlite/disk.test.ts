/** A disk that takes no more, for real: by a limit of the system's on how large a file may be, which needs no other disk. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import Sqlite from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { openDatabase } from '../../../src/db/database.ts';
import { pageOf } from '../../page.ts';
import { listenTo, startRoster, unyielding } from '../../roster.ts';
import { addUser, get, startApp, temporaryDatabase, temporaryFolder } from '../../support.ts';

const MAIN = join(import.meta.dirname, '..', '..', '..', 'src', 'main.js');
const isWindows = process.platform === 'win32';

/** Starts Roster with a file none of whose neighbours may grow beyond so many half KiB (of some shells': whole ones). */
function startLimited(blocks: number, path: string) {
  const child = spawn('sh', ['-c', `ulimit -f ${blocks}; exec "$@"`, 'sh', process.execPath, MAIN], {
    env: unyielding({ PATH: process.env.PATH ?? '', PORT: '0', DATABASE_URL: `sqlite:${path}` }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

async function send(address: string, fields: Record<string, string>) {
  const answer = await fetch(address, {
    method: 'POST',
    body: new URLSearchParams(fields),
    redirect: 'manual',
  });
  const said = await answer.text();
  return {
    status: answer.status,
    retryAfter: answer.headers.get('retry-after'),
    text: answer.status === 303 ? said : pageOf(said).text,
  };
}

test.skipIf(isWindows)(
  'a first start without room is one sentence, leaves nothing, and the next one starts',
  async () => {
    const folder = temporaryFolder();
    const child = startLimited(128, join(folder, 'roster.db'));
    const [error, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
    expect(error).toMatch(/^\S+roster\.db cannot be made: EFBIG: [^\n]+\.\n$/);
    expect(code).toBe(1);
    expect(readdirSync(folder)).toEqual([]);
    await startRoster({ DATABASE_URL: `sqlite:${join(folder, 'roster.db')}` });
  },
);

test.skipIf(isWindows)(
  'where nothing more can be written people read on, and are told why, and nothing is lost',
  async () => {
    const path = join(temporaryFolder(), 'roster.db');
    await (await openDatabase(`sqlite:${path}`)).destroy();
    const child = startLimited(1_000, path);
    const address = (await listenTo(child)).address;
    expect((await fetch(`${address}/readyz`)).status).toBe(200);

    const [saved, refused]: [string[], string[]] = [[], []];
    let last = await send(`${address}/nowhere`, {});
    while (refused.length < 3) {
      const username = `user${saved.length + refused.length}`;
      last = await send(`${address}/users`, { username, email: `${username}@example.org` });
      expect([303, 503]).toContain(last.status);
      (last.status === 303 ? saved : refused).push(username);
    }
    const why = 'its disk reports an error, a quota or a limit on files';
    expect(last.text).toContain(`The directory cannot be written: ${why}. Nothing was changed`);
    expect(last.retryAfter).toMatch(/^\d+$/);
    // What writes less finds room for a little longer.
    const signIn = (name: number) =>
      send(`${address}/sign-in`, { username: `name${name}`, password: 'some long password' });
    let signingIn = await signIn(0);
    for (let name = 1; signingIn.status === 422; name++) signingIn = await signIn(name);
    expect([signingIn.status, signingIn.text]).toEqual([503, expect.stringContaining('Nothing was changed')]);
    expect((await fetch(`${address}/users`)).status).toBe(200);
    await expect
      .poll(async () => (await fetch(`${address}/readyz`)).text())
      .toBe(`the database cannot be written: ${why}\n`);

    child.kill('SIGKILL');
    await once(child, 'exit');
    const again = await startRoster({ DATABASE_URL: `sqlite:${path}` });
    expect(
      (await send(`${again.address}/users`, { username: 'late', email: 'late@example.org' })).status,
    ).toBe(303);
    const db = new Sqlite(path, { readonly: true });
    const stored = db.prepare('select username from users order by id').pluck().all();
    expect(stored).toEqual([...saved, 'late']);
    expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
    db.close();
  },
);

test('a damaged file is told as such, with what to do in the log alone', async () => {
  const path = join(temporaryFolder(), 'roster.db');
  const filled = await openDatabase(`sqlite:${path}`);
  await addUser(filled, { username: 'alice' });
  await filled.destroy();
  const app = await startApp({}, await temporaryDatabase(`sqlite:${path}`));
  // All of it but what says what is where.
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.fill(7, 16 * 1024), { flag: 'r+' });
  const page = await get(app, '/users/1');
  expect([page.statusCode, pageOf(page).text]).toEqual([
    500,
    expect.stringContaining('The directory is damaged'),
  ]);
  expect(page.body).not.toContain(path);
  expect((await get(app, '/readyz')).body).toBe('the database cannot be read: its file is damaged\n');
});
