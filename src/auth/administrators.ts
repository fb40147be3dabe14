/** Somebody has to be able to let others in: whether there is an administrator, and that the last one stays. */

import type { Db, Trx, User } from '../db/schema.ts';
import { LastAdministratorError } from '../errors.ts';
import { named } from '../lib/text.ts';
import { deleteSessionsOf } from './sessions.ts';

export async function hasAdministrator(db: Db): Promise<boolean> {
  return (await findAdministrators(db)).length > 0;
}

/** @param except who are none any more by then */
export async function isLastAdministrator(
  db: Db,
  id: number,
  except: readonly number[] = [],
): Promise<boolean> {
  const administrators = await findAdministrators(db, except);
  return administrators.length === 1 && administrators[0]?.id === id;
}

/** Those who can let others in, two at most: active, with that role, and with a password. */
async function findAdministrators(db: Db, except: readonly number[] = []) {
  return (
    db
      .selectFrom('credentials')
      .innerJoin('users', 'users.id', 'credentials.user_id')
      .select('users.id')
      .where('users.role', '=', 'admin')
      // Asked whether it is true, SQLite goes through all who are active.
      .where('users.is_active', '!=', false)
      .$if(except.length > 0, (query) => query.where('users.id', 'not in', except))
      .limit(2)
      .execute()
  );
}

type Before = Pick<User, 'id' | 'role' | 'is_active'>;
type After = Pick<User, 'role' | 'is_active'> | undefined;

/** Whether nobody could let others in any more; `after` is undefined for a deletion. */
export async function endsLastAdministrator(
  db: Db,
  before: Before,
  after: After,
  except: readonly number[] = [],
): Promise<boolean> {
  return before.role === 'admin' && endsAccess(before, after) && isLastAdministrator(db, before.id, except);
}

function endsAccess(before: Before, after: After): boolean {
  return after?.role !== before.role || (before.is_active && !after.is_active);
}

/** Until the end of the transaction nobody else changes who is an administrator. */
export async function lockAdministrators(trx: Trx): Promise<void> {
  await trx.selectFrom('role_rules').select('role').where('role', '=', 'admin').forUpdate().execute();
}

export async function shareAdministrators(trx: Trx): Promise<void> {
  await trx.selectFrom('role_rules').select('role').where('role', '=', 'admin').forShare().execute();
}

/** Call it before the change is written; `after` is undefined for a deletion. @throws LastAdministratorError */
export async function revokeAccessAfterChange(
  trx: Trx,
  before: User,
  after: Pick<User, 'role' | 'is_active' | 'email'> | undefined,
): Promise<void> {
  // Whoever reads the earlier address may have been sent it.
  if (after && after.email !== before.email) await deleteLinkOf(trx, before.id);
  if (!endsAccess(before, after)) return;
  if (before.role === 'admin') await lockAdministrators(trx);
  if (await endsLastAdministrator(trx, before, after))
    throw new LastAdministratorError(`${named(before.username)} is the last administrator.`);
  await deleteSessionsOf(trx, before.id);
  await deleteLinkOf(trx, before.id);
}

async function deleteLinkOf(trx: Trx, id: number): Promise<void> {
  await trx.deleteFrom('invitations').where('user_id', '=', id).execute();
}
