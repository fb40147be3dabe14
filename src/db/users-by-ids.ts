/** A few users, of whom more is asked: the limit makes a database look them up first, not what is asked. */
import type { SelectQueryBuilder } from 'kysely';
import { engineOf } from './engine.ts';
import type { Db, Schema } from './schema.ts';

export function usersByIds(db: Db, ids: readonly number[]): SelectQueryBuilder<Schema, 'users', object> {
  const few = db
    .selectFrom('users')
    .selectAll()
    .where(engineOf(db).isOneOf('users.id', ids))
    .limit(ids.length)
    .as('users');
  return db.selectFrom(few) as unknown as SelectQueryBuilder<Schema, 'users', object>;
}
