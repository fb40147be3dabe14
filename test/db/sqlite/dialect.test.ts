import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { sql } from 'kysely';
import { expect, onTestFinished, test } from 'vitest';
import { commandLine } from '../../../src/auth/actor.ts';
import { openDatabase } from '../../../src/db/database.ts';
import { engineOf } from '../../../src/db/engine.ts';
import type { Db } from '../../../src/db/schema.ts';
import { transact } from '../../../src/db/transact.ts';
import { NotUniqueError, OutcomeUnknownError, UnavailableError } from '../../../src/errors.ts';
import { createUser, createUsers } from '../../../src/users/commands.ts';
import { findUserByUsername } from '../../../src/users/queries.ts';
import { addUser, addUsers, temporaryDatabase, temporaryFolder } from '../../support.ts';
import { beforeStatement } from './faults.ts';

async function pragma(db: Db, name: string): Promise<unknown> {
  const { rows } = await sql<Record<string, unknown>>`pragma ${sql.raw(name)}`.execute(db);
  return Object.values(rows[0] ?? {})[0];
}

function personCalled(username: string) {
  return { username, email: `${username}@example.org`, is_active: true, role: 'member' as const };
}

test('an acknowledged change survives a power cut: every commit is synced, after the first write too', async () => {
  const db = await temporaryDatabase();
  await addUser(db, { username: 'alice' });
  await db.transaction().execute(async (trx) => {
    expect(await pragma(trx, 'synchronous')).toBe(2);
    expect(await pragma(trx, 'journal_mode')).toBe('wal');
    expect(await pragma(trx, 'foreign_keys')).toBe(1);
  });
});

test('a write outside a transaction does not pass', async () => {
  const db = await temporaryDatabase();
  await expect(db.deleteFrom('users').execute()).rejects.toThrow('readonly');
});

test('no statement has a value that SQLite would look at to plan it, and so prepare it anew for the next one', async () => {
  const db = await temporaryDatabase();
  const few = db.selectFrom('users').selectAll().where('id', '>', 7).limit(3).offset(2).compile();
  expect(few.sql).toMatch(/> \+\? limit \+\? offset \+\?$/);
});

test('a reader does not wait for a transaction that is under way, and sees none of it', async () => {
  const db = await temporaryDatabase();
  await addUser(db, { username: 'alice' });
  await db.transaction().execute(async (trx) => {
    await trx.updateTable('users').set({ full_name: 'Alice' }).execute();
    expect((await findUserByUsername(db, 'alice'))?.full_name).toBeNull();
  });
  expect((await findUserByUsername(db, 'alice'))?.full_name).toBe('Alice');
});

test('transactions take turns, each whole', async () => {
  const db = await temporaryDatabase();
  const order: string[] = [];
  const write = (name: string) =>
    db.transaction().execute(async (trx) => {
      order.push(`${name} starts`);
      await trx.updateTable('user_counts').set({ count: 0 }).execute();
      await new Promise((resolve) => setImmediate(resolve));
      order.push(`${name} ends`);
    });
  await Promise.all([write('one'), write('two')]);
  expect(order).toEqual(['one starts', 'one ends', 'two starts', 'two ends']);
});

