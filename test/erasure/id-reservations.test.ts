/** Numbers are known outside of the database before they are given: a copy of before, put back after a kill, gives none of them again. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { sql } from 'kysely';
import { expect, inject, test, vi } from 'vitest';
import { filePathOf } from '../../src/database-url.ts';
import { announceAssignedId } from '../../src/db/assigned-ids.ts';
import { bulkLoadUsers } from '../../src/db/bulk-load.ts';
import { engineOf, NUMBERED_TABLES } from '../../src/db/engine.ts';
import type { Db } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { reserveIds } from '../../src/erasure/id-reservations.ts';
import { raiseLastIds, readLastIds } from '../../src/erasure/last-ids.ts';
import { type LastIds, lastIdsIn, ledgerOf, reachIn, readLedger } from '../../src/erasure/ledger.ts';
import { insertImport } from '../../src/imports/queries.ts';
import { insertJob } from '../../src/jobs/queries.ts';
import type { Stopwatch } from '../../src/lib/clock.ts';
import { beginRun } from '../../src/maintenance/queries.ts';
import { within } from '../backup/backed-up.ts';
import { movableClock } from '../people.ts';
import { listening, run, startRoster } from '../roster.ts';
import { addUser, readyUrl, temporaryDatabase, temporaryFolder } from '../support.ts';

/** @returns what puts the database back as it is now, as from a copy */
async function copyOf(url: string): Promise<() => Promise<void>> {
  const path = filePathOf(url);
  if (path === undefined) {
    const lastIds = await within(url, readLastIds);
    return () => within(url, (db) => goBack(db, lastIds));
  }
  const copy = readFileSync(path);
  return async () => {
    for (const part of ['-wal', '-shm']) rmSync(path + part, { force: true });
    writeFileSync(path, copy);
  };
}

async function goBack(db: Db, lastIds: LastIds): Promise<void> {
  await transact(db, async (trx) => {
    await trx.deleteFrom('changes').where('set_id', '>', lastIds.change_sets).execute();
    for (const table of NUMBERED_TABLES) {
      await trx.deleteFrom(table).where('id', '>', lastIds[table]).execute();
      await engineOf(trx).writeLastId(trx, lastIds[table], table);
    }
  });
}

/** By whoever is there: in a Roster without an administrator that is anybody on this machine. */
async function create(address: string, url: string, username: string) {
  const body = new URLSearchParams({ username, email: `${username}@example.org` });
  const answer = await fetch(`${address}/users`, { method: 'POST', body, redirect: 'manual' });
  expect(answer.status).toBe(303);
  return within(url, async (db) => {
    const { id } = await db
      .selectFrom('users')
      .select('id')
      .where('username', '=', username)
      .executeTakeFirstOrThrow();
    const { id: set } = await db
      .selectFrom('change_sets')
      .select('id')
      .orderBy('id', 'desc')
      .executeTakeFirstOrThrow();
    return { id, set };
  });
}

async function end(child: ChildProcess, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  child.kill(signal);
  await once(child, 'exit');
}

test('whoever is created after a kill, in a copy of before, has a number that nobody had, and a hundred are left out at most', async () => {
  const url = await readyUrl();
  await within(url, (db) => addUser(db, { username: 'ada' }));
  const putBack = await copyOf(url);
  const settings = { DATABASE_URL: url, SECRET_KEY_FILE: join(temporaryFolder(), 'secret.key') };
  const first = await startRoster(settings);
  const bob = await create(first.address, url, 'bob');
  expect(bob).toEqual({ id: 2, set: 2 });
  await end(first.child, 'SIGKILL');
  await putBack();

  const second = await startRoster(settings);
  const carol = await create(second.address, url, 'carol');
  expect(carol).toEqual({ id: 103, set: 103 });
  // In order, it has said which were given.
  await end(second.child, 'SIGTERM');
  await putBack();

  const third = await startRoster(settings);
  expect(await create(third.address, url, 'dan')).toEqual({ id: 104, set: 104 });
  await end(third.child, 'SIGTERM');
  const fourth = await startRoster(settings);
  expect(await create(fourth.address, url, 'eve')).toEqual({ id: 105, set: 105 });
  await end(fourth.child, 'SIGTERM');
  const lines = readLedger(ledgerOf(url, settings.SECRET_KEY_FILE));
  expect(lastIdsIn(lines)).toMatchObject({ users: 105, change_sets: 105 });
});

/** A database of which numbers are noted ahead. */
async function noted(ledger = join(temporaryFolder(), 'erased.jsonl'), stopwatch?: Stopwatch) {
  const db = await temporaryDatabase();
  const warn = vi.fn();
  reserveIds(db, ledger, warn, stopwatch);
  return { db, warn, lines: () => readLedger(ledger) };
}

