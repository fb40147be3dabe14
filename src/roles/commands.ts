/** Changing what is asked of everyone with a role. */
import type { Role, Trx } from '../db/schema.ts';
import { type Actor, audit, authorize } from '../sessions/actor.ts';
import { mayManage } from '../sessions/policy.ts';
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
