/** The files of a database are taken away, exchanged or overwritten while Roster has it open. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { expect, onTestFinished, test, vi } from 'vitest';
import { openDatabase } from '../../../src/db/database.ts';
import type { Db } from '../../../src/db/schema.ts';
import { readSnapshot } from '../../../src/db/transact.ts';
import { DatabaseLostError, OutcomeUnknownError } from '../../../src/errors.ts';
import { startRoster } from '../../roster.ts';
import {
  addUser,
  addUsers,
  get,
  post,
  startApp,
  temporaryDatabase,
  temporaryFolder,
  textOf,
} from '../../support.ts';

const ENDINGS = ['', '-wal', '-shm'];

/** A database with a user in its file and another one in its log. */
async function openFile(): Promise<{ path: string; db: Db; log: string[] }> {
  const path = join(temporaryFolder(), 'roster.db');
  const log: string[] = [];
  const spy = vi.spyOn(console, 'error').mockImplementation((line: string) => {
    if (line.startsWith(path)) log.push(line);
  });
  onTestFinished(() => spy.mockRestore());
  const db = await temporaryDatabase(`sqlite:${path}`);
  await addUsers(db, ['alice', 'bob']);
  return { path, db, log };
}

async function otherFile(): Promise<string> {
  const path = join(temporaryFolder(), 'other.db');
  const db = await openDatabase(`sqlite:${path}`);
  await addUsers(db, ['zoe', 'yves', 'xaver']);
  await db.destroy();
  return path;
}

