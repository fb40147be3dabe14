/** A database that is put back from a copy: whoever was erased since is erased from it again, and nobody else. */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { type Actor, commandLine } from '../../src/auth/actor.ts';
import { setPassword } from '../../src/auth/credentials.ts';
import { copyEverything } from '../../src/backup/database-copy.ts';
import { openDatabase } from '../../src/db/database.ts';
import { engineOf, NUMBERED_TABLES } from '../../src/db/engine.ts';
import type { Db } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { eraseUser } from '../../src/erasure/commands.ts';
import { noteLastIds, raiseLastIdsToLedger } from '../../src/erasure/last-ids.ts';
import { readLedger } from '../../src/erasure/ledger.ts';
import { eraseAgain, writeLedger } from '../../src/erasure/ledger-replay.ts';
import {
  findErasuresAfter,
  findPending,
  insertErasures,
  noteGone,
  readIdentity,
} from '../../src/erasure/queries.ts';
import { findDeleted } from '../../src/history/deleted-queries.ts';
import { findChangeSet } from '../../src/history/queries.ts';
import { deleteUser } from '../../src/users/commands.ts';
import { findUser } from '../../src/users/queries.ts';
import { erase } from '../backup/backed-up.ts';
import { restoreVersion } from '../db/versions/restore.ts';
import { oldHash } from '../people.ts';
import { addUser, SECRET_KEY, temporaryDatabase, temporaryFolder } from '../support.ts';

const NOW = Date.UTC(2100, 0, 31);

/** Two databases that know each other, as one and its copy of before. */
async function withCopy(fill: (db: Db) => Promise<unknown>) {
  const [now, before] = [await temporaryDatabase(), await temporaryDatabase()];
  const identity = await readIdentity(now);
  for (const db of [now, before]) {
    await identify(db, identity);
    await fill(db);
  }
  return { now, before, ledger: join(temporaryFolder(), 'erased.jsonl') };
}

async function identify(db: Db, value: string) {
  await transact(db, (trx) =>
    trx.updateTable('secrets').set({ value }).where('name', '=', 'identity').execute(),
  );
}

const noteAll = async (db: Db, ledger: string) => writeLedger(db, ledger, await findPending(db));

test('who was there when it was copied is erased again, and also who was deleted by then', async () => {
  const { now, before, ledger } = await withCopy(async (db) => {
    for (const username of ['ada', 'bob', 'eve']) await addUser(db, { username }, NOW - 5);
    await transact(db, (trx) => deleteUser(trx, commandLine, 2, NOW - 1));
  });
  await erase(now, 1, NOW);
  await transact(now, (trx) => eraseUser(trx, commandLine, 2, NOW));
  await addUser(now, { username: 'later' });
  await noteAll(now, ledger);
  expect(await eraseAgain(before, ledger)).toBe(2);
  expect(await findUser(before, 1)).toBeUndefined();
  expect(await findDeleted(before, 2)).toBeUndefined();
  expect((await findErasuresAfter(before, 0, 9)).map(({ user_id }) => user_id)).toEqual([1, 2]);
  expect((await findUser(before, 3))?.username).toBe('eve');
  // It does so once.
  expect(await eraseAgain(before, ledger)).toBe(0);
  expect(readLedger(ledger).length).toBe(1);
});

test('who came after it was copied is known to be erased, and no number is given again', async () => {
  const { now, before, ledger } = await withCopy((db) => addUser(db, { username: 'ada' }, NOW - 5));
  await addUser(now, { username: 'bob' }, NOW);
  const { id } = await addUser(now, { username: 'last' }, NOW);
  await erase(now, 2, NOW);
  await noteAll(now, ledger);
  expect(await eraseAgain(before, ledger)).toBe(1);
  expect((await addUser(before, { username: 'next' })).id).toBe(id + 1);
  expect((await findErasuresAfter(before, 0, 9)).map(({ user_id }) => user_id)).toEqual([2]);
});