test('a transaction that fails leaves nothing, and the next one starts', async () => {
  const db = await temporaryDatabase();
  const failing = db.transaction().execute(async (trx) => {
    await trx.updateTable('user_counts').set({ count: 9 }).execute();
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  await addUser(db, { username: 'alice' });
  expect(
    await db
      .selectFrom('user_counts')
      .where('role', '=', 'member')
      .select('count')
      .orderBy('count')
      .execute(),
  ).toEqual([{ count: 0 }, { count: 1 }]);
});

test('transactions that come together are committed together, and fail together where that fails', async () => {
  const db = await temporaryDatabase();
  await db.transaction().execute(async (trx) => {
    await sql`create table parent (id integer primary key) strict`.execute(trx);
    await sql`create table child (id integer references parent deferrable initially deferred) strict`.execute(
      trx,
    );
  });
  const orphan = () => db.transaction().execute((trx) => sql`insert into child values (7)`.execute(trx));
  const failing = () =>
    db.transaction().execute(async (trx) => {
      await trx.updateTable('user_counts').set({ count: 9 }).execute();
      throw new Error('no');
    });
  const together = await Promise.allSettled([
    addUser(db, { username: 'alice' }),
    failing(),
    addUser(db, { username: 'bob' }),
  ]);
  expect(together.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  const withOrphan = await Promise.allSettled([addUser(db, { username: 'carla' }), orphan()]);
  expect(withOrphan.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await addUser(db, { username: 'dora' });
  const users = await db.selectFrom('users').select('username').orderBy('id').execute();
  expect(users.map(({ username }) => username)).toEqual(['alice', 'bob', 'dora']);
  const counts = await db
    .selectFrom('user_counts')
    .where('role', '=', 'member')
    .select('count')
    .orderBy('count')
    .execute();
  expect(counts).toEqual([{ count: 0 }, { count: 3 }]);
});

test.each(['first', 'second', 'last'])(
  'of those who write together only what the %s one did is gone where that one fails',
  async (who) => {
    const db = await temporaryDatabase();
    const write = (username: string) =>
      transact(db, async (trx) => {
        await createUser(trx, commandLine, personCalled(username), 1);
        if (username === who) throw new Error('no');
      });
    const all = ['first', 'second', 'last'];
    const outcomes = await Promise.allSettled(all.map(write));
    const others = all.filter((username) => username !== who);
    expect(all.filter((_, index) => outcomes[index]?.status === 'fulfilled')).toEqual(others);
    const users = await db.selectFrom('users').select('username').orderBy('id').execute();
    expect(users.map(({ username }) => username)).toEqual(others);
    expect(await Array.fromAsync(engineOf(db).findWronglyIndexed(db))).toEqual([]);
  },
);

test.runIf(process.platform === 'linux')(
  'those who write much together write nothing to a file before they commit',
  async () => {
    const db = await temporaryDatabase();
    const people = Array.from({ length: 1000 }, (_, number) => personCalled(`user${number}`));
    await transact(db, (trx) => createUsers(trx, commandLine, people, 1));
    const write = (updated_at: number) =>
      transact(db, async (trx) => {
        const before = writtenByThread();
        await trx.updateTable('users').set({ updated_at }).execute();
        return writtenByThread() - before;
      });
    for (const bytes of await Promise.all([write(2), write(3)])) expect(bytes).toBeLessThan(4096);
  },
);

/** Bytes so far, to files and whatever else. Other threads may be at other tests. */
function writtenByThread(): number {
  return Number(/^wchar: (\d+)$/m.exec(readFileSync('/proc/thread-self/io', 'utf8'))?.[1]);
}

test('on a full disk nothing is acknowledged that is not there, and there is no end to it when there is room', async () => {
  const db = await temporaryDatabase();
  await addUser(db, { username: 'first' });
  const limit = (pages: number) =>
    db.transaction().execute((trx) => sql`pragma max_page_count = ${sql.lit(pages)}`.execute(trx));
  await limit(Number(await pragma(db, 'page_count')) + 10);
  const results = await Promise.allSettled(
    Array.from({ length: 1000 }, (_, number) =>
      addUser(db, { username: `user${number}`, full_name: 'x'.repeat(200) }),
    ),
  );
  const acknowledged = results.filter((result) => result.status === 'fulfilled').length;
  const { count } = await db
    .selectFrom('users')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  expect(acknowledged).toBeLessThan(1000);
  expect(count).toBe(1 + acknowledged);
  expect(
    await db
      .selectFrom('user_counts')
      .where('role', '=', 'member')
      .select('count')
      .where('is_active', '=', true)
      .execute(),
  ).toEqual([{ count }]);
  await limit(1_000_000);
  await addUser(db, { username: 'last' });
});

test('where a transaction cannot even begin, nobody is told that what they sent was saved', async () => {
  const db = await temporaryDatabase();
  // From here on the index of the next range of ids has to be made first, and there is no room for it.
  await db.transaction().execute(async (trx) => {
    await engineOf(trx).writeLastId(trx, 200_000);
    await sql`pragma max_page_count = ${sql.lit(Number(await pragma(trx, 'page_count')))}`.execute(trx);
  });
  const touch = () =>
    db.transaction().execute((trx) => trx.updateTable('user_counts').set({ count: 7 }).execute());
  for (let time = 0; time < 3; time++) await expect(touch()).rejects.toThrow('its disk is full');
});

test('a transaction waits for another process that writes, without stopping this one', async () => {
  const path = join(temporaryFolder(), 'roster.db');
  const db = await temporaryDatabase(`sqlite:${path}`);
  const other = new Sqlite(path);
  onTestFinished(() => void other.close());
  other.exec('begin immediate');
  let isDone = false;
  const adding = addUser(db, { username: 'alice' }).then(() => {
    isDone = true;
  });
  // Turns of the event loop go by while the other one holds the lock.
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(isDone).toBe(false);
  other.exec('commit');
  await adding;
  expect(await findUserByUsername(db, 'alice')).toBeDefined();
});

test('those who wait behind a locked file all hear of it in time, and nothing of theirs is written later', async () => {
  const path = join(temporaryFolder(), 'roster.db');
  const db = await temporaryDatabase(`sqlite:${path}`);
  const other = new Sqlite(path);
  onTestFinished(() => void other.close());
  other.exec('begin immediate');
  const started = performance.now();
  const adding = ['alice', 'bob', 'carla'].map((username) => addUser(db, { username }));
  const results = await Promise.allSettled(adding);
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  expect(performance.now() - started).toBeLessThan(9_000);
  other.exec('commit');
  await addUser(db, { username: 'dora' });
  expect(await db.selectFrom('users').select('username').execute()).toEqual([{ username: 'dora' }]);
});

test('a taken value and a full disk are told apart from what is unexpected', async () => {
  const db = await temporaryDatabase();
  await addUser(db, { username: 'alice' });
  const twice = addUser(db, { username: 'ALICE', email: 'other@example.org' });
  await expect(twice).rejects.toThrow(NotUniqueError);
  await db.transaction().execute(async (trx) => {
    await sql`pragma max_page_count = ${sql.lit(Number(await pragma(trx, 'page_count')))}`.execute(trx);
  });
  const filling = async () => {
    for (let number = 0; number < 1000; number++) await addUser(db, { username: `user${number}` });
  };
  await expect(filling()).rejects.toThrow(UnavailableError);
  expect(await findUserByUsername(db, 'alice')).toBeDefined();
});

test('what was overwritten is not in the log any more, whoever else is writing', async () => {
  const path = join(temporaryFolder(), 'roster.db');
  const db = await temporaryDatabase(`sqlite:${path}`);
  await addUser(db, { username: 'alice', full_name: 'a secret name' });
  await Promise.all([
    ...['bob', 'carla'].map((username) => addUser(db, { username })),
    engineOf(db)
      .overwrite(db, (trx) => trx.updateTable('users').set({ full_name: 'Alice' }).execute())
      .then(() => expect(readFileSync(`${path}-wal`).includes('a secret name')).toBe(false)),
    ...['dora', 'emil'].map((username) => addUser(db, { username })),
  ]);
});

test('where the log cannot be emptied after a change, that is not said to have failed', async () => {
  const db = await temporaryDatabase();
  await beforeStatement(db, /wal_checkpoint/, () => {
    throw new Sqlite.SqliteError('disk I/O error', 'SQLITE_IOERR_TRUNCATE');
  });
  const overwriting = engineOf(db).overwrite(db, (trx) =>
    trx.updateTable('user_counts').set({ count: 0 }).execute(),
  );
  await expect(overwriting).rejects.toThrow(OutcomeUnknownError);
});

test('booleans and ids come back as they went in', async () => {
  const db = await temporaryDatabase();
  await addUser(db, { username: 'alice', is_active: false });
  expect(await findUserByUsername(db, 'alice')).toMatchObject({ id: 1, is_active: false });
});

test('an id is never given out twice', async () => {
  const db = await temporaryDatabase();
  await addUsers(db, ['alice', 'bob']);
  await db.transaction().execute((trx) => trx.deleteFrom('users').execute());
  expect(await addUser(db, { username: 'carla' })).toMatchObject({ id: 3 });
});

test.each([
  ["username = ''", 'CHECK'],
  ["username = ' alice'", 'CHECK'],
  ["email = 'x'", 'CHECK'],
  ['full_name = printf("%.*c", 201, "x")', 'CHECK'],
  ['is_active = 2', 'CHECK'],
  ['is_active = null', 'NOT NULL'],
  ["created_at = 'today'", 'cannot store TEXT'],
  ['version = 0', 'CHECK'],
])('the database itself refuses %s', async (assignment, problem) => {
  const db = await temporaryDatabase();
  await addUser(db, { username: 'alice' });
  const update = db
    .transaction()
    .execute((trx) => sql`update users set ${sql.raw(assignment.replaceAll('"', "'"))}`.execute(trx));
  await expect(update).rejects.toThrow(problem);
});

test('more statements than are kept prepared still run', async () => {
  const db = await temporaryDatabase();
  for (let number = 0; number < 600; number++) {
    await sql`select ${sql.lit(number)} as number from user_counts`.execute(db);
  }
  expect(await findUserByUsername(db, 'alice')).toBeUndefined();
});

test('a log that grew while somebody read for long is short again afterwards', async () => {
  const path = join(temporaryFolder(), 'roster.db');
  const db = await openDatabase(`sqlite:${path}`);
  onTestFinished(() => db.destroy());
  const write = (bytes: number) =>
    transact(db, async (trx) => {
      await sql`create table if not exists large (value blob) strict`.execute(trx);
      await sql`insert into large values (randomblob(${bytes}))`.execute(trx);
    });
  const reader = new Sqlite(path, { readonly: true });
  reader.exec('begin; select * from users');
  for (let megabytes = 0; megabytes < 40; megabytes += 8) await write(8_000_000);
  expect(statSync(`${path}-wal`).size).toBeGreaterThan(40_000_000);
  reader.close();
  for (let times = 0; times < 3; times++) await write(1);
  expect(statSync(`${path}-wal`).size).toBeLessThan(34_000_000);
});
