/** What is asked of everyone with a role, in the database. */
import type { Db, Role, Trx } from '../db/schema.ts';

export async function findRolesWithCode(db: Db): Promise<Role[]> {
  const asked = db.selectFrom('role_rules').select('role').where('is_code_required', '=', true);
  return (await asked.orderBy('role').execute()).map(({ role }) => role);
}

export async function requireCode(trx: Trx, role: Role, isRequired: boolean): Promise<void> {
  await trx
    .updateTable('role_rules')
    .set({ is_code_required: isRequired })
    .where('role', '=', role)
    .execute();
}
