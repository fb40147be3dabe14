import { once } from 'node:events';
import { existsSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { makeDraftFolder } from '../src/backup/draft-folder.ts';
import { restoringBeside } from '../src/backup/restore-folder.ts';
import { filePathOf } from '../src/database-url.ts';
import { nameOf } from '../src/db/database.ts';
import { runCommand } from './command.ts';
import { pageOf } from './page.ts';
import { preloading, runToEnd, startRoster } from './roster.ts';
import { readyUrl, temporaryDatabase, temporaryFolder, temporaryUrl } from './support.ts';

/** Runs Roster to its end. */
async function roster(
  args: string[],
  settings: Record<string, string> = {},
  start: typeof runCommand | typeof runToEnd = runCommand,
) {
  return start(args, { PORT: '0', DATABASE_URL: await temporaryUrl(), ...settings });
}

describe('the command line', () => {
  test('explains the settings', async () => {
    const { out, code } = await roster(['--help'], {}, runToEnd);
    expect(code).toBe(0);
    for (const name of ['HOST', 'PORT', 'ORIGIN', 'DATABASE_URL', 'LOG_LEVEL']) expect(out).toContain(name);
  });

  test.each([
    [['dance'], {}, /^There is no command "dance"; see npm start -- --help\.\n$/],
    [['--loud'], {}, /^There is no option --loud here\. See npm start -- --help\.\n$/],
    [['seed'], {}, /^Say how many users to add: npm run seed -- 100000\n$/],
    [['seed', 'many'], {}, /^Say how many users to add/],
    [
      [],
      { ORIGIN: 'https://users.example.org' },
      /^ORIGIN says that there is a proxy: set TRUST_PROXY .*\n$/,
    ],
    [[], { HOST: '0.0.0.0' }, /^Roster speaks plain HTTP, .*ORIGIN.*TRUST_PROXY.*\n$/],
    [['admin'], {}, /^Say who: npm run roster -- admin alice --email alice@example\.com\n$/],
    [[], { PORT: 'x' }, /^PORT must be a whole number from 0 to 65535, not "x"\.\n$/],
    [
      [],
      { HOST: '203.0.113.7', ORIGIN: 'https://users.example.org', TRUST_PROXY: '10.0.0.1' },
      /^203\.0\.113\.7 is no address of this machine; give HOST another one\.\n$/,
    ],
  ])('%o with %o is refused in one sentence', async (args, settings, sentence) => {
    expect(await roster(args, settings)).toMatchObject({
      out: '',
      error: expect.stringMatching(sentence),
      code: 1,
    });
  });

  test.each([
    { HOST: '0.0.0.0', ORIGIN: 'https://users.example.org', TRUST_PROXY: '10.0.0.1' },
    { ORIGIN: 'https://users.example.org', TRUST_PROXY: '127.0.0.1' },
    { TRUST_PROXY: '127.0.0.1' },
  ])('without an administrator, %o is refused in one sentence', async (settings) => {
    const url = await readyUrl();
    await temporaryDatabase(url);
    const { out, error, code } = await roster([], { DATABASE_URL: url, ...settings });
    expect({ out, code }).toEqual({ out: '', code: 1 });
    expect(error).toMatch(
      /^There is no administrator in .* yet, .*: npm run roster -- admin alice --email alice@example\.com\n$/,
    );
  });

  test('a port in use is refused in one sentence', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void taken.close());
    await once(taken, 'listening');
    const address = taken.address();
    const port = typeof address === 'object' ? String(address?.port) : '';
    const { error, code } = await roster([], { PORT: port });
    expect(error).toBe(
      `Port ${port} of 127.0.0.1 is in use; give PORT another number, or 0 for a free one.\n`,
    );
    expect(code).toBe(1);
  });

  test('a file that is no database is refused in one sentence, and nothing appears beside it', async () => {
    const path = join(temporaryFolder(), 'notes.txt');
    writeFileSync(path, 'milk, bread');
    const { error, code } = await roster([], { DATABASE_URL: `sqlite:${path}` });
    expect(error).toBe(`${path} is not a SQLite database; give DATABASE_URL another path.\n`);
    expect(code).toBe(1);
    expect(existsSync(`${path}-wal`)).toBe(false);
  });
});

