/** Reading history. */
import type { Selectable } from 'kysely';
import type { ChangeSetsTable, ChangesTable, Db } from '../db/schema.ts';

export type ChangeSet = Selectable<ChangeSetsTable>;
export type Change = Selectable<ChangesTable>;

export async function findChangeSetsAfter(db: Db, id: number, limit: number): Promise<ChangeSet[]> {
  return db.selectFrom('change_sets').selectAll().where('id', '>', id).orderBy('id').limit(limit).execute();
}

export async function findChangesAfter(
  db: Db,
  { user_id, set_id }: Pick<Change, 'user_id' | 'set_id'>,
  limit: number,
): Promise<Change[]> {
  return db
    .selectFrom('changes')
    .selectAll()
    .where(({ eb, refTuple, tuple }) => eb(refTuple('user_id', 'set_id'), '>', tuple(user_id, set_id)))
    .orderBy('user_id')
    .orderBy('set_id')
    .limit(limit)
    .execute();
}
