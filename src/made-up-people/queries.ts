/** Which users are made up. Ids are never given out again, so that nobody else is taken for one of them. */
import { executeCached } from '../db/cached-query.ts';
import type { Db, Trx, User } from '../db/schema.ts';

/** The detail of change sets that add them, or take them out; and of what undoes those. */
export const MADE_UP = 'made-up people';

export async function markMadeUp(trx: Trx, ids: readonly number[]): Promise<void> {
  if (ids.length === 0) return;
  await trx
    .insertInto('made_up_people')
    .values(ids.map((user_id) => ({ user_id })))
    .execute();
}

/** Those whom an undo has brought back, as long as nobody had changed them before they were taken out. */
export async function markBroughtBack(trx: Trx, set: number): Promise<void> {
  const broughtBack = await trx
    .selectFrom('changes')
    .leftJoin('changes as before', (join) =>
      join
        .onRef('before.user_id', '=', 'changes.user_id')
        .on(({ eb, ref }) => eb('before.version', '=', eb(ref('changes.version'), '-', 2))),
    )
    .select('changes.user_id')
    .where('changes.set_id', '=', set)
    .where('changes.fields', 'is', null)
    .where('before.fields', 'is', null)
    .execute();
  await markMadeUp(
    trx,
    broughtBack.map(({ user_id }) => user_id),
  );
}

export async function findMadeUp(db: Db): Promise<number[]> {
  const rows = await db.selectFrom('made_up_people').select('user_id').orderBy('user_id').execute();
  return rows.map(({ user_id }) => user_id);
}

export async function countUnchanged(db: Db): Promise<number> {
  const [row] = await executeCached(db, 'unchanged made-up people', {}, () =>
    unchanged(db).select(({ fn }) => fn.countAll<number>().as('count')),
  );
  return row?.count ?? 0;
}

export async function lockUnchanged(trx: Trx): Promise<Pick<User, 'id' | 'version'>[]> {
  const users = unchanged(trx).select(['users.id', 'users.version']);
  return users.orderBy('users.id').forUpdate('users').execute();
}

function unchanged(db: Db) {
  // SQLite keeps the order of a cross join: of an inner one it may go through all users.
  const madeUp = db.selectFrom('made_up_people').crossJoin('users');
  return madeUp.whereRef('users.id', '=', 'made_up_people.user_id').where(({ eb, or, exists, selectFrom }) =>
    or([
      eb('users.version', '=', 1),
      // Brought back, and nothing since.
      exists(
        selectFrom('changes')
          .select('changes.version')
          .whereRef('changes.user_id', '=', 'users.id')
          .whereRef('changes.version', '=', 'users.version')
          .where('changes.fields', 'is', null),
      ),
    ]),
  );
}