test('no number that was given after the last erasure is given again either, in one line a start at most', async () => {
  const { now, before, ledger } = await withCopy((db) => addUser(db, { username: 'ada' }, NOW - 5));
  await noteLastIds(now, ledger);
  const last = await addUser(now, { username: 'bob' }, NOW);
  // At the end of one run, and the start of the next.
  await noteLastIds(now, ledger);
  await noteLastIds(now, ledger);
  expect(readLedger(ledger).map(({ lastId, users }) => [lastId, users])).toEqual([
    [last.id - 1, []],
    [last.id, []],
  ]);
  expect(await eraseAgain(before, ledger)).toBe(0);
  expect((await addUser(before, { username: 'next' })).id).toBe(last.id + 1);
});

test('nor is one of a change set, a job, an import, a backup or a check', async () => {
  const { now, before, ledger } = await withCopy((db) => addUser(db, { username: 'ada' }, NOW - 5));
  await transact(now, async (trx) => {
    for (const [index, table] of NUMBERED_TABLES.entries())
      await engineOf(trx).writeLastId(trx, 100 + index, table);
  });
  await erase(now, 1, NOW);
  await noteLastIds(now, ledger);
  await noteAll(now, ledger);
  // What erasing again is noted as comes after them, too.
  expect(await eraseAgain(before, ledger)).toBe(1);
  const lastIds = NUMBERED_TABLES.map((table) => engineOf(before).readLastId(before, table));
  const [sets = 0, ...others] = (await Promise.all(lastIds)).slice(1);
  expect(others).toEqual([102, 103, 104]);
  const last = await engineOf(now).readLastId(now, 'change_sets');
  expect((await findErasuresAfter(before, 0, 9))[0]?.set_id).toBeGreaterThan(last);
  expect(sets).toBeGreaterThan(last);
});

test('a line of a Roster that noted users alone is read as it is', async () => {
  const { now, ledger } = await withCopy((db) => addUser(db, { username: 'ada' }, NOW - 5));
  const database = await readIdentity(now);
  writeFileSync(ledger, `${JSON.stringify({ database, lastId: 90, users: [] })}\n`);
  expect(await eraseAgain(now, ledger)).toBe(0);
  expect((await addUser(now, { username: 'next' })).id).toBe(91);
});

test('a database is no stranger to the numbers of another one from which nobody was erased', async () => {
  const { now, ledger } = await withCopy((db) => addUser(db, { username: 'ada' }, NOW - 5));
  await noteLastIds(now, ledger);
  const other = await temporaryDatabase();
  await identify(other, 'other');
  await addUser(other, { username: 'eve' }, NOW - 5);
  expect(await eraseAgain(other, ledger)).toBe(0);
  expect((await addUser(other, { username: 'next' })).id).toBe(2);
});

test('somebody else who was given the number since it was put back stays', async () => {
  const { now, before, ledger } = await withCopy((db) => addUser(db, { username: 'ada' }, NOW - 5));
  await addUser(now, { username: 'bob' }, NOW);
  await erase(now, 2, NOW);
  await noteAll(now, ledger);
  await addUser(before, { username: 'carol' }, NOW + 1);
  expect(await eraseAgain(before, ledger)).toBe(0);
  expect((await findUser(before, 2))?.username).toBe('carol');
});

test('what another database was erased from is no reason to erase', async () => {
  const { now, ledger } = await withCopy((db) => addUser(db, { username: 'ada' }, NOW - 5));
  const other = await temporaryDatabase();
  await identify(other, 'other');
  await erase(now, 1, NOW);
  await noteAll(now, ledger);
  // Where nobody is yet, it is a new one.
  expect(await eraseAgain(other, ledger)).toBe(0);
  await addUser(other, { username: 'ada' }, NOW - 5);
  expect(await eraseAgain(other, ledger)).toBe(0);
  const third = await temporaryDatabase();
  await identify(third, 'third');
  await addUser(third, { username: 'ada' }, NOW - 5);
  await expect(eraseAgain(third, ledger)).rejects.toThrow(/says who was erased from another database/);
  expect(await findUser(third, 1)).toBeDefined();
});

/** As it was brought up to date from before databases had an identity: that makes one up each time. */
async function fromOld(): Promise<Db> {
  const db = await openDatabase(await restoreVersion(2), { connections: 2 });
  onTestFinished(() => db.destroy());
  return db;
}