describe('a start that fails', () => {
  /** Someone else takes the port between the look whether it is free and the listening. */
  const TAKEN = preloading(`
    import { Server } from 'node:net';
    const { listen } = Server.prototype;
    let count = 0;
    Server.prototype.listen = function (...args) {
      if (count++ === 0) return listen.apply(this, args);
      process.nextTick(() => this.emit('error', Object.assign(new Error('taken'), { code: 'EADDRINUSE' })));
      return this;
    };`);
  const NO_SERVER = preloading(`
    import http from 'node:http';
    http.createServer = () => { throw new Error('no server'); };`);

  test.each([
    [TAKEN, /^Port 0 of 127\.0\.0\.1 is in use; /m],
    [NO_SERVER, /no server/],
  ])('says that it has made a database, and closes it in order', async (settings, sentence) => {
    const url = await temporaryUrl();
    const { out, error, code } = await roster([], { DATABASE_URL: url, ...settings }, runToEnd);
    expect({ out, code }).toEqual({ out: '', code: 1 });
    expect(error).toContain(`There was no database, so Roster has made a new one: ${nameOf(url)}\n`);
    expect(error).toMatch(sentence);
    const path = filePathOf(url);
    if (path)
      expect(readdirSync(dirname(path)).filter((name) => name.startsWith('roster'))).toEqual(['roster.db']);
  });

  test.runIf(inject('engine') === 'sqlite')(
    'says that it has made a database whose migrations did not get through',
    async () => {
      const url = await temporaryUrl();
      const settings = {
        DATABASE_URL: url,
        ...preloading(`
          import { createRequire } from 'node:module';
          const Sqlite = createRequire(${JSON.stringify(import.meta.filename)})('better-sqlite3');
          const { prepare } = Sqlite.prototype;
          Sqlite.prototype.prepare = function (sql) {
            if (/create table/i.test(sql)) throw new Error('no room');
            return prepare.call(this, sql);
          };`),
      };
      const { error, code } = await roster([], settings, runToEnd);
      expect(error).toMatch(/^There was no database, .*: \/.*\n.* cannot be opened: no room\.\n$/);
      expect(code).toBe(1);
    },
  );

  test.runIf(inject('engine') === 'sqlite')('says nothing of a database that could not be made', async () => {
    const url = `sqlite:${join(import.meta.filename, 'roster.db')}`;
    expect((await roster([], { DATABASE_URL: url })).error).not.toContain('has made a new one');
  });
});

describe('a running Roster', () => {
  test('says where it is and how to become the administrator, and nothing else while all goes well', async () => {
    const roster = await startRoster();
    expect(roster.address).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(await read(`${roster.address}/users`)).toContain('Add the first user');
    roster.child.kill('SIGTERM');
    expect(await once(roster.child, 'exit')).toEqual([0, null]);
    expect(await roster.stderr).toBe('');
  });

  test('keeps what it acknowledged when it is killed', async () => {
    const { child, address, url } = await startRoster();
    for (const username of ['alice', 'bob', 'carla']) {
      const body = new URLSearchParams({ username, email: `${username}@example.org` });
      const answer = await fetch(`${address}/users`, { method: 'POST', body, redirect: 'manual' });
      expect(answer.status).toBe(303);
    }
    child.kill('SIGKILL');
    await once(child, 'exit');
    const again = await startRoster({ DATABASE_URL: url });
    expect(await read(`${again.address}/users`)).toContain('Showing 1–3 of 3');
  });
});

async function read(address: string): Promise<string> {
  return pageOf(await (await fetch(address)).text()).text;
}

test('what a killed restore has left is removed at the next start, which says so', async () => {
  const url = await readyUrl();
  const SECRET_KEY_FILE = join(temporaryFolder(), 'secret.key');
  const beside = restoringBeside(url, SECRET_KEY_FILE);
  // Of a process that nobody can be.
  const draft = makeDraftFolder(beside);
  const killed = draft.replace(/\d+$/, '99999999');
  renameSync(draft, killed);
  writeFileSync(join(killed, 'restored.db'), 'all of it');
  const { child, stderr } = await startRoster({ DATABASE_URL: url, SECRET_KEY_FILE });
  expect(existsSync(killed)).toBe(false);
  child.kill('SIGTERM');
  expect(await stderr).toContain(
    `What a restore or a backup that was stopped before its end had left beside the database is removed: ${basename(killed)}\n`,
  );
});
