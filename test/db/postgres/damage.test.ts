/** Tables and indexes of PostgreSQL that are damaged, by what the server lets whoever asks use. */
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { findFaults } from '../../../src/check/run.ts';
import { seedUsers } from '../../../src/cli/seed.ts';
import { engineOf } from '../../../src/db/engine.ts';
import type { Db } from '../../../src/db/schema.ts';
import { transact } from '../../../src/db/transact.ts';
import { temporaryDatabase } from '../../support.ts';

const findingsOf = async (db: Db) => (await Array.fromAsync(findFaults(db, {}))).map(({ what }) => what);

/** An index that lacks whoever has come since: its catalogue was told that it does not want them. */
async function hideFromIndex(db: Db) {
  await transact(db, async (trx) => {
    const isReady = (value: boolean) =>
      sql`update pg_index set indisready = ${value} where indexrelid = 'users_created_at'::regclass`.execute(
        trx,
      );
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
