/** Files that lie in the place of a database before it is opened: of a kill, of a copy that was put back, of other programs. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { sql } from 'kysely';
import { expect, onTestFinished, test } from 'vitest';
import { openDatabase, openToRead } from '../../../src/db/database.ts';
import type { Db } from '../../../src/db/schema.ts';
import { addUser, addUsers, temporaryDatabase, temporaryFolder } from '../../support.ts';

const ENDINGS = ['', '-wal', '-shm'];

/** Copies the files of a database as they are, to a new folder: where it is open, as a kill at this moment leaves them. */
function copyFiles(path: string): string {
  const copy = join(temporaryFolder(), 'roster.db');
  for (const ending of ENDINGS) if (existsSync(path + ending)) copyFileSync(path + ending, copy + ending);
  return copy;
}

/** A database with some users, and all that its log has had so far in its file. */
async function closedDatabase(usernames: readonly string[]): Promise<string> {
  const path = join(temporaryFolder(), 'roster.db');
  const db = await openDatabase(`sqlite:${path}`);
  await addUsers(db, usernames);
  await db.destroy();
  return path;
}

/** What is left of the database after more users were added and the process was killed. */
async function killedWith(path: string, usernames: readonly string[]): Promise<string> {
  const db = await openDatabase(`sqlite:${path}`);
  await addUsers(db, usernames);
  const killed = copyFiles(path);
  await db.destroy();
  return killed;
}

/** Who is in a database that opens, and is whole. */
async function usersIn(path: string): Promise<string[]> {
  const db = await temporaryDatabase(`sqlite:${path}`);
  const { rows } = await sql<{ integrity_check: string }>`pragma integrity_check`.execute(db);
  expect(rows).toEqual([{ integrity_check: 'ok' }]);
  return usernamesOf(db);
}

async function usernamesOf(db: Db): Promise<string[]> {
  const users = await db.selectFrom('users').select('username').orderBy('id').execute();
  return users.map(({ username }) => username);
}

async function expectRefusal(path: string, sentence: string): Promise<void> {
  const bytes = () => ENDINGS.map((ending) => existsSync(path + ending) && readFileSync(path + ending));
  const before = bytes();
  const refusal = { name: 'StartError', message: expect.stringContaining(sentence) };
  await expect(openDatabase(`sqlite:${path}`)).rejects.toMatchObject(refusal);
  if (existsSync(path)) await expect(openToRead(`sqlite:${path}`)).rejects.toMatchObject(refusal);
  expect(bytes()).toEqual(before);
}

/** Another program, which knows nothing of generations. */
function otherProgram(path: string): Sqlite.Database {
  const db = new Sqlite(path);
  onTestFinished(() => void db.close());
  return db;
}

test('what a kill leaves opens with all that was acknowledged', async () => {
  const killed = await killedWith(await closedDatabase(['alice']), ['bob', 'carla']);
  expect(await usersIn(killed)).toEqual(['alice', 'bob', 'carla']);
});

test('a copy from before, put back beside a log that was left over, is refused; without the log it opens', async () => {
  const path = await closedDatabase(['alice']);
  const copy = copyFiles(path);
  const killed = await killedWith(path, ['bob', 'carla']);
  copyFileSync(copy, killed);
  await expectRefusal(killed, `move ${killed}-wal and ${killed}-shm away`);
  for (const ending of ['-wal', '-shm']) renameSync(killed + ending, `${killed}-away${ending}`);
  expect(await usersIn(killed)).toEqual(['alice']);
});

test('the same behind a symbolic link: its log is where the link leads to', async () => {
  const path = await closedDatabase(['alice']);
  const copy = copyFiles(path);
  const killed = await killedWith(path, ['bob', 'carla']);
  copyFileSync(copy, killed);
  const link = join(temporaryFolder(), 'link.db');
  symlinkSync(killed, link);
  await expect(openDatabase(`sqlite:${link}`)).rejects.toThrow(`move ${killed}-wal and ${killed}-shm away`);
});

