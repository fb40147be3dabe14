/** Tables and indexes of PostgreSQL that are damaged, by what the server lets whoever asks use. */
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { findFaults } from '../../../src/check/run.ts';
import { seedUsers } from '../../../src/cli/seed.ts';
import { engineOf } from '../../../src/db/engine.ts';
import { rebuildSearch } from '../../../src/db/rebuild-search.ts';
import type { Db } from '../../../src/db/schema.ts';
import { transact } from '../../../src/db/transact.ts';
import { addUser, temporaryDatabase } from '../../support.ts';

const findingsOf = async (db: Db) => (await Array.fromAsync(findFaults(db, {}))).map(({ what }) => what);

/** An index that lacks whoever has come since: its catalogue was told that it does not want them. */
async function hideFromIndex(db: Db, name = 'users_created_at') {
  await transact(db, async (trx) => {
    const isReady = (value: boolean) =>
      sql`update pg_index set indisready = ${value} where indexrelid = ${name}::regclass`.execute(trx);
    await isReady(false);
    await sql`update users set created_at = created_at + 1 where id = 7`.execute(trx);
    await isReady(true);
  });
}

test.each([
  [
    'amcheck, where it is there',
    true,
    /^users_created_at is damaged: heap tuple .* lacks matching index tuple/,
  ],
  ['reading all of it elsewhere', false, /^users_created_at is damaged: it has 299 of 300 rows\.$/],
])('by %s an index that lacks somebody is found', async (_by, hasAmcheck, expected) => {
  const db = await temporaryDatabase();
  await seedUsers(db, 300);
  const change = hasAmcheck
    ? sql`create extension if not exists amcheck`
    : sql`drop extension if exists amcheck`;
  await transact(db, (trx) => change.execute(trx));
  expect(await engineOf(db).meansOfFindingDamage(db, false)).toMatch(
    hasAmcheck ? /amcheck$/ : /^reading every table/,
  );
  expect(await findingsOf(db)).toEqual([]);
  await hideFromIndex(db);
  expect(await findingsOf(db)).toEqual([expect.stringMatching(expected)]);
});

test('somebody whom searches do not find is found by looking for everyone, and it is said that this was done', async () => {
  const db = await temporaryDatabase();
  await seedUsers(db, 90);
  await addUser(db, { username: 'odd', full_name: '100 %_ \\ it' });
  const { meansOfCheckingSearches } = engineOf(db);
  expect(await meansOfCheckingSearches(db)).toBe(
    'asking their index for everyone, and for every user by all that they are called',
  );
  expect(await findingsOf(db)).toEqual([]);
  await hideFromIndex(db, 'users_search_text');
  expect(await findingsOf(db)).toEqual([
    'Searches do not find user 7 by what they are called, or by something else.',
  ]);
  await transact(db, (trx) => rebuildSearch(trx));
  expect(await findingsOf(db)).toEqual([]);
});

test('of very many users some are looked for, and it is said of how many', async () => {
  const db = await temporaryDatabase();
  await seedUsers(db, 1_500);
  expect(await engineOf(db).meansOfCheckingSearches(db)).toBe(
    'asking their index for everyone, and for some 100 of 1,500 users, others each time, by all that they are called',
  );
  expect(await findingsOf(db)).toEqual([]);
  await hideFromIndex(db, 'users_search_text');
  expect(await findingsOf(db)).toEqual([
    'Searches do not find user 7 by what they are called, or by something else.',
  ]);
});

test('without the extension it is said that searches have indexes of another kind', async () => {
  const db = await temporaryDatabase();
  await transact(db, async (trx) => {
    await sql`drop index users_search_text`.execute(trx);
  });
  expect(await engineOf(db).meansOfCheckingSearches(db)).toBe(
    'their indexes alone, which find what a field starts with, as the extension pg_trgm is not there',
  );
});
