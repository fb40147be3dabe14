/** Links by which someone chooses a password, in the database. */

import { maySignIn } from '../auth/policy.ts';
import { hashOf } from '../auth/tokens.ts';
import type { Db, Trx, User } from '../db/schema.ts';
import { isInTime } from './expiry.ts';

/** Makes a user's link, in the place of an earlier one. */
export async function insertInvitation(trx: Trx, userId: number, token: string, now: number): Promise<void> {
  const invitation = { token_hash: hashOf(token), created_at: now };
  await trx
    .insertInto('invitations')
    .values({ user_id: userId, ...invitation })
    .onConflict((conflict) => conflict.column('user_id').doUpdateSet(invitation))
    .execute();
}

/** Whom a link is for; undefined when it has been used, is too old, or that user may not sign in. */
export async function findInvited(db: Db, token: string, now: number): Promise<User | undefined> {
  const invited = await db
    .selectFrom('invitations')
    .innerJoin('users', 'users.id', 'invitations.user_id')
    .selectAll('users')
    .select('invitations.created_at as invited_at')
    .where('token_hash', '=', hashOf(token))
    .executeTakeFirst();
  return invited && isInTime(invited.invited_at, now) && maySignIn(invited) ? invited : undefined;
}

/** Uses a link up; false where it has been used meanwhile. */
export async function redeemInvitation(trx: Trx, token: string): Promise<boolean> {
  const { numDeletedRows } = await trx
    .deleteFrom('invitations')
    .where('token_hash', '=', hashOf(token))
    .executeTakeFirstOrThrow();
  return numDeletedRows > 0n;
}
