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

/** @param after the last step when the code to set was shown: each is set once. */
export async function setSecondFactor(
  trx: Trx,
  actor: Actor,
  { user_id, code_secret, code_step }: Credentials,
  after: number,
  factor: { sealed: string; step: number; recoveryHashes: readonly string[] },
  now: number,
): Promise<{ kind: 'set' | 'is set already' | 'outdated' }> {
  if (code_secret !== null) return { kind: 'is set already' };
  if (code_step !== after) return { kind: 'outdated' };
  await setCode(trx, user_id, factor);
  await recordAccess(trx, actor, 'second factor set', actor.user, now);
  return { kind: 'set' };
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
