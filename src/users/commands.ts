/** The one write path: every change of a user, judged on the locked row and written in one transaction. */

import { type Actor, audit, authorize } from '../auth/actor.ts';
import { revokeAccessAfterChange } from '../auth/administrators.ts';
import { mayChange, mayChangeOwn, mayEdit, mayManage } from '../auth/policy.ts';
import { executeCached } from '../db/cached-query.ts';
import { derivedColumns } from '../db/derived-columns.ts';
import { engineOf } from '../db/engine.ts';
import type { Trx, User } from '../db/schema.ts';
import { addToCounts, countByKind } from '../db/user-counts.ts';
import { getLockedUser } from './queries.ts';
import type { NewUser, UserChanges } from './validation.ts';

export type Created = { kind: 'created'; user: User };
export type Changed =
  | { kind: 'changed'; user: User }
  | { kind: 'unchanged'; user: User }
  /** Somebody else has changed the user since `editedVersion`. */
  | { kind: 'conflict'; user: User };
export type Deleted = { kind: 'deleted'; user: User };

/** @throws ForbiddenError, NotUniqueError (username or email taken) */
export async function createUser(trx: Trx, actor: Actor, user: NewUser, now: number): Promise<Created> {
  authorize(actor, user.role === 'member' ? mayEdit : mayManage);
  const row = { ...user, ...derivedColumns(user), created_at: now, updated_at: now, version: 1 };
  const [created] = (await executeCached(trx, 'create user', row, (values) =>
    trx.insertInto('users').values(values).returningAll(),
  )) as [User];
  await engineOf(trx).indexSearchText(trx, created.id, undefined, created.search_text);
  await addToCounts(trx, countByKind([created]));
  if (created.role !== 'member') audit(trx, actor, `role given: ${created.role}`, created);
  return { kind: 'created', user: created };
}

/** @throws NotFoundError, ForbiddenError, NotUniqueError (username or email taken), LastAdministratorError */
export async function changeUser(
  trx: Trx,
  actor: Actor,
  id: number,
  changes: UserChanges,
  now: number,
  editedVersion?: number,
): Promise<Changed> {
  const before = await getLockedUser(trx, id);
  const after = { ...before, ...changes } as User;
  authorize(
    actor,
    (someone) => mayChange(someone, before) || mayChangeOwn(someone, id, Object.keys(changes)),
  );
  if (after.role !== before.role) authorize(actor, mayManage);
  // A form sent twice meets no conflict with itself, and one that changes nothing disturbs nobody who has it open.
  if (hasAll(before, changes)) return { kind: 'unchanged', user: before };
  if (editedVersion !== undefined && editedVersion !== before.version)
    return { kind: 'conflict', user: before };
  await revokeAccessAfterChange(trx, before, after);
  const user = await trx
    .updateTable('users')
    .set({ ...changes, ...derivedColumns(after), updated_at: now, version: before.version + 1 })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow();
  await engineOf(trx).indexSearchText(trx, id, before.search_text, user.search_text);
  await addToCounts(trx, [...countByKind([before], -1), ...countByKind([user])]);
  auditAccess(trx, actor, before, user);
  return { kind: 'changed', user };
}

/** @throws NotFoundError, ForbiddenError, LastAdministratorError */
export async function deleteUser(trx: Trx, actor: Actor, id: number): Promise<Deleted> {
  const user = await getLockedUser(trx, id);
  authorize(actor, (someone) => mayChange(someone, user));
  await revokeAccessAfterChange(trx, user, undefined);
  await trx.deleteFrom('users').where('id', '=', id).execute();
  await engineOf(trx).indexSearchText(trx, id, user.search_text, undefined);
  await addToCounts(trx, countByKind([user], -1));
  if (user.role !== 'member') audit(trx, actor, 'deleted', user);
  return { kind: 'deleted', user };
}

function hasAll(user: User, changes: UserChanges): boolean {
  return Object.entries(changes).every(([name, value]) => user[name as keyof User] === value);
}

function auditAccess(trx: Trx, actor: Actor, before: User, user: User): void {
  if (user.role !== before.role) audit(trx, actor, `role changed from ${before.role} to ${user.role}`, user);
  if (user.is_active !== before.is_active && user.role !== 'member')
    audit(trx, actor, user.is_active ? 'activated' : 'deactivated', user);
}
