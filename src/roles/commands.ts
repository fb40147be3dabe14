/** Changing what is asked of everyone with a role. */

import { type Actor, authorize } from '../auth/actor.ts';
import { mayManage } from '../auth/policy.ts';
import type { Role, Trx } from '../db/schema.ts';
import { recordAccess } from '../history/record.ts';
import { findRolesWithCode, requireCode } from './queries.ts';

export async function changeRoleRules(
  trx: Trx,
  actor: Actor,
  changes: ReadonlyMap<Role, boolean>,
  now: number,
): Promise<void> {
  authorize(actor, mayManage);
  if (changes.size === 0) return;
  for (const [role, isRequired] of changes) await requireCode(trx, role, isRequired);
  const required = await findRolesWithCode(trx);
  const whom = required.join(', ') || 'nobody';
  await recordAccess(trx, actor, 'second factor required of', undefined, now, whom);
}
