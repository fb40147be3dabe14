/** Those who may sign in, by when they last did: an index of two tables, kept by whatever changes users, and by signing in. */
import { sql } from 'kysely';
import type { Trx, User } from './schema.ts';

/** What the index has for whoever never has. */
export const NEVER = -1;

/** Call it once it is written what the user is from now on. */
export async function indexLastSignIn(trx: Trx, { id, role, is_active }: User): Promise<void> {
  if (role !== 'member' && is_active) await indexLastSignIns(trx, id, id);
  else await trx.deleteFrom('last_sign_ins').where('user_id', '=', id).execute();
}

export async function indexLastSignIns(
  trx: Trx,
  firstId: number,
  lastId = Number.MAX_SAFE_INTEGER,
): Promise<void> {
  const users = trx
    .selectFrom('users')
    .leftJoin('credentials', 'credentials.user_id', 'users.id')
    .select(['users.id', ({ fn, val }) => fn.coalesce('last_sign_in_at', val(NEVER)).as('at')])
    .where('users.role', '!=', 'member')
    .where('users.is_active', '=', true)
    .where('users.id', '>=', firstId)
    .where('users.id', '<=', lastId);
  await trx
    .insertInto('last_sign_ins')
    .columns(['user_id', 'at'])
    .expression(users)
    .onConflict((conflict) => conflict.column('user_id').doUpdateSet({ at: sql`excluded.at` }))
    .execute();
}
