/** What people change about how they themselves sign in: each acts on their own account alone, and holds its credentials. */

import type { Actor } from '../auth/actor.ts';
import { type Credentials, setCode, setPassword, setRecoveryCodes } from '../auth/credentials.ts';
import { deleteSessionsOf, renewSession } from '../auth/sessions.ts';
import type { Trx } from '../db/schema.ts';
import { recordAccess } from '../history/record.ts';

export async function changePassword(
  trx: Trx,
  actor: Actor,
  { user_id }: Credentials,
  { hash, sessionId, token }: { hash: string; sessionId: number; token: string },
  now: number,
): Promise<void> {
  await setPassword(trx, user_id, hash, now);
  await deleteSessionsOf(trx, user_id, sessionId);
  await renewSession(trx, sessionId, token);
  await recordAccess(trx, actor, 'password changed', actor.user, now);
}

/** What a new second factor takes the place of: the one that is set or, where none is, the last step of those before. */
export function replacedBy({ code_secret, code_step }: Credentials): string | number {
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
  if (replacedBy(credentials) !== replaces) return false;
  await setCode(trx, credentials.user_id, factor);
  await recordAccess(trx, actor, 'second factor set', actor.user, now);
  return true;
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