test('a copy of before databases had an identity is known by its people, and erased from again', async () => {
  vi.spyOn(console, 'log').mockImplementation(() => {});
  const now = await fromOld();
  const ledger = join(temporaryFolder(), 'erased.jsonl');
  await erase(now, 3, NOW);
  await noteAll(now, ledger);
  const before = await fromOld();
  expect(await readIdentity(before)).not.toBe(await readIdentity(now));
  expect(await findUser(before, 3)).toBeDefined();
  expect(await eraseAgain(before, ledger)).toBe(1);
  expect(await findUser(before, 3)).toBeUndefined();
  // Whoever is erased from one of the two from now on is erased from the other.
  expect(await readIdentity(before)).toBe(await readIdentity(now));
  // Somebody else with that number is nobody who was erased.
  const other = await fromOld();
  await transact(other, (trx) =>
    trx.updateTable('users').set({ created_at: 5 }).where('id', '=', 3).execute(),
  );
  await expect(eraseAgain(other, ledger)).rejects.toThrow(/says who was erased from another database/);
  expect(await findUser(other, 3)).toBeDefined();
});

test('the last administrator is not erased again before there is another one', async () => {
  const addAdministrator = async (db: Db, username: string) => {
    const { id } = await addUser(db, { username, role: 'admin' }, NOW - 5);
    await transact(db, (trx) => setPassword(trx, id, oldHash('a password'), NOW));
  };
  const { now, before, ledger } = await withCopy((db) => addAdministrator(db, 'ann'));
  await addAdministrator(now, 'bob');
  await erase(now, 1, NOW);
  await noteAll(now, ledger);
  await expect(eraseAgain(before, ledger)).rejects.toThrow(
    /as its last administrator: make another one first/,
  );
  expect(await findUser(before, 1)).toBeDefined();
  await addAdministrator(before, 'carol');
  expect(await eraseAgain(before, ledger)).toBe(1);
});

test('a ledger of which half a line was written goes on', async () => {
  const { now, ledger } = await withCopy((db) => addUser(db, { username: 'ada' }, NOW - 5));
  await erase(now, 1, NOW);
  await noteAll(now, ledger);
  const whole = readFileSync(ledger, 'utf8');
  const cutOff = whole.slice(0, -2);
  writeFileSync(ledger, cutOff);
  await noteAll(now, ledger);
  // Nothing is taken away: somebody else may have written behind it.
  expect(readFileSync(ledger, 'utf8')).toBe(`${cutOff} # cut off\n${whole}`);
  appendFileSync(ledger, whole.slice(0, 20));
  expect(await eraseAgain(now, ledger)).toBe(0);
  expect(readLedger(ledger)).toMatchObject([{ users: [{ user_id: 1 }] }]);
});

test('a ledger with the line ends of another system is read as it is', async () => {
  const { now, before, ledger } = await withCopy((db) => addUser(db, { username: 'ada' }, NOW - 5));
  await erase(now, 1, NOW);
  await noteAll(now, ledger);
  writeFileSync(ledger, readFileSync(ledger, 'utf8').replaceAll('\n', '  \r\n\r\n'));
  expect(await eraseAgain(before, ledger)).toBe(1);
});

test.each(['{"database"}', 'erased', '{"database":"x","lastId":1,"users":[{"user_id":"1"}]}', '[]'])(
  'a ledger with a line that is no entry stops Roster: %s',
  async (line) => {
    const { now, ledger } = await withCopy((db) => addUser(db, { username: 'ada' }, NOW - 5));
    await erase(now, 1, NOW);
    await noteAll(now, ledger);
    appendFileSync(ledger, `${line}\n`);
    await expect(eraseAgain(now, ledger)).rejects.toThrow(/says who was erased, cannot be read/);
  },
);

test('a ledger that cannot be written stops Roster', async () => {
  const { now } = await withCopy(async () => {});
  const ledger = join(temporaryFolder(), 'no folder', 'erased.jsonl');
  await expect(eraseAgain(now, ledger)).rejects.toThrow(/notes who is erased, cannot be written: ENOENT/);
});

