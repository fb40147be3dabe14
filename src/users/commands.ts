/** The one write path: every change of a user, judged on the locked row and written in one transaction. */

import { type Actor, audit, authorize } from '../auth/actor.ts';
import { revokeAccessAfterChange } from '../auth/administrators.ts';
import { mayChange, mayChangeOwn, mayEdit, mayManage } from '../auth/policy.ts';
import { executeCached } from '../db/cached-query.ts';
import { derivedColumns } from '../db/derived-columns.ts';
import { engineOf } from '../db/engine.ts';
import type { Trx, User, UserRow } from '../db/schema.ts';
import { addToCounts, countByKind } from '../db/user-counts.ts';
import { NotFoundError } from '../errors.ts';
import { unpackValues } from '../history/fields.ts';
import { findChangeSet, findDeleted } from '../history/queries.ts';
import {
  recordChange,
  recordCreation,
  recordDeletion,
  recordRestoring,
  takeDeleted,
} from '../history/record.ts';
import { findTimesOf } from '../history/versions.ts';
import { getLockedUser, getUser, lockUser } from './queries.ts';
import type { NewUser, UserChanges } from './validation.ts';

export type Created = { kind: 'created'; user: User };
export type Changed =
  | { kind: 'changed'; user: User }
  | { kind: 'unchanged'; user: User }
  /** Somebody else has changed the user since `editedVersion`. */
  | { kind: 'conflict'; user: User };
/** `deleted already`: by the same actor, who may have clicked twice. */
export type Deleted = { kind: 'deleted' | 'deleted already'; user: Pick<User, 'id' | 'username'> };
export type Restored = { kind: 'restored' | 'there already'; user: User };

/** @throws ForbiddenError, NotUniqueError (username or email taken) */
export async function createUser(trx: Trx, actor: Actor, user: NewUser, now: number): Promise<Created> {
  authorize(actor, user.role === 'member' ? mayEdit : mayManage);
  const row = { ...user, ...derivedColumns(user), created_at: now, updated_at: now, version: 1 };
  const created = await insertUser(trx, row);
  await recordCreation(trx, actor, created);
  // After the history: an insert that returns a number took twice as long once FTS5 had something to write.
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
    .set({
      ...changes,
      ...derivedColumns(after),
      updated_at: later(now, before),
      version: before.version + 1,
    })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow();
  await recordChange(trx, actor, before, user);
  await engineOf(trx).indexSearchText(trx, id, before.search_text, user.search_text);
  await addToCounts(trx, [...countByKind([before], -1), ...countByKind([user])]);
  auditAccess(trx, actor, before, user);
  return { kind: 'changed', user };
}

/** @throws NotFoundError, ForbiddenError, LastAdministratorError */
export async function deleteUser(trx: Trx, actor: Actor, id: number, now: number): Promise<Deleted> {
  const user = await lockUser(trx, id);
  if (user === undefined) return deletedBefore(trx, actor, id);
  authorize(actor, (someone) => mayChange(someone, user));
  await revokeAccessAfterChange(trx, user, undefined);
  await trx.deleteFrom('users').where('id', '=', id).execute();
  await recordDeletion(trx, actor, user, later(now, user));
  await engineOf(trx).indexSearchText(trx, id, user.search_text, undefined);
  await addToCounts(trx, countByKind([user], -1));
  if (user.role !== 'member') audit(trx, actor, 'deleted', user);
  return { kind: 'deleted', user };
}

/** With the number and the values that they had, but for how they signed in. @throws NotFoundError, ForbiddenError, NotUniqueError */
export async function restoreUser(trx: Trx, actor: Actor, id: number, now: number): Promise<Restored> {
  const deleted = await takeDeleted(trx, id);
  if (deleted === undefined) return { kind: 'there already', user: await getUser(trx, id) };
  const values = unpackValues(deleted.fields);
  authorize(actor, (someone) => mayChange(someone, values));
  const updated_at = Math.max(now, ...(await findTimesOf(trx, id, [deleted.version])));
  const row = { id, ...values, ...derivedColumns(values), updated_at, version: deleted.version + 1 };
  const user = await insertUser(trx, row);
  await recordRestoring(trx, actor, user);
  await engineOf(trx).indexSearchText(trx, id, undefined, user.search_text);
  await addToCounts(trx, countByKind([user]));
  if (user.role !== 'member') audit(trx, actor, `restored: ${user.role}`, user);
  return { kind: 'restored', user };
}

async function insertUser(trx: Trx, row: UserRow): Promise<User> {
  const [user] = (await executeCached(trx, 'insert user', row, (values) =>
    trx.insertInto('users').values(values).returningAll(),
  )) as [User];
  return user;
}

/** @throws NotFoundError */
async function deletedBefore(trx: Trx, actor: Actor, id: number): Promise<Deleted> {
  const deleted = await findDeleted(trx, id);
  const deletion = deleted && (await findChangeSet(trx, deleted.set_id));
  if (deleted === undefined || actor.user === undefined || deletion?.actor_id !== actor.user.id)
    throw new NotFoundError(`There is no user ${id}.`);
  return { kind: 'deleted already', user: { id, username: unpackValues(deleted.fields).username } };
}

function hasAll(user: User, changes: UserChanges): boolean {
  return Object.entries(changes).every(([name, value]) => user[name as keyof User] === value);
}

/** Of one user's changes none is before the one that it follows, whatever clocks say. */
function later(now: number, { updated_at }: User): number {
  return Math.max(now, updated_at);
}

function auditAccess(trx: Trx, actor: Actor, before: User, user: User): void {
  if (user.email !== before.email && user.role !== 'member') audit(trx, actor, 'email changed', user);
  if (user.role !== before.role) audit(trx, actor, `role changed from ${before.role} to ${user.role}`, user);
  if (user.is_active !== before.is_active && user.role !== 'member')
    audit(trx, actor, user.is_active ? 'activated' : 'deactivated', user);
}
