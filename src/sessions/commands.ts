/** Ending sessions: someone's by an administrator, and one's own. */

import { type Actor, authorize } from '../auth/actor.ts';
import { mayEndSessions } from '../auth/policy.ts';
import { deleteSessionOf, deleteSessionsOf } from '../auth/sessions.ts';
import type { Trx } from '../db/schema.ts';
import { recordAccess } from '../history/record.ts';

type Owner = { id: number; username: string };
/** `over`: it had been ended before, or there never was one of that number. */
export type Ended = { kind: 'ended' | 'over' };

/** @throws ForbiddenError */
export async function endSession(
  trx: Trx,
  actor: Actor,
  owner: Owner,
  id: number,
  now: number,
): Promise<Ended> {
  authorize(actor, (someone) => mayEndSessions(someone, owner.id));
  if (!(await deleteSessionOf(trx, owner.id, id))) return { kind: 'over' };
  await recordAccess(trx, actor, 'session ended', owner, now);
  return { kind: 'ended' };
}

/** @param exceptId the one in which whoever asks goes on. @throws ForbiddenError */
export async function endSessions(
  trx: Trx,
  actor: Actor,
  owner: Owner,
  now: number,
  exceptId?: number,
): Promise<void> {
  authorize(actor, (someone) => mayEndSessions(someone, owner.id));
  if (!(await deleteSessionsOf(trx, owner.id, exceptId))) return;
  const event = exceptId === undefined ? 'all sessions ended' : 'other sessions ended';
  await recordAccess(trx, actor, event, owner, now);
}