test('by whom and when somebody was erased is as it was, also from a copy of before', async () => {
  const { now, before, ledger } = await withCopy(async (db) => {
    for (const username of ['ann', 'ada', 'bob']) await addUser(db, { username }, NOW - 5);
  });
  const ann: Actor = { ...commandLine, via: 'form', user: { id: 1, username: 'ann' } };
  for (const id of [2, 3]) await transact(now, (trx) => deleteUser(trx, ann, id, NOW));
  for (const id of [2, 3]) await transact(now, (trx) => eraseUser(trx, ann, id, NOW + id));
  await noteAll(now, ledger);
  expect(await eraseAgain(before, ledger)).toBe(2);
  for (const { user_id, set_id } of await findErasuresAfter(before, 0, 9))
    expect(await findChangeSet(before, set_id)).toMatchObject({ at: NOW + user_id, actor_id: 1 });
});

test('of two Rosters that start with a database of before each erases whom the other has not', async () => {
  const { now, before, ledger } = await withCopy(async (db) => {
    for (const username of ['ada', 'bob']) await addUser(db, { username }, NOW - 5);
  });
  for (const id of [1, 2]) await erase(now, id);
  await noteAll(now, ledger);
  const erased = await Promise.all([eraseAgain(before, ledger), eraseAgain(before, ledger)]);
  expect(erased.sort()).toEqual([0, 2]);
});

test('somebody who was given a number again and is erased, too, does not come back either', async () => {
  const addAda = (db: Db) => addUser(db, { username: 'ada' }, NOW - 5);
  const { now, before, ledger } = await withCopy(addAda);
  await addUser(now, { username: 'bob' }, NOW);
  await erase(now, 2, NOW);
  await noteAll(now, ledger);
  // Before there was a Roster that knew of the ledger.
  await addUser(before, { username: 'carol' }, NOW + 1);
  await erase(before, 2, NOW);
  await noteAll(before, ledger);
  const third = await temporaryDatabase();
  await identify(third, await readIdentity(now));
  await addAda(third);
  await addUser(third, { username: 'carol' }, NOW + 1);
  expect(await eraseAgain(third, ledger)).toBe(1);
  expect(await findUser(third, 2)).toBeUndefined();
});

test('no number is given again by a command that opens a database of before, and none where all are known', async () => {
  const { now, before, ledger } = await withCopy((db) => addUser(db, { username: 'ada' }, NOW - 5));
  const last = await addUser(now, { username: 'bob' }, NOW);
  await erase(now, last.id);
  await noteAll(now, ledger);
  await raiseLastIdsToLedger(before, ledger);
  expect((await addUser(before, { username: 'next' })).id).toBe(last.id + 1);
});

test('thousands who were erased are noted, copied and counted as gone', async () => {
  const { now, before } = await withCopy(async () => {});
  const many = Array.from({ length: 9_000 }, (_, index) => ({
    user_id: index + 1,
    created_at: NOW,
    set_id: 1,
    gone_at: null,
  }));
  await transact(now, (trx) => insertErasures(trx, many));
  await transact(now, (trx) => noteGone(trx, many, NOW));
  expect(await findPending(now)).toEqual([]);
  await copyEverything(now, before, { from: SECRET_KEY, to: SECRET_KEY });
  expect((await findErasuresAfter(before, 0, 10_000)).length).toBe(9_000);
});

test('what a database knows and its ledger does not is written into it at the start', async () => {
  const { now, ledger } = await withCopy((db) => addUser(db, { username: 'not-hexadecimal' }, NOW - 5));
  await erase(now, 1, NOW);
  expect(existsSync(ledger)).toBe(false);
  expect(await eraseAgain(now, ledger)).toBe(0);
  expect(readLedger(ledger)).toMatchObject([{ lastId: 1, users: [{ user_id: 1, erased_at: NOW }] }]);
  expect(readFileSync(ledger, 'utf8')).not.toContain('hexadecimal');
});

test('a copy to another database carries who was erased', async () => {
  const from = await temporaryDatabase();
  const { id } = await addUser(from, { username: 'ada' });
  await erase(from, id);
  const to = await temporaryDatabase();
  await copyEverything(from, to, { from: SECRET_KEY, to: SECRET_KEY });
  expect(await findErasuresAfter(to, 0, 9)).toEqual(await findErasuresAfter(from, 0, 9));
});
