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
import { sql } from 'kysely';
import { expect, onTestFinished, test, vi } from 'vitest';
import { filePathOf } from '../../../src/database-url.ts';
import { openDatabase, openForThread } from '../../../src/db/database.ts';
import type { Db } from '../../../src/db/schema.ts';
import { migrationOf } from '../../../src/db/sqlite/generation.ts';
import { readSnapshot } from '../../../src/db/transact.ts';
import { DatabaseFailure, DatabaseLostError, OutcomeUnknownError } from '../../../src/errors.ts';
import type { Stopwatch } from '../../../src/lib/clock.ts';
import { pageOf } from '../../page.ts';
import { HOUR, movableClock } from '../../people.ts';
import { startRoster } from '../../roster.ts';
import {
  addUser,
  addUsers,
  get,
  post,
  readyUrl,
  startApp,
  temporaryDatabase,
  temporaryFolder,
} from '../../support.ts';
import { beforeStatement } from './faults.ts';

const ENDINGS = ['', '-wal', '-shm'];

/** The path of a database at a generation, which the first change of all draws by lot else. */
async function fileAt(generation: number): Promise<string> {
  const path = String(filePathOf(await readyUrl()));
  const program = new Sqlite(path);
  const version = Number(program.pragma('user_version', { simple: true }));
  program.pragma(`user_version = ${generation * 256 + migrationOf(version)}`);
  program.close();
  return path;
}

/** A database with a user in its file and another one in its log. */
async function openFile(stopwatch?: Stopwatch): Promise<{ path: string; db: Db; log: string[] }> {
  const path = await fileAt(1_000_000);
  const log: string[] = [];
  const spy = vi.spyOn(console, 'error').mockImplementation((line: string) => {
    if (line.startsWith(path)) log.push(line);
  });
  onTestFinished(() => spy.mockRestore());
  const db = await temporaryDatabase(`sqlite:${path}`, 5, stopwatch);
  await addUsers(db, ['alice', 'bob']);
  return { path, db, log };
}

async function otherFile(): Promise<string> {
  const path = await fileAt(3_000_000);
  const db = await openDatabase(`sqlite:${path}`);
  await addUsers(db, ['zoe', 'yves', 'xaver']);
  await db.destroy();
  return path;
}

/** Who is in a database that opens, and is whole. */
async function usersIn(path: string): Promise<string[]> {
  const db = await openDatabase(`sqlite:${path}`);
  const { rows } = await sql<{ integrity_check: string }>`pragma integrity_check`.execute(db);
  expect(rows).toEqual([{ integrity_check: 'ok' }]);
  const users = await db.selectFrom('users').select('username').orderBy('id').execute();
  await db.destroy();
  return users.map(({ username }) => username);
}