test('a newer file beside an older log, and that of another database, are refused', async () => {
  const path = await closedDatabase(['alice']);
  const killed = await killedWith(path, ['bob', 'carla']);
  await killedWith(path, ['dora', 'emil']);
  copyFileSync(path, killed);
  await expectRefusal(killed, 'not of one making');
  copyFileSync(await closedDatabase(['zoe']), killed);
  await expectRefusal(killed, 'not of one making');
});

test('a log without a file is refused: no new database is made under it', async () => {
  const killed = await killedWith(await closedDatabase(['alice']), ['bob', 'carla']);
  rmSync(killed);
  await expectRefusal(killed, `There is no file ${killed}, but ${killed}-wal is there`);
  expect(existsSync(killed)).toBe(false);
});

test('an older copy of all three files opens as it was', async () => {
  const path = await closedDatabase(['alice']);
  const killed = await killedWith(path, ['bob', 'carla']);
  const copy = copyFiles(killed);
  await usersIn(killed);
  const later = await killedWith(killed, ['dora', 'emil']);
  for (const ending of ENDINGS) copyFileSync(copy + ending, later + ending);
  expect(await usersIn(later)).toEqual(['alice', 'bob', 'carla']);
});

test('a copy by SQLite itself, put back beside the log that was there when it was made, is no mixture', async () => {
  const path = await closedDatabase(['alice']);
  const db = await openDatabase(`sqlite:${path}`);
  await addUsers(db, ['bob', 'carla']);
  const copy = join(temporaryFolder(), 'copy.db');
  const source = new Sqlite(path, { readonly: true });
  await source.backup(copy);
  source.close();
  await addUser(db, { username: 'dora' });
  const killed = copyFiles(path);
  await db.destroy();
  copyFileSync(copy, killed);
  // It cannot be told from what a checkpoint leaves: the log makes it what it was.
  expect(await usersIn(killed)).toEqual(['alice', 'bob', 'carla', 'dora']);
});

test.each([
  ['writes', "update users set full_name = 'Alice'"],
  ['writes the first page', 'create table notes (note any) strict'],
  [
    'writes many pages',
    'create table notes (note); insert into notes select randomblob(4000) from users, users as more',
  ],
  ['vacuums', 'vacuum'],
])('a file that another program %s between two starts, and leaves with a log, opens', async (_what, text) => {
  const path = await closedDatabase(['alice', 'bob', 'carla']);
  const program = otherProgram(path);
  program.exec(text);
  expect(await usersIn(copyFiles(path))).toEqual(['alice', 'bob', 'carla']);
  program.exec(text.replaceAll('notes', 'more_notes'));
  expect(await usersIn(copyFiles(path))).toEqual(['alice', 'bob', 'carla']);
  program.pragma('wal_checkpoint');
  program.exec(text.replaceAll('notes', 'last_notes'));
  expect(await usersIn(copyFiles(path))).toEqual(['alice', 'bob', 'carla']);
});

test('a copy that SQLite itself has put back while Roster ran opens after a kill', async () => {
  const path = await closedDatabase(['alice']);
  const db = await openDatabase(`sqlite:${path}`);
  await addUsers(db, ['bob', 'carla']);
  otherProgram(path).pragma('wal_checkpoint(truncate)');
  const other = new Sqlite(await closedDatabase(['zoe']), { readonly: true });
  await other.backup(path);
  other.close();
  const killed = copyFiles(path);
  expect(await usersIn(killed)).toEqual(['zoe']);
  expect(await usersIn(await killedWith(killed, ['yves', 'xaver']))).toEqual(['zoe', 'yves', 'xaver']);
  await db.destroy();
});

/** Makes a file what a Roster without generations would have written. */
function makeOld(path: string): void {
  const program = new Sqlite(path);
  program.pragma(`user_version = ${Number(program.pragma('user_version', { simple: true })) & 0xff}`);
  program.close();
}

