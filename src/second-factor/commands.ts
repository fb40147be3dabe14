/** Setting, replacing and removing second factors: one's own, whose credentials are held, and someone's by an administrator. */

import { type Actor, authorize } from '../auth/actor.ts';
import type { WrongCode } from '../auth/code-refusals.ts';
import { type Credentials, lockCredentials, setCode, setRecoveryCodes } from '../auth/credentials.ts';
import { mayManage } from '../auth/policy.ts';
import { redeemCode } from '../auth/second-factor.ts';
import { deleteSessionsOf } from '../auth/sessions.ts';
import type { Trx, User } from '../db/schema.ts';
import { recordAccess } from '../history/record.ts';
import { getLockedUser } from '../users/queries.ts';

type NewFactor = { sealed: string; step: number; recoveryHashes: readonly string[] };
export type Replaced = string | number | undefined;

/** What a new second factor takes the place of: the one that is set or, where none is, the last step of those before. */
export function toBeReplaced({ code_secret, code_step }: Credentials): Replaced {
  return code_secret ?? code_step;
}

/** A code of the one that is set, which is used up. */
type Present = { key: Buffer; code: string };
type CodeRefused = { kind: 'code refused'; why: WrongCode };
/** `failures`: how many wrong codes came before the right one, of which its owner is to hear. */
type Done<Kind> = { kind: Kind; failures: number };

/** Signs out every other browser. @param replaces when the code to set was shown; `outdated`: by now it is another one */
export async function setSecondFactor(
  trx: Trx,
  actor: Actor,
  credentials: Credentials,
  factor: NewFactor,
  { replaces, present, sessionId }: { replaces: Replaced; present: Present; sessionId: number },
  now: number,
): Promise<Done<'set'> | { kind: 'outdated' } | CodeRefused> {
  if (toBeReplaced(credentials) !== replaces) return { kind: 'outdated' };
  const isReplaced = credentials.code_secret !== null;
  const taken = isReplaced ? await takeCode(trx, credentials, present, now) : NONE_ASKED;
  if (taken.kind !== 'right') return taken;
  await setCode(trx, credentials.user_id, factor);
  if (isReplaced) await deleteSessionsOf(trx, credentials.user_id, sessionId);
  const event = isReplaced ? 'second factor replaced' : 'second factor set';
  await recordAccess(trx, actor, event, actor.user, now);
  return { kind: 'set', failures: taken.failures };
}

export async function renewRecoveryCodes(
  trx: Trx,
  actor: Actor,
  credentials: Credentials,
  hashes: readonly string[],
  present: Present,
  now: number,
): Promise<Done<'renewed'> | CodeRefused> {
  const taken = await takeCode(trx, credentials, present, now);
  if (taken.kind !== 'right') return taken;
  await setRecoveryCodes(trx, credentials.user_id, hashes);
  await recordAccess(trx, actor, 'recovery codes renewed', actor.user, now);
  return { kind: 'renewed', failures: taken.failures };
}

export async function removeOwnSecondFactor(
  trx: Trx,
  actor: Actor,
  credentials: Credentials,
  present: Present,
  now: number,
): Promise<Done<'removed'> | CodeRefused> {
  const taken = await takeCode(trx, credentials, present, now);
  if (taken.kind !== 'right') return taken;
  await setCode(trx, credentials.user_id, null);
  await recordAccess(trx, actor, 'second factor removed', actor.user, now);
  return { kind: 'removed', failures: taken.failures };
}

const NONE_ASKED: Done<'right'> = { kind: 'right', failures: 0 };

async function takeCode(
  trx: Trx,
  credentials: Credentials,
  { key, code }: Present,
  now: number,
): Promise<Done<'right'> | CodeRefused> {
  const outcome = await redeemCode(trx, key, credentials, code, now);
  return outcome.kind === 'right' ? outcome : { kind: 'code refused', why: outcome };
}

/** `own`: what belongs to the actor alone is changed by them, with their password and a code. @throws NotFoundError, ForbiddenError */
export async function removeSecondFactor(
  trx: Trx,
  actor: Actor,
  id: number,
  now: number,
): Promise<{ kind: 'removed' | 'own' | 'none'; user: User }> {
  authorize(actor, mayManage);
  const user = await getLockedUser(trx, id);
  if (id === actor.user?.id) return { kind: 'own', user };
  if (!(await lockCredentials(trx, id))?.code_secret) return { kind: 'none', user };
  await setCode(trx, id, null);
  await deleteSessionsOf(trx, id);
  await recordAccess(trx, actor, 'second factor removed', user, now);
  return { kind: 'removed', user };
}
