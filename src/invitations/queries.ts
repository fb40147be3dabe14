/** Links by which someone chooses a password, in the database. */

import { maySignIn } from '../auth/policy.ts';
import { hashOf } from '../auth/tokens.ts';
import type { Db, Trx, User } from '../db/schema.ts';
import { endOfLink, isInTime } from './expiry.ts';

export async function insertInvitation(trx: Trx, userId: number, token: string, now: number): Promise<void> {
  const invitation = { token_hash: hashOf(token), created_at: now };
  await trx
    .insertInto('invitations')
    .values({ user_id: userId, ...invitation })
    .onConflict((conflict) => conflict.column('user_id').doUpdateSet(invitation))
    .execute();
}

export type Link = { madeAt: number; endsAt: number };

/** The link of a user that still waits to be opened. */
export async function findLink(db: Db, userId: number, now: number): Promise<Link | undefined> {
  const invitation = db.selectFrom('invitations').select('created_at').where('user_id', '=', userId);
  const { created_at: madeAt } = (await invitation.executeTakeFirst()) ?? {};
  return madeAt !== undefined && isInTime(madeAt, now) ? { madeAt, endsAt: endOfLink(madeAt) } : undefined;
}

/** @returns false where there is none. */
export async function deleteInvitationOf(trx: Trx, userId: number): Promise<boolean> {
  const { numDeletedRows } = await trx
    .deleteFrom('invitations')
    .where('user_id', '=', userId)
    .executeTakeFirstOrThrow();
  return numDeletedRows > 0n;
}

/** Undefined when the link has been used, is too old, or its user may not sign in. */
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

export async function redeemInvitation(trx: Trx, token: string): Promise<boolean> {
  const { numDeletedRows } = await trx
    .deleteFrom('invitations')
    .where('token_hash', '=', hashOf(token))
    .executeTakeFirstOrThrow();
  return numDeletedRows > 0n;
}
