/** Changing one's own password, while one's credentials are held. */

import type { Actor } from '../auth/actor.ts';
import { type Credentials, setPassword } from '../auth/credentials.ts';
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