/** For intervals and what is measured between. */
function stopTime() {
  vi.useFakeTimers({ toFake: ['setInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const stopwatch = movableClock();
  const secondsPass = (seconds: number) => {
    stopwatch.move(seconds * 1000);
    vi.advanceTimersByTime(seconds * 1000);
  };
  return { stopwatch, secondsPass };
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
    await expect(addUser(db, { username: 'carla' })).rejects.toThrow(DatabaseFailure);
    await expect(addUser(db, { username: 'dora' })).rejects.toThrow(DatabaseLostError);
    await expect(addUser(db, { username: 'emil' })).rejects.toThrow(sentence);
    await expect(db.selectFrom('users').selectAll().execute()).rejects.toThrow(DatabaseLostError);
    await expect(readSnapshot(db, async () => {})).rejects.toThrow(DatabaseLostError);
    expect(log).toEqual([expect.stringMatching(sentence)]);
  },
);

const INDEX_GONE: typeof GONE = [
  ['loses the index of its log', (path) => rmSync(`${path}-shm`), /roster\.db-shm is gone/],
];

test.each([...GONE, ...INDEX_GONE])(
  'when the file %s and nothing is written, the readers hear of it',
  async (_how, act, sentence) => {
    const { stopwatch, secondsPass } = stopTime();
    const { path, db, log } = await openFile(stopwatch);
    const app = await startApp({}, db);
    expect((await get(app, '/users')).statusCode).toBe(200);
    await act(path);
    secondsPass(5);
    expect((await get(app, '/readyz')).statusCode).toBe(503);
    const page = await post(app, '/users', { username: 'carla', email: 'carla@example.org' });
    expect(page.statusCode).toBe(503);
    expect(pageOf(page).text).toContain(
      'The directory cannot be written: its file is gone, or another one lies in its place.',
    );
    expect(page.body).not.toContain(path);
    expect(log).toEqual([expect.stringMatching(sentence)]);
  },
);

test('when the file comes back, Roster goes on, and says so', async () => {
  const { stopwatch, secondsPass } = stopTime();
  const { path, db, log } = await openFile(stopwatch);
  renameSync(path, `${path}.old`);
  await expect(addUser(db, { username: 'carla' })).rejects.toThrow(OutcomeUnknownError);
  await expect(addUser(db, { username: 'carla' })).rejects.toThrow(DatabaseLostError);
  renameSync(`${path}.old`, path);
  secondsPass(5);
  expect(log).toEqual([
    expect.stringMatching(/roster\.db is gone/),
    expect.stringMatching(/roster\.db is back/),
  ]);
  await addUser(db, { username: 'dora' });
  const users = await db.selectFrom('users').select('username').execute();
  // Of carla it was said that she may have been saved.
  expect(users.map(({ username }) => username)).toEqual(['alice', 'bob', 'carla', 'dora']);
});

test('another thread that has the file open hears of it, too, and leaves it to the first one to say so', async () => {
  const { stopwatch, secondsPass } = stopTime();
  const { path, log } = await openFile(stopwatch);
  const beside = await openForThread(`sqlite:${path}`, stopwatch);
  onTestFinished(() => beside.destroy());
  const read = () => beside.selectFrom('users').select('username').execute();
  renameSync(path, `${path}.old`);
  secondsPass(5);
  await expect(read()).rejects.toThrow(DatabaseLostError);
  renameSync(`${path}.old`, path);
  secondsPass(5);
  expect(await read()).toHaveLength(2);
  overwrite(path, await otherFile());
  secondsPass(5);
  await expect(read()).rejects.toThrow(DatabaseLostError);
  expect(log).toEqual([
    expect.stringMatching(/roster\.db is gone/),
    expect.stringMatching(/roster\.db is back/),
    expect.stringMatching(/roster\.db was overwritten/),
  ]);
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
  await beforeStatement(db, /^commit$/, () => rmSync(path));
  await expect(addUser(db, { username: 'carla' })).rejects.toThrow(OutcomeUnknownError);
});

test('a commit that may have been saved is not said to have changed nothing where the file goes away as well', async () => {
  const { path, db } = await openFile();
  await beforeStatement(db, /^commit$/, () => {
    renameSync(path, `${path}.old`);
    throw new Sqlite.SqliteError('disk I/O error', 'SQLITE_IOERR_FSYNC');
  });
  await expect(addUser(db, { username: 'carla' })).rejects.toThrow(OutcomeUnknownError);
});

/** Copies the files of another database, open with a log, over those of one: as if so many generations had come since. */
async function overwriteAll(path: string, steps: number): Promise<void> {
  const other = await otherFile();
  const [own, foreign] = [new Sqlite(path, { readonly: true }), new Sqlite(other)];
  const version = Number(own.pragma('user_version', { simple: true }));
  const generation = ((version >>> 8) + steps) % (2 ** 22 - 1);
  foreign.pragma('journal_mode = wal');
  foreign.pragma(`user_version = ${generation * 256 + (version & 0xff)}`);
  foreign.pragma('wal_checkpoint(truncate)');
  foreign.pragma(`user_version = ${(generation + 1) * 256 + (version & 0xff)}`);
  for (const ending of ENDINGS) overwrite(path + ending, other + ending);
  own.close();
  foreign.close();
}

test('the files of another database, copied over all three, are told apart also after an hour without a change', async () => {
  const { stopwatch, secondsPass } = stopTime();
  const { path, db, log } = await openFile(stopwatch);
  secondsPass(3600);
  await overwriteAll(path, 1_000_000);
  await expect(addUser(db, { username: 'carla' })).rejects.toThrow(DatabaseLostError);
  expect(log).toEqual([expect.stringMatching(/was overwritten/)]);
});

test('and after an hour in which this process stood still', async () => {
  const stopwatch = movableClock();
  const { path, db, log } = await openFile(stopwatch);
  stopwatch.move(HOUR);
  await overwriteAll(path, 3_000_000);
  await expect(addUser(db, { username: 'carla' })).rejects.toThrow(DatabaseLostError);
  expect(log).toEqual([expect.stringMatching(/was overwritten/)]);
});

const ACKNOWLEDGED = ['alice', 'bob', 'carla'];

/** Starts a Roster, and adds users that it acknowledges: the last ones are in its log alone. */
async function startWithUsers(path: string) {
  const { child, address, stderr } = await startRoster({ DATABASE_URL: `sqlite:${path}` });
  const add = async (username: string) => {
    const body = new URLSearchParams({ username, email: `${username}@example.org` });
    return (await fetch(`${address}/users`, { method: 'POST', body, redirect: 'manual' })).status;
  };
  for (const username of ACKNOWLEDGED) expect(await add(username)).toBe(303);
  /** In order; what it said. */
  const stop = () => {
    child.kill('SIGTERM');
    return stderr;
  };
  return { add, stop };
}

function lookWithAnotherProgram(path: string): void {
  const program = new Sqlite(path);
  try {
    program.exec('select count(*) from users');
  } catch {
    // Without the log there may be nothing that it can read.
  }
  program.close();
}

test.each([
  ['log', /roster\.db-wal is gone while .* stop Roster in order/, (path: string) => rmSync(`${path}-wal`)],
  [
    "log's index",
    /roster\.db-shm is gone while .* stop Roster in order/,
    (path: string) => rmSync(`${path}-shm`),
  ],
  [
    'log and its index',
    /roster\.db-wal is gone/,
    (path: string) => ['-wal', '-shm'].forEach((ending) => void rmSync(path + ending)),
  ],
  [
    'log, and looked at by another program since,',
    /roster\.db-wal is gone/,
    (path: string) => {
      rmSync(`${path}-wal`);
      lookWithAnotherProgram(path);
    },
  ],
  [
    'log and its index, and looked at by another program since,',
    /roster\.db-wal is gone/,
    (path: string) => {
      for (const ending of ['-wal', '-shm']) rmSync(path + ending);
      lookWithAnotherProgram(path);
    },
  ],
])(
  'a Roster that stops saves what it has acknowledged in a file without its %s',
  async (_what, sentence, act) => {
    const path = join(temporaryFolder(), 'roster.db');
    for (const later of [[], ['dora', 'emil']]) {
      const { add, stop } = await startWithUsers(path);
      const acknowledged = [...ACKNOWLEDGED];
      act(path);
      // That the index is away is noticed within seconds, not at once.
      for (const username of later) if ((await add(username)) === 303) acknowledged.push(username);
      expect(await stop()).toMatch(sentence);
      expect(await usersIn(path)).toEqual(expect.arrayContaining(acknowledged));
      rmSync(path);
    }
  },
);

test.each([
  ['with its log', ENDINGS],
  ['alone', ['']],
])(
  'a file that was moved away %s has all that was acknowledged, also after the stop',
  async (_how, endings) => {
    const path = join(temporaryFolder(), 'roster.db');
    const { add, stop } = await startWithUsers(path);
    for (const ending of endings) renameSync(path + ending, `${path}.moved${ending}`);
    expect(await add('dora')).toBe(503);
    expect(await stop()).toMatch(/roster\.db is gone while .* put it back before/);
    for (const ending of endings) renameSync(`${path}.moved${ending}`, path + ending);
    expect(await usersIn(path)).toEqual(expect.arrayContaining(ACKNOWLEDGED));
  },
);

test('nothing is saved into a copy that was put back while Roster ran, without a log as it should be', async () => {
  const path = join(temporaryFolder(), 'roster.db');
  const { add, stop } = await startWithUsers(path);
  for (const ending of ['-wal', '-shm']) rmSync(path + ending);
  overwrite(path, await otherFile());
  expect(await add('dora')).toBe(503);
  expect(await stop()).toMatch(/was overwritten/);
  expect(await usersIn(path)).toEqual(['zoe', 'yves', 'xaver']);
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
  const path = join(temporaryFolder(), 'roster.db');
  const { add, stop } = await startWithUsers(path);
  // A whole database with a log of its own, as a kill leaves it.
  const other = await otherFile();
  const open = await openDatabase(`sqlite:${other}`);
  await addUsers(open, ['one', 'two']);
  put(path, other);
  await open.destroy();
  expect(await add('dora')).toBe(503);
  const bytes = () =>
    ENDINGS.map((ending) => existsSync(path + ending) && readFileSync(path + ending, 'latin1'));
  const before = bytes();
  expect(await stop()).toMatch(sentence);
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
  expect(await usersIn(path)).toEqual(['zoe', 'yves', 'xaver']);
});