/** For intervals; the function lets them go by. */
function stopTime(): (seconds: number) => void {
  vi.useFakeTimers({ toFake: ['setInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  return (seconds) => void vi.advanceTimersByTime(seconds * 1000);
}

/** Copies into the file that is there, as `cp` does. */
function overwrite(path: string, other: string): void {
  writeFileSync(path, readFileSync(other));
}

const GONE: [string, (path: string) => void | Promise<void>, RegExp][] = [
  ['is removed', (path) => rmSync(path), /roster\.db is gone while/],
  ['is moved away', (path) => renameSync(path, `${path}.old`), /roster\.db is gone while/],
  [
    'is replaced by another one',
    async (path) => renameSync(await otherFile(), path),
    /roster\.db is not what Roster has opened/,
  ],
  [
    'is replaced by a copy of itself',
    (path) => {
      copyFileSync(path, `${path}.copy`);
      renameSync(`${path}.copy`, path);
    },
    /roster\.db is not what Roster has opened/,
  ],
  [
    'is replaced by a folder',
    (path) => {
      rmSync(path);
      mkdirSync(path);
    },
    /roster\.db is not what Roster has opened/,
  ],
  ['loses its log', (path) => rmSync(`${path}-wal`), /roster\.db-wal is gone/],
  ['loses the index of its log', (path) => rmSync(`${path}-shm`), /roster\.db-shm is gone/],
  [
    'is overwritten by another one',
    async (path) => overwrite(path, await otherFile()),
    /roster\.db was overwritten/,
  ],
  [
    'and its log are overwritten by others',
    async (path) => {
      const other = await otherFile();
      const open = await temporaryDatabase(`sqlite:${other}`);
      await addUsers(open, ['one', 'two']);
      for (const ending of ENDINGS) overwrite(path + ending, other + ending);
    },
    /roster\.db was overwritten/,
  ],
  [
    'is overwritten by a text',
    (path) => writeFileSync(path, 'a shopping list'),
    /roster\.db was overwritten/,
  ],
  ['is emptied', (path) => truncateSync(path, 0), /roster\.db was overwritten/],
  ['is cut off', (path) => truncateSync(path, 8192), /roster\.db was overwritten/],
];

test.each(GONE)(
  'when the file %s, nothing is acknowledged any more, and the log says it once',
  async (_how, act, sentence) => {
    const { path, db, log } = await openFile();
    await act(path);
    await expect(addUser(db, { username: 'carla' })).rejects.toThrow(DatabaseLostError);
    await expect(addUser(db, { username: 'dora' })).rejects.toThrow(sentence);
    await expect(db.selectFrom('users').selectAll().execute()).rejects.toThrow(DatabaseLostError);
    await expect(readSnapshot(db, async () => {})).rejects.toThrow(DatabaseLostError);
    expect(log).toEqual([expect.stringMatching(sentence)]);
  },
);

test.each(GONE)('when the file %s and nothing is written, the readers hear of it', async (_how, act) => {
  const secondsPass = stopTime();
  const { path, db } = await openFile();
  const app = await startApp({}, db);
  expect((await get(app, '/users')).statusCode).toBe(200);
  await act(path);
  secondsPass(5);
  expect((await get(app, '/readyz')).statusCode).toBe(503);
  const page = await post(app, '/users', { username: 'carla', email: 'carla@example.org' });
  expect(page.statusCode).toBe(503);
  expect(textOf(page.body)).toContain(
    'The directory cannot be written: its file is gone, or another one lies in its place.',
  );
  expect(page.body).not.toContain(path);
});

test('when the file comes back, Roster goes on, and says so', async () => {
  const secondsPass = stopTime();
  const { path, db, log } = await openFile();
  renameSync(path, `${path}.old`);
  await expect(addUser(db, { username: 'carla' })).rejects.toThrow(DatabaseLostError);
  renameSync(`${path}.old`, path);
  secondsPass(5);
  expect(log).toEqual([
    expect.stringMatching(/roster\.db is gone/),
    expect.stringMatching(/roster\.db is back/),
  ]);
  await addUser(db, { username: 'dora' });
  const users = await db.selectFrom('users').select('username').execute();
  expect(users.map(({ username }) => username)).toEqual(['alice', 'bob', 'dora']);
});

test('what was overwritten does not come back by itself: what was read of it may be in memory', async () => {
  const { path, db } = await openFile();
  const before = readFileSync(path);
  overwrite(path, await otherFile());
  await expect(addUser(db, { username: 'carla' })).rejects.toThrow(DatabaseLostError);
  writeFileSync(path, before);
  await expect(addUser(db, { username: 'dora' })).rejects.toThrow('stop Roster');
});

test('a change that was being saved when the file went away may have been saved, and is not said to be', async () => {
  const { path, db } = await openFile();
  const statements = Object.getPrototypeOf(new Sqlite(':memory:').prepare('select 1'));
  const run = statements.run;
  const spy = vi.spyOn(statements, 'run').mockImplementation(function (this: Sqlite.Statement, ...values) {
    if (this.source === 'commit') rmSync(path);
    return run.apply(this, values);
  });
  onTestFinished(() => spy.mockRestore());
  await expect(addUser(db, { username: 'carla' })).rejects.toThrow(OutcomeUnknownError);
});

test.each([
  [
    'put in its place',
    /is not what Roster has opened/,
    (path: string, other: string) => {
      for (const ending of ENDINGS) {
        copyFileSync(other + ending, `${path}.new${ending}`);
        renameSync(`${path}.new${ending}`, path + ending);
      }
    },
  ],
  [
    'copied over it',
    /was overwritten/,
    (path: string, other: string) => {
      for (const ending of ENDINGS.slice(0, 2)) overwrite(path + ending, other + ending);
    },
  ],
  ['copied over it without a log', /was overwritten/, overwrite],
])('a Roster that stops leaves another database alone that was %s', async (_how, sentence, put) => {
  const folder = temporaryFolder();
  const path = join(folder, 'roster.db');
  const { child, address, stderr } = await startRoster({ DATABASE_URL: `sqlite:${path}` });
  const add = (username: string) =>
    fetch(`${address}/users`, {
      method: 'POST',
      body: new URLSearchParams({ username, email: `${username}@example.org` }),
      redirect: 'manual',
    });
  for (const username of ['alice', 'bob']) expect((await add(username)).status).toBe(303);
  // A whole database with a log of its own, as a kill leaves it.
  const other = await otherFile();
  const open = await openDatabase(`sqlite:${other}`);
  await addUsers(open, ['one', 'two']);
  put(path, other);
  await open.destroy();
  expect((await add('carla')).status).toBe(503);
  const bytes = () =>
    ENDINGS.map((ending) => existsSync(path + ending) && readFileSync(path + ending, 'latin1'));
  const before = bytes();
  child.kill('SIGTERM');
  expect(await stderr).toMatch(sentence);
  expect(bytes()).toEqual(before);
});

test('what other programs may do to the file is no reason to stop', async () => {
  const { path, db, log } = await openFile();
  // It reads them without locks; SQLite's locks are this process's.
  for (const ending of ['', '-wal']) copyFileSync(path + ending, `${path}.copy${ending}`);
  const program = new Sqlite(path);
  for (const text of [
    'create table notes (note)',
    'insert into notes select randomblob(4000) from users, users as b, users as c, users as d, users as e',
    'pragma wal_checkpoint',
    'delete from notes',
    'vacuum',
    'pragma wal_checkpoint(truncate)',
  ]) {
    program.exec(text);
    await addUser(db, { username: `user${Math.random()}`.replace('.', '') });
  }
  program.close();
  expect(await db.selectFrom('users').select('id').execute()).toHaveLength(8);
  expect(log).toEqual([]);
});

test('a copy that SQLite itself puts back is not gone on with, but there after a restart', async () => {
  const { path, db, log } = await openFile();
  const other = new Sqlite(await otherFile(), { readonly: true });
  await other.backup(path);
  other.close();
  await expect(addUser(db, { username: 'carla' })).rejects.toThrow(DatabaseLostError);
  expect(log).toEqual([expect.stringMatching(/was overwritten/)]);
  await db.destroy();
  const again = await temporaryDatabase(`sqlite:${path}`);
  expect(await again.selectFrom('users').select('username').orderBy('id').execute()).toEqual([
    { username: 'zoe' },
    { username: 'yves' },
    { username: 'xaver' },
  ]);
});
