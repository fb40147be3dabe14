/** Those who may sign in, by when they last did: an index of two tables, kept by whatever changes users, and by signing in. */
import { type Expression, type SqlBool, sql } from 'kysely';
import { engineOf } from './engine.ts';
import type { Trx, User } from './schema.ts';

/** What the index has for whoever never has. */
export const NEVER = -1;

type Indexed = Pick<User, 'id' | 'role' | 'is_active'>;

/** Of those who may sign in from now on, or may not any more. Call it once that is written. */
export async function indexLastSignInsOf(trx: Trx, users: readonly Indexed[]): Promise<void> {
  const [may, mayNot] = [true, false].map((isIn) =>
    users.filter(({ role, is_active }) => (role !== 'member' && is_active) === isIn).map(({ id }) => id),
  ) as [number[], number[]];
  const { isOneOf } = engineOf(trx);
  if (may.length > 0) await insertLastSignIns(trx, isOneOf('users.id', may));
  if (mayNot.length > 0) await trx.deleteFrom('last_sign_ins').where(isOneOf('user_id', mayNot)).execute();
}

export async function indexLastSignIns(
  trx: Trx,
  firstId: number,
  lastId = Number.MAX_SAFE_INTEGER,
): Promise<void> {
  await insertLastSignIns(trx, sql<SqlBool>`users.id between ${firstId} and ${lastId}`);
}

export async function makeLastSignIns(trx: Trx): Promise<void> {
  await trx.deleteFrom('last_sign_ins').execute();
  await indexLastSignIns(trx, 1);
}

async function insertLastSignIns(trx: Trx, isWanted: Expression<SqlBool>): Promise<void> {
  const users = trx
    .selectFrom('users')
    .leftJoin('credentials', 'credentials.user_id', 'users.id')
    .select(['users.id', ({ fn, val }) => fn.coalesce('last_sign_in_at', val(NEVER)).as('at')])
    .where('users.role', '!=', 'member')
    .where('users.is_active', '=', true)
    .where(isWanted);
  await trx
    .insertInto('last_sign_ins')
    .columns(['user_id', 'at'])
    .expression(users)
    .onConflict((conflict) => conflict.column('user_id').doUpdateSet({ at: sql`excluded.at` }))
    .execute();
}
