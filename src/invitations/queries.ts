/** Links by which someone chooses a password, in the database. */

import { maySignIn } from '../auth/policy.ts';
import { hashOf } from '../auth/tokens.ts';
import type { Db, Trx, User } from '../db/schema.ts';
import { endOfLink, isInTime } from './expiry.ts';

/** Instead of when it was made: no link is as old. A Roster from before there were used ones takes it for too old. */
const USED = 0;

export async function insertInvitation(trx: Trx, userId: number, token: string, now: number): Promise<void> {
  const invitation = { token_hash: hashOf(token), created_at: now };
  await trx
    .insertInto('invitations')
    .values({ user_id: userId, ...invitation })
    .onConflict((conflict) => conflict.column('user_id').doUpdateSet(invitation))
    .execute();
}

export type Link = { madeAt: number; endsAt: number };

export type TokenOf = (userId: number, madeAt: number) => string;

/** The link of a user that still waits to be opened; with `tokenOf`, only if it has that token. */
export async function findLink(
  db: Db,
  userId: number,
  now: number,
  tokenOf?: TokenOf,
): Promise<Link | undefined> {
  const invitation = db.selectFrom('invitations').selectAll().where('user_id', '=', userId);
  const { created_at: madeAt = USED, token_hash } = (await invitation.executeTakeFirst()) ?? {};
  if (madeAt === USED || !isInTime(madeAt, now)) return undefined;
  if (tokenOf && hashOf(tokenOf(userId, madeAt)) !== token_hash) return undefined;
  return { madeAt, endsAt: endOfLink(madeAt) };
}

export async function deleteInvitationOf(trx: Trx, userId: number): Promise<boolean> {
  const { numDeletedRows } = await trx
    .deleteFrom('invitations')
    .where('user_id', '=', userId)
    .where('created_at', '!=', USED)
    .executeTakeFirstOrThrow();
  return numDeletedRows > 0n;
}

export async function isAnyoneElseInvited(db: Db, userId: number): Promise<boolean> {
  const links = db.selectFrom('invitations').select('user_id').where('user_id', '!=', userId);
  const passwords = db.selectFrom('credentials').select('user_id').where('user_id', '!=', userId);
  return (await links.unionAll(passwords).limit(1).executeTakeFirst()) !== undefined;
}

/** `gone`: replaced, withdrawn, or ended with what its user may; or there never was one. */
export type Invitation = { kind: 'good' | 'used' | 'old'; user: User } | { kind: 'gone' };

export async function findInvitation(db: Db, token: string, now: number): Promise<Invitation> {
  const found = await db
    .selectFrom('invitations')
    .innerJoin('users', 'users.id', 'invitations.user_id')
    .selectAll('users')
    .select('invitations.created_at as invited_at')
    .where('token_hash', '=', hashOf(token))
    .executeTakeFirst();
  if (found === undefined || !maySignIn(found)) return { kind: 'gone' };
  const { invited_at, ...user } = found;
  if (invited_at === USED) return { kind: 'used', user };
  return { kind: isInTime(invited_at, now) ? 'good' : 'old', user };
}

export async function redeemInvitation(trx: Trx, token: string): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('invitations')
    .set({ created_at: USED })
    .where('token_hash', '=', hashOf(token))
    .where('created_at', '!=', USED)
    .executeTakeFirstOrThrow();
  return numUpdatedRows > 0n;
}
