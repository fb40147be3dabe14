/** Somebody has to be able to let others in: whether there is an administrator, and that the last one stays. */

import { engineOf } from '../db/engine.ts';
import type { Db, Trx, User } from '../db/schema.ts';
import { LastAdministratorError } from '../errors.ts';
import { named } from '../lib/text.ts';
import { endLinksOf } from './credentials.ts';
import { mayRead } from './policy.ts';
import { deleteSessionsOfAll, lockSessions } from './sessions.ts';

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

async function findAdministrators(db: Db, except: readonly number[] = []) {
  return (
    db
      .selectFrom('credentials')
      .innerJoin('users', 'users.id', 'credentials.user_id')
      .select(['users.id', 'users.username'])
      .where('users.role', '=', 'admin')
      // Asked whether it is true, SQLite goes through all who are active.
      .where('users.is_active', '!=', false)
      .$if(except.length > 0, (query) =>
        query.where(({ not }) => not(engineOf(db).isOneOf('users.id', except))),
      )
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

export async function lockAdministrators(trx: Trx): Promise<void> {
  await trx.selectFrom('role_rules').select('role').where('role', '=', 'admin').forUpdate().execute();
}

export async function shareAdministrators(trx: Trx): Promise<void> {
  await trx.selectFrom('role_rules').select('role').where('role', '=', 'admin').forShare().execute();
}

type Change = { before: User; after: Pick<User, 'role' | 'is_active' | 'email'> | undefined };

/** Call it before the changes are written; `after` is undefined for a deletion. @throws LastAdministratorError */
export async function revokeAccessAfterChanges(trx: Trx, changes: readonly Change[]): Promise<void> {
  const ending = changes.filter(({ before, after }) => endsAccess(before, after));
  // Also of who is deleted, with whom they go.
  const signedIn = idsOf(ending.filter(({ before }) => mayRead(before)));
  if (signedIn.length > 0) await lockSessions(trx, signedIn);
  // Whoever reads the earlier address may have been sent a link.
  const moved = changes.filter(({ before, after }) => after && after.email !== before.email);
  const administrators = idsOf(ending.filter(({ before }) => before.role === 'admin'));
  if (administrators.length > 0) await refuseLastOf(trx, administrators);
  // With whoever is deleted the database deletes all that is theirs.
  const ended = idsOf(ending.filter(({ after }) => after));
  if (ended.length > 0) await deleteSessionsOfAll(trx, ended);
  const withoutLink = [...ended, ...idsOf(moved)];
  if (withoutLink.length > 0) await endLinksOf(trx, withoutLink);
}

function idsOf(changes: readonly Change[]): number[] {
  return changes.map(({ before }) => before.id);
}

/** Whoever becomes an administrator by the same act counts from the next one on. */
async function refuseLastOf(trx: Trx, ids: readonly number[]): Promise<void> {
  await lockAdministrators(trx);
  if ((await findAdministrators(trx, ids)).length > 0) return;
  const [last] = await findAdministrators(trx);
  if (last) throw new LastAdministratorError(`${named(last.username)} is the last administrator.`);
}
