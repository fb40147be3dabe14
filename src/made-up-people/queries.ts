/** Which users are made up. Ids are never given out again, so that nobody else is taken for one of them. */
import { executeCached } from '../db/cached-query.ts';
import type { Db, Trx } from '../db/schema.ts';

export async function markMadeUp(trx: Trx, ids: readonly number[]): Promise<void> {
  if (ids.length === 0) return;
  await trx
    .insertInto('made_up_people')
    .values(ids.map((user_id) => ({ user_id })))
    .execute();
}

/** Changed since or not. */
export async function findMadeUp(db: Db): Promise<number[]> {
  const rows = await db.selectFrom('made_up_people').select('user_id').orderBy('user_id').execute();
  return rows.map(({ user_id }) => user_id);
}

/** How many of them nobody has changed. */
export async function countUnchanged(db: Db): Promise<number> {
  const [row] = await executeCached(db, 'unchanged made-up people', {}, () =>
    unchanged(db).select(({ fn }) => fn.countAll<number>().as('count')),
  );
  return row?.count ?? 0;
}

/** Until the end of the transaction nobody changes them. */
export async function lockUnchanged(trx: Trx): Promise<number[]> {
  const rows = await unchanged(trx).select('users.id').orderBy('users.id').forUpdate('users').execute();
  return rows.map(({ id }) => id);
}

function unchanged(db: Db) {
  return db
    .selectFrom('made_up_people')
    .innerJoin('users', 'users.id', 'made_up_people.user_id')
    .where('users.version', '=', 1);
}
