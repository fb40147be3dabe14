/** What is kept of a file before it is brought to another version, and how one goes back by it. */
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { expect, onTestFinished, test, vi } from 'vitest';
import { filePathOf } from '../../../src/database-url.ts';
import { openDatabase } from '../../../src/db/database.ts';
import { engineOf } from '../../../src/db/engine.ts';
import { migrate } from '../../../src/db/migrate.ts';
import { MIGRATIONS } from '../../../src/db/migration-list.ts';
import { prepareSqliteFile } from '../../../src/db/sqlite/file.ts';
import { findUser } from '../../../src/users/queries.ts';
import { runCommand } from '../../command.ts';
import { dump } from '../../engines.ts';
import { withRoom } from '../../full-disk.ts';
import { runToEnd } from '../../roster.ts';
import { addUser, readyUrl, temporaryUrl } from '../../support.ts';
import { openAsItIs, restoreVersion } from '../versions/restore.ts';

const NEWEST = MIGRATIONS.length;

async function oldDatabase(version = 15) {
  const url = await restoreVersion(version);
  const path = filePathOf(url) ?? '';
  return { url, path, kept: `${path}.before-version-${NEWEST}`, before: readFileSync(path) };
}

/** Opens it as a start does: what was said. */
async function start(url: string): Promise<string> {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  try {
    await (await openDatabase(url)).destroy();
    return log.mock.calls.join('\n');
  } finally {
    log.mockRestore();
  }
}

test('the file of before is kept byte by byte, for its owner alone, and it is said where and how to go back', async () => {
  const { url, path, kept, before } = await oldDatabase();
  const said = await start(url);
  expect(readFileSync(kept).equals(before)).toBe(true);
  expect(statSync(kept).mode & 0o777).toBe(0o600);
  expect(said).toMatch(
    new RegExp(
      `^${path} is brought from version 15 to ${NEWEST}. As it was, it is kept in ${kept} \\([\\d.]+ KB\\). To go back: stop Roster, `,
    ),
  );
  expect(readdirSync(dirname(path)).sort()).toEqual([basename(path), basename(kept)]);
  expect(await start(url)).toBe('');
});

test('put back under its name it is what it was, and can be brought up to date again', async () => {
  const { url, path, kept } = await oldDatabase();
  const before = await dump(openAsItIs(url));
  const db = await openDatabase(url);
  await addUser(db, { username: 'late' });
  await db.destroy();
  renameSync(kept, path);
  const old = openAsItIs(url);
  expect(await engineOf(old).readVersion(old)).toBe(15);
  expect(await dump(old)).toEqual(before);
  await old.destroy();
  expect(await start(url)).toContain(kept);
});

test('what only the log holds by then is kept, too', async () => {
  const { url, path, kept } = await oldDatabase();
  const program = new Sqlite(path);
  program.exec("update users set full_name = 'In the log' where id = 7");
  for (const ending of ['', '-wal']) copyFileSync(path + ending, `${path}.killed${ending}`);
  program.close();
  for (const ending of ['', '-wal']) renameSync(`${path}.killed${ending}`, path + ending);
  expect(statSync(`${path}-wal`).size).toBeGreaterThan(0);
  await start(url);
  const old = openAsItIs(`sqlite:${kept}`);
  expect(await findUser(old, 7)).toMatchObject({ full_name: 'In the log' });
});

test('nothing is kept of a new database, nor of one that is up to date', async () => {
  for (const url of [await temporaryUrl('sqlite'), await readyUrl('sqlite')]) {
    expect(await start(url)).toBe('');
    expect(readdirSync(dirname(filePathOf(url) ?? ''))).toEqual(['roster.db']);
  }
});

test('nothing is kept of one that was ended as it was made, and the next start says from where it goes on', async () => {
  const url = await temporaryUrl('sqlite');
  const path = filePathOf(url) ?? '';
  prepareSqliteFile(path, NEWEST);
  const half = openAsItIs(url);
  await migrate(half, MIGRATIONS.slice(0, 16));
  await half.destroy();
  expect(await start(url)).toBe(`${path} is brought from version 16 to ${NEWEST}.`);
  expect(readdirSync(dirname(path))).toEqual(['roster.db']);
});

test('of a migration that was ended on its way the first copy stays, and the next start says from where it goes on', async () => {
  const { url, path, kept, before } = await oldDatabase();
  await start(url);
  // As it is found on its way, with one of the migrations done.
  writeFileSync(path, before);
  const half = openAsItIs(url);
  await migrate(half, MIGRATIONS.slice(0, 16));
  await half.destroy();
  expect(await start(url)).toBe(`${path} is brought from version 16 to ${NEWEST}.`);
  expect(readFileSync(kept).equals(before)).toBe(true);
});

