/** Users by very many keys, of whom few may be there: each is looked up by itself, and not once for every status by another index. */
import { sql } from 'kysely';
import { engineOf } from './engine.ts';
import type { Db, User } from './schema.ts';

/** @param column a unique one @param keys whoever has one that comes twice comes twice */
export async function usersByKeys(
  db: Db,
  column: 'id' | 'username_key' | 'email_key',
  keys: readonly number[] | readonly string[],
): Promise<User[]> {
  if (keys.length === 0) return [];
  const given = engineOf(db).tableOf(keys);
  const users = sql<User>`select users.* from ${given} cross join users where ${sql.ref(`users.${column}`)} = given.value`;
  return (await users.execute(db)).rows;
}