test('a file that an older Roster has written goes on, with and without a log', async () => {
  const path = await closedDatabase(['alice']);
  makeOld(path);
  otherProgram(path).exec("update users set full_name = 'Alice'");
  const killed = copyFiles(path);
  expect(await usersIn(killed)).toEqual(['alice']);
  expect(await usersIn(await killedWith(killed, ['bob', 'carla']))).toEqual(['alice', 'bob', 'carla']);
});

test('a copy that an older Roster has written, put back beside the log of this one, is refused', async () => {
  const path = await closedDatabase(['alice']);
  makeOld(path);
  const copy = copyFiles(path);
  const killed = await killedWith(path, ['bob', 'carla']);
  copyFileSync(copy, killed);
  await expectRefusal(killed, 'not of one making');
});

test('a copy of this Roster, put back beside the log of an older one, is refused', async () => {
  const path = await closedDatabase(['alice']);
  const copy = copyFiles(path);
  makeOld(path);
  // It writes the first page, too.
  otherProgram(path).exec(
    "insert into secrets values ('some', 'value'); create table notes (note any) strict",
  );
  const killed = copyFiles(path);
  copyFileSync(copy, killed);
  await expectRefusal(killed, 'not of one making');
});

test('a file of an older Roster opens after a kill, also where it still has the first change of this one in its log', async () => {
  const path = await closedDatabase(['alice']);
  makeOld(path);
  const db = await openDatabase(`sqlite:${path}`);
  // Who reads the file as it was keeps all that comes after in the log.
  const reader = otherProgram(path);
  reader.exec('begin; select count(*) from users');
  await addUsers(db, ['bob', 'carla']);
  const killed = copyFiles(path);
  copyFileSync(killed, `${killed}.copy`);
  const file = new Sqlite(`${killed}.copy`, { readonly: true });
  expect(Number(file.pragma('user_version', { simple: true })) >>> 8).toBe(0);
  file.close();
  expect(await usersIn(killed)).toEqual(['alice', 'bob', 'carla']);
  reader.exec('rollback');
  await db.destroy();
});

test('a copy from before is refused also where someone was reading when the first change came', async () => {
  const path = await closedDatabase(['alice']);
  const copy = copyFiles(path);
  const db = await openDatabase(`sqlite:${path}`);
  const reader = otherProgram(path);
  reader.exec('begin; select count(*) from users');
  await addUser(db, { username: 'bob' });
  reader.exec('rollback');
  await addUsers(db, ['carla', 'dora']);
  const killed = copyFiles(path);
  await db.destroy();
  copyFileSync(copy, killed);
  await expectRefusal(killed, 'not of one making');
});

test('generations begin again after the last one, and no log is refused for it', async () => {
  const path = await closedDatabase(['alice']);
  const program = new Sqlite(path);
  const migration = Number(program.pragma('user_version', { simple: true })) & 0xff;
  program.pragma(`user_version = ${(2 ** 22 - 2) * 256 + migration}`);
  program.close();
  const killed = await killedWith(path, ['bob', 'carla', 'dora']);
  const left = otherProgram(copyFiles(killed));
  expect(left.pragma('user_version', { simple: true })).toBe(2 * 256 + migration);
  expect(await usersIn(killed)).toEqual(['alice', 'bob', 'carla', 'dora']);
});

test('a log of which nothing was written whole is nothing', async () => {
  const killed = await killedWith(await closedDatabase(['alice']), ['bob', 'carla']);
  const log = readFileSync(`${killed}-wal`);
  // Of its first frame, which is of the first page, as that was changed by "carla".
  log.writeInt32BE(7 * 256, 32 + 24 + 60);
  writeFileSync(`${killed}-wal`, log);
  expect(await usersIn(killed)).toEqual(['alice', 'bob']);
});

test('a folder in the place of the log is one sentence', async () => {
  const path = await closedDatabase(['alice']);
  mkdirSync(`${path}-wal`);
  await expect(openDatabase(`sqlite:${path}`)).rejects.toMatchObject({ name: 'StartError' });
});
