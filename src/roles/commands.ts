/** Changing what is asked of everyone with a role. */

import { type Actor, audit, authorize } from '../auth/actor.ts';
import { mayManage } from '../auth/policy.ts';
import type { Role, Trx } from '../db/schema.ts';
import { findRolesWithCode, requireCode } from './queries.ts';

/** @param changes by role, whether a second factor is required; others stay as they are. */
export async function changeRoleRules(
  trx: Trx,
  actor: Actor,
  changes: ReadonlyMap<Role, boolean>,
): Promise<void> {
  authorize(actor, mayManage);
  for (const [role, isRequired] of changes) await requireCode(trx, role, isRequired);
  const required = await findRolesWithCode(trx);
  audit(trx, actor, `second factor required of: ${required.join(', ') || 'nobody'}`);
}