test('an older one of the same name does not stand for a file that somebody has worked with since', async () => {
  const { url, path, kept, before } = await oldDatabase();
  await start(url);
  // As by an older Roster, which has brought a copy of what was kept a part of the way, and served it.
  writeFileSync(path, before);
  const half = openAsItIs(url);
  await migrate(half, MIGRATIONS.slice(0, 16));
  await addUser(half, { username: 'later' });
  await half.destroy();
  const between = readFileSync(path);
  expect(await start(url)).toContain(`it is kept in ${kept}.2 `);
  expect(readFileSync(kept).equals(before)).toBe(true);
  expect(readFileSync(`${kept}.2`).equals(between)).toBe(true);
});

test('where another one of the same name is there it stays, and the new one gets a number', async () => {
  const { url, path, kept, before } = await oldDatabase();
  await start(url);
  writeFileSync(path, before);
  const program = new Sqlite(path);
  program.pragma(`user_version = ${Number(program.pragma('user_version', { simple: true })) + 256}`);
  program.exec("update users set full_name = 'Changed by the older one' where id = 7");
  program.close();
  const changed = readFileSync(path);
  expect(await start(url)).toContain(
    `Kept earlier, and to be removed where nobody goes back that far: ${kept}.`,
  );
  expect(readFileSync(kept).equals(before)).toBe(true);
  expect(readFileSync(`${kept}.2`).equals(changed)).toBe(true);
});

test.skipIf(process.platform === 'win32')('at a pipe of that name nobody waits', async () => {
  const { url, kept } = await oldDatabase();
  execFileSync('mkfifo', [kept]);
  expect(await runToEnd(['rebuild-search'], { DATABASE_URL: url })).toMatchObject({ code: 0 });
});

test('what a kill left of a copy is removed, and one that is cut off does not count', async () => {
  const { url, path, kept, before } = await oldDatabase();
  mkdirSync(`${kept}.new-aBc123`);
  writeFileSync(join(`${kept}.new-aBc123`, 'draft'), before);
  mkdirSync(`${kept}.new-of-mine`);
  writeFileSync(kept, before.subarray(0, 8_192));
  expect(await start(url)).toContain(`it is kept in ${kept}.2 `);
  expect(readFileSync(`${kept}.2`).equals(before)).toBe(true);
  const names = [path, kept, `${kept}.2`, `${kept}.new-of-mine`].map((one) => basename(one));
  expect(readdirSync(dirname(path)).sort()).toEqual(names);
});

test('without room it is refused with a sentence, and an empty file in its place says that there is a copy elsewhere', async () => {
  const { url, path, kept, before } = await oldDatabase();
  await withRoom(1_000_000, async () => {
    await expect(openDatabase(url)).rejects.toMatchObject({
      name: 'StartError',
      message: expect.stringMatching(/there is no room to keep a copy of it as it is \([\d.]+ MB\)/),
    });
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(existsSync(kept)).toBe(false);
    writeFileSync(kept, '');
    expect(await start(url)).toBe(`${path} is brought from version 15 to ${NEWEST}.`);
  });
  expect(readFileSync(kept).length).toBe(0);
});

test('whoever reads it for long is waited for, and then it is refused; nothing is changed', async () => {
  const { url, path } = await oldDatabase();
  const program = new Sqlite(path);
  onTestFinished(() => void program.close());
  const reader = new Sqlite(path, { readonly: true });
  onTestFinished(() => void reader.close());
  reader.exec('begin');
  reader.prepare('select count(*) from users').get();
  program.exec("update users set full_name = 'Later' where id = 7");
  await expect(openDatabase(url)).rejects.toThrow(
    'another program is reading it: wait until that has ended.',
  );
  reader.exec('commit');
  await start(url);
});

/** Every command that works with a database. */
test.each([
  [[]],
  [['seed', '5']],
  [['admin', 'ann', '--email', 'ann@example.org']],
  [['import', import.meta.filename]],
  [['export', join(tmpdir(), 'never-written.csv')]],
  [['backup', join(tmpdir(), 'never-written.db')]],
  [['check']],
  [['rebuild-search']],
  [['purge']],
  [['change-key']],
  [['give-up-key', '0123456789abcdef']],
  [['copy', '--from-env', 'DATABASE_URL', '--to', 'sqlite:/nowhere/target.db']],
  [['copy', '--from-env', 'OLD', '--to-env', 'DATABASE_URL']],
])('%o refuses the database of a newer Roster, and leaves it as it was', async (args) => {
  const url = await readyUrl('sqlite');
  const path = filePathOf(url) ?? '';
  const newer = new Sqlite(path);
  newer.pragma(`user_version = ${Number(newer.pragma('user_version', { simple: true })) + 1}`);
  newer.close();
  const before = readFileSync(path);
  const settings = { DATABASE_URL: url, OLD: await readyUrl('sqlite'), PORT: '0' };
  const { error, code } = await runCommand(args, settings, 'a long password for ann\n');
  expect(error).toBe(
    `${path} was written by a newer Roster (version ${NEWEST + 1}, this one knows ${NEWEST}); update Roster.\n`,
  );
  expect(code).toBeGreaterThan(0);
  expect(readFileSync(path).equals(before)).toBe(true);
  rmSync(path);
});
