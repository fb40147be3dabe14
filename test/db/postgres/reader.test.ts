/** Where the queries of one page are asked while the primary is away. */
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { RosterPostgresAdapter } from '../../../src/db/postgres/dialect.ts';
import type { ConnectionPool } from '../../../src/db/postgres/pool.ts';
import type { Primary } from '../../../src/db/postgres/primary.ts';
import { openReader } from '../../../src/db/postgres/reader.ts';
import type { Db } from '../../../src/db/schema.ts';

const answering = (name: string) => ({ executeQuery: async () => ({ rows: [{ name }] }) }) as unknown as Db;

test('of two queries of a page that are asked at once none is answered by another stand-in than the first', async () => {
  const standIns = ['one', 'other'].map((name) => ({
    db: answering(name),
    ...Promise.withResolvers<void>(),
  }));
  const inTurn = standIns.values();
  const pool = {} as ConnectionPool;
  const db = openReader(new RosterPostgresAdapter(pool), undefined, { pool } as Primary, async (read) => {
    const standIn = inTurn.next().value;
    if (standIn === undefined) throw new Error('nobody stands in any more');
    await standIn.promise;
    return read(standIn.db);
  });
  const ask = async () => (await sql<{ name: string }>`select`.execute(db)).rows[0]?.name;
  const [first, second] = [ask(), ask()];
  standIns[0]?.resolve();
  expect(await first).toBe('one');
  standIns[1]?.resolve();
  expect(await second).toBe('one');
});