test('every number that is given is noted by then, whatever it is of', async () => {
  const { db, lines } = await noted();
  await addUser(db, { username: 'ada' });
  const file = { file: 'one', file_name: 'users.csv', folder: 'x', host: 'x', size: 1, choices: '{}' };
  const begun = { created_at: 1, touched_at: 1, leased_until: 0, failures: 0, judged: 1 };
  await transact(db, async (trx) => {
    await insertJob(trx, { kind: 'undo', set_id: 1, actor_id: null, params: '{}', total: 1 });
    await insertImport(trx, { ...file, ...begun, actor_id: 1, is_by_command: false, state: 'checked' });
    await beginRun(trx, 'check', 1);
  });
  const known = () => reachIn(lines());
  for (const table of NUMBERED_TABLES) expect(known()[table], table).toBe(101);
  const loaded = Array.from({ length: 200 }, (_, index) => {
    const username = `loaded${index}`;
    const who = { username, email: `${username}@example.org`, full_name: null };
    return { ...who, is_active: true, role: 'member' as const, created_at: 1, updated_at: 1 };
  });
  await bulkLoadUsers(db, (loader) => loader.insertNew(loaded));
  expect(known().users).toBeGreaterThan(200);
});

test('very many are noted in few lines, each before it is given, and at the end which were', async () => {
  const { db, lines } = await noted();
  await addUser(db, { username: 'ada' });
  await transact(db, async (trx) => {
    for (let id = 250; id <= 100_000; id += 250) {
      await announceAssignedId(trx, 'users', id);
      expect(reachIn(lines()).users).toBeGreaterThanOrEqual(id);
    }
  });
  expect(lines().length).toBeLessThan(200);
  const given = await readLastIds(db);
  await db.destroy();
  expect(given.users).toBe(1);
  expect(reachIn(lines())).toEqual(given);
});

test('numbers that go on behind what was noted, beside others who are given some, are nobody’s twice', async () => {
  const { db } = await noted();
  const given: number[] = [];
  let isOver = false;
  const creating = [1, 2].map(async (who) => {
    for (let count = 0; !isOver; count++)
      given.push((await addUser(db, { username: `busy${who}x${count}` })).id);
  });
  for (let round = 0; round < 20; round++) {
    // As who starts beside them has read it, by now of before.
    const reach = await readLastIds(db);
    await addUser(db, { username: `start${round}` });
    await raiseLastIds(db, { ...reach, users: reach.users + 3 });
  }
  isOver = true;
  await Promise.all(creating);
  expect(new Set(given).size).toBe(given.length);
});

test('a thousand numbers are left out at most, however many there are', async () => {
  const { db, lines } = await noted();
  await transact(db, (trx) => announceAssignedId(trx, 'users', 1_000_000));
  expect(reachIn(lines()).users).toBe(1_001_000);
});

test.runIf(inject('engine') === 'postgres')(
  'of two who are given numbers at once the one who is slow takes nothing back that is noted',
  async () => {
    const { db, lines } = await noted();
    const slow = transact(db, async (trx) => {
      const pause = sql`select pg_sleep(0.5)`.execute(trx);
      // Behind the pause, as what it asks for goes by the same connection.
      await Promise.all([pause, announceAssignedId(trx, 'users', 50)]);
    });
    await transact(db, (trx) => announceAssignedId(trx, 'users', 500));
    await slow;
    expect(reachIn(lines()).users).toBe(600);
  },
);

test.runIf(inject('engine') === 'postgres')(
  'numbers go on behind what was noted while somebody writes for long',
  async () => {
    const { db } = await noted();
    await addUser(db, { username: 'ada' });
    const before = await readLastIds(db);
    await transact(db, async (trx) => {
      await trx.updateTable('users').set({ full_name: 'Ada' }).execute();
      await raiseLastIds(db, { ...before, users: before.users + 100 });
    });
    expect((await addUser(db, { username: 'bob' })).id).toBe(before.users + 101);
  },
);

test('numbers are given also where they cannot be noted: that is said once, and tried again a second later', async () => {
  const ledger = join(temporaryFolder(), 'no folder', 'erased.jsonl');
  const stopwatch = movableClock();
  const { db, warn, lines } = await noted(ledger, stopwatch);
  for (const username of ['ada', 'bob']) await addUser(db, { username });
  expect(warn).toHaveBeenCalledTimes(1);
  expect(warn.mock.calls[0]?.[0].message).toMatch(/notes who is erased, cannot be written: ENOENT/);
  mkdirSync(dirname(ledger));
  await addUser(db, { username: 'carol' });
  expect(existsSync(ledger)).toBe(false);
  stopwatch.move(1_000);
  await addUser(db, { username: 'dan' });
  expect(reachIn(lines()).users).toBe(104);
});

test('where it cannot be noted at the end which were given, that is said', async () => {
  const ledger = join(temporaryFolder(), 'folder', 'erased.jsonl');
  mkdirSync(dirname(ledger));
  const { db, warn } = await noted(ledger);
  await addUser(db, { username: 'ada' });
  rmSync(dirname(ledger), { recursive: true });
  await db.destroy();
  expect(warn).toHaveBeenCalledTimes(1);
});

test('a Roster that can note no numbers any more says so in its log, in the form of that', async () => {
  const url = await readyUrl();
  const settings = { DATABASE_URL: url, SECRET_KEY_FILE: join(temporaryFolder(), 'secret.key') };
  const { address, said } = await listening(run([], { PORT: '0', ...settings, LOG_FORMAT: 'json' }));
  const ledger = ledgerOf(url, settings.SECRET_KEY_FILE);
  rmSync(ledger, { force: true });
  mkdirSync(ledger);
  await create(address, url, 'bob');
  await expect.poll(said).toContain('"msg":"the last numbers could not be noted"');
});
