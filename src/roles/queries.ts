/** What is asked of everyone with a role, in the database. */
import type { Db, Trx } from '../db/schema.ts';
import type { Role } from '../sessions/policy.ts';

export async function findRoleRules(db: Db) {
  return db.selectFrom('role_rules').selectAll().orderBy('role').execute();
}

export async function requireCode(trx: Trx, role: Role, isRequired: boolean): Promise<void> {
  await trx
    .updateTable('role_rules')
    .set({ is_code_required: isRequired })
    .where('role', '=', role)
    .execute();
}
