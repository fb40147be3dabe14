/** Setting, replacing and removing second factors: one's own, whose credentials are held, and someone's by an administrator. */

import { type Actor, authorize } from '../auth/actor.ts';
import { type Credentials, setCode, setRecoveryCodes } from '../auth/credentials.ts';
import { mayManage } from '../auth/policy.ts';
import { deleteSessionsOf } from '../auth/sessions.ts';
import type { Trx, User } from '../db/schema.ts';
import { recordAccess } from '../history/record.ts';
import { getLockedUser } from '../users/queries.ts';

/** What a new second factor takes the place of: the one that is set or, where none is, the last step of those before. */
export function toBeReplaced({ code_secret, code_step }: Credentials): string | number {
  return code_secret ?? code_step;
}

/** @param replaces when the code to set was shown: each is set once. @returns false where that is another one by now */
export async function setSecondFactor(
  trx: Trx,
  actor: Actor,
  credentials: Credentials,
  replaces: string | number | undefined,
  factor: { sealed: string; step: number; recoveryHashes: readonly string[] },
  now: number,
): Promise<boolean> {
  if (toBeReplaced(credentials) !== replaces) return false;
  await setCode(trx, credentials.user_id, factor);
  await recordAccess(trx, actor, 'second factor set', actor.user, now);
  return true;
}

export async function renewRecoveryCodes(
  trx: Trx,
  actor: Actor,
  { user_id }: Credentials,
  hashes: readonly string[],
  now: number,
): Promise<void> {
  await setRecoveryCodes(trx, user_id, hashes);
  await recordAccess(trx, actor, 'recovery codes renewed', actor.user, now);
}

export async function removeOwnSecondFactor(
  trx: Trx,
  actor: Actor,
  { user_id }: Credentials,
  now: number,
): Promise<void> {
  await setCode(trx, user_id, null);
  await recordAccess(trx, actor, 'second factor removed', actor.user, now);
}

/** `own`: what belongs to the actor alone is changed by them, with their password. @throws NotFoundError, ForbiddenError */
export async function removeSecondFactor(
  trx: Trx,
  actor: Actor,
  id: number,
  now: number,
): Promise<{ kind: 'removed' | 'own'; user: User }> {
  authorize(actor, mayManage);
  const user = await getLockedUser(trx, id);
  if (id === actor.user?.id) return { kind: 'own', user };
  await setCode(trx, id, null);
  await deleteSessionsOf(trx, id);
  await recordAccess(trx, actor, 'second factor removed', user, now);
  return { kind: 'removed', user };
}
