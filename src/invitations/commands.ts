/** Giving someone access. */

import { type Actor, authorize } from '../auth/actor.ts';
import { setPassword } from '../auth/credentials.ts';
import { mayManage, maySignIn, mayWithdrawLinks } from '../auth/policy.ts';
import { deleteSessionsOf } from '../auth/sessions.ts';
import type { Trx, User } from '../db/schema.ts';
import { recordAccess } from '../history/record.ts';
import { changeUser, createUser } from '../users/commands.ts';
import { findFreeUsername, findHolders, getLockedUser, lockUser } from '../users/queries.ts';
import type { NewInvitation } from '../users/validation.ts';
import {
  deleteInvitationOf,
  findInvitation,
  insertInvitation,
  redeemInvitation,
  type TokenOf,
} from './queries.ts';

/** `taken`: the email or the username is somebody else's. */
export type Invited = { kind: 'invited'; user: User; set: number } | { kind: 'taken' };

/** Someone new and their access link, or neither. @throws ForbiddenError, NotUniqueError for what was taken meanwhile */
export async function inviteUser(
  trx: Trx,
  actor: Actor,
  invitation: NewInvitation,
  tokenOf: TokenOf,
  now: number,
): Promise<Invited> {
  authorize(actor, mayManage);
  const { email: holder, username: namesake } = await findHolders(trx, invitation, undefined);
  if (holder || namesake) return { kind: 'taken' };
  const username = invitation.username || (await findFreeUsername(trx, invitation.email));
  const { user, set } = await createUser(trx, actor, { ...invitation, username, is_active: true }, now);
  await insertInvitation(trx, user.id, tokenOf(user.id, now), now);
  await recordAccess(trx, actor, 'invited', user, now);
  return { kind: 'invited', user, set };
}

/** `no member`: or none who is active. */
export type MemberInvited = { kind: 'invited'; user: User; set: number } | { kind: 'no member'; user: User };

/** A member's role and their access link, or neither. @throws NotFoundError, ForbiddenError */
export async function inviteMember(
  trx: Trx,
  actor: Actor,
  id: number,
  role: NewInvitation['role'],
  tokenOf: TokenOf,
  now: number,
): Promise<MemberInvited> {
  authorize(actor, mayManage);
  const member = await getLockedUser(trx, id);
  const canBe = member.is_active && member.role === 'member';
  const changed = canBe ? await changeUser(trx, actor, id, { role }, now) : undefined;
  if (changed?.kind !== 'changed') return { kind: 'no member', user: member };
  const { user, set } = changed;
  await insertInvitation(trx, id, tokenOf(id, now), now);
  await recordAccess(trx, actor, 'invited', user, now);
  return { kind: 'invited', user, set };
}

/** `own`: what belongs to the actor alone is changed by them, with their password. */
export type Linked = { kind: 'made' | 'own' | 'cannot sign in'; user: User };

/** @throws NotFoundError, ForbiddenError */
export async function makeLink(
  trx: Trx,
  actor: Actor,
  id: number,
  tokenOf: TokenOf,
  now: number,
): Promise<Linked> {
  authorize(actor, mayManage);
  const user = await getLockedUser(trx, id);
  if (id === actor.user?.id) return { kind: 'own', user };
  if (!maySignIn(user)) return { kind: 'cannot sign in', user };
  await insertInvitation(trx, id, tokenOf(id, now), now);
  await recordAccess(trx, actor, 'access link made', user, now);
  return { kind: 'made', user };
}

/** `none`: it has been used or withdrawn meanwhile. @throws NotFoundError, ForbiddenError */
export async function withdrawLink(
  trx: Trx,
  actor: Actor,
  id: number,
  now: number,
): Promise<{ kind: 'withdrawn' | 'none'; user: User }> {
  authorize(actor, mayWithdrawLinks);
  const user = await getLockedUser(trx, id);
  if (!(await deleteInvitationOf(trx, id))) return { kind: 'none', user };
  await recordAccess(trx, actor, 'access link withdrawn', user, now);
  return { kind: 'withdrawn', user };
}

/** @returns undefined where the link has been used meanwhile, or its user may not sign in any more. */
export async function acceptInvitation(
  trx: Trx,
  actor: Actor,
  token: string,
  hash: string,
  now: number,
): Promise<User | undefined> {
  const invitation = await findInvitation(trx, token, now);
  if (invitation.kind !== 'good') return undefined;
  const { user } = invitation;
  // Before the link, as whoever withdraws or renews it does; of who is deleted meanwhile it is gone.
  await lockUser(trx, user.id);
  if (!(await redeemInvitation(trx, token))) return undefined;
  await setPassword(trx, user.id, hash, now);
  await deleteSessionsOf(trx, user.id);
  await recordAccess(trx, actor, 'password set by link', user, now);
  return user;
}
