/** Who is deleted, as they were last. */
import type { Selectable } from 'kysely';
import { engineOf } from '../db/engine.ts';
import type { Db, DeletedUsersTable, Trx } from '../db/schema.ts';

export type DeletedUser = Selectable<DeletedUsersTable>;

export async function findDeleted(db: Db, id: number): Promise<DeletedUser | undefined> {
  return db.selectFrom('deleted_users').selectAll().where('id', '=', id).executeTakeFirst();
}

export async function findDeletedByIds(db: Db, ids: readonly number[]): Promise<DeletedUser[]> {
  if (ids.length === 0) return [];
  return db.selectFrom('deleted_users').selectAll().where(engineOf(db).isOneOf('id', ids)).execute();
}

export async function findDeletedAfter(db: Db, id: number, limit: number): Promise<DeletedUser[]> {
  return db.selectFrom('deleted_users').selectAll().where('id', '>', id).orderBy('id').limit(limit).execute();
}

export async function lockDeleted(
  trx: Trx,
  ids: readonly number[],
): Promise<(DeletedUser & { at: number })[]> {
  return trx
    .selectFrom('deleted_users')
    .innerJoin('changes', (on) =>
      on
        .onRef('changes.user_id', '=', 'deleted_users.id')
        .onRef('changes.version', '=', 'deleted_users.version'),
    )
    .innerJoin('change_sets', 'change_sets.id', 'changes.set_id')
    .selectAll('deleted_users')
    .select(({ fn }) => fn.coalesce('changes.at', 'change_sets.at').as('at'))
    .where(engineOf(trx).isOneOf('deleted_users.id', ids))
    .orderBy('deleted_users.id')
    .forUpdate('deleted_users')
    .execute();
}
