/** Loading many rows at once. */
import { sql } from 'kysely';
import { engineOf } from './engine.ts';
import type { Db, Trx } from './schema.ts';
import { transact } from './transact.ts';

/**
 * Runs `load` with the indexes of an empty table of users dropped and made again after it, in one transaction: sorting
 * all keys once takes half the time of finding each one's place. A table with rows keeps its indexes, which `load` may
 * need to leave out what is there already.
 */
export async function bulkLoadUsers<T>(db: Db, load: (trx: Trx) => Promise<T>): Promise<T> {
  const engine = engineOf(db);
  if (await hasUsers(db)) return transact(db, (trx) => loadAndIndex(trx, load));
  const loaded = await transact(db, async (trx) => {
    await engine.prepareBulkLoad(trx);
    if (await hasUsers(trx)) return loadAndIndex(trx, load);
    const indexes = await engine.indexesOfUsers(trx);
    for (const index of indexes) await sql`drop index ${sql.id(index.name)}`.execute(trx);
    const result = await loadAndIndex(trx, load);
    for (const index of indexes) await sql.raw(index.sql).execute(trx);
    return result;
  });
  // Everything is saved by now: this only helps later queries.
  await engine.finishBulkLoad(db).catch(() => {});
  return loaded;
}

/** What searches go through is made for all that was loaded at once. */
async function loadAndIndex<T>(trx: Trx, load: (trx: Trx) => Promise<T>): Promise<T> {
  const { last } = await trx
    .selectFrom('users')
    .select(({ fn }) => fn.max('id').as('last'))
    .executeTakeFirstOrThrow();
  const result = await load(trx);
  await engineOf(trx).indexUsersAfter(trx, last ?? 0);
  return result;
}

async function hasUsers(db: Db): Promise<boolean> {
  return (await db.selectFrom('users').select('id').limit(1).executeTakeFirst()) !== undefined;
}
