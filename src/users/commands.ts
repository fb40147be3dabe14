/** The one write path: every change of a user, judged on the locked row and written in one transaction. */

import { type Actor, audit, authorize } from '../auth/actor.ts';
import { revokeAccessAfterChange } from '../auth/administrators.ts';
import { mayChange, mayChangeFields, mayEdit, mayManage, maySignIn } from '../auth/policy.ts';
import { executeCached } from '../db/cached-query.ts';
import { derivedColumns } from '../db/derived-columns.ts';
import { engineOf } from '../db/engine.ts';
import { indexLastSignIn } from '../db/last-sign-ins.ts';
import type { Trx, User, UserRow } from '../db/schema.ts';
import { beforeCommit } from '../db/transact.ts';
import { addToCountsLast, countByKind } from '../db/user-counts.ts';
import { KINDS } from '../history/codes.ts';
import { changedFields, type KeptValues, unpackValues } from '../history/fields.ts';
import { findDeleted } from '../history/queries.ts';
import {
  recordChange,
  recordCreation,
  recordDeletion,
  recordRestoring,
  takeDeleted,
} from '../history/record.ts';
import { readSince, type Since } from '../history/since.ts';
import { findTimesOf } from '../history/versions.ts';
import { type EditedField, type Merge, merge } from './merge.ts';
import { getLockedUser, getUser } from './queries.ts';
import type { NewUser, UserChanges } from './validation.ts';

type Named = Pick<User, 'id' | 'username'>;

/** `set`, here and below: the change set in which it was done. */
export type Created = { kind: 'created'; user: User; set: number };
export type Changed =
  /** `theirs`: what others have changed since `editedVersion`, and is kept. */
  | { kind: 'changed'; user: User; set: number; theirs: readonly EditedField[]; since: Since }
  | { kind: 'unchanged'; user: User }
  | Conflict;
/** Since `editedVersion` the same was changed, to something else: nothing is written. */
export type Conflict = { kind: 'conflict'; user: User; mine: UserChanges; merge: Merge; since: Since };
export type Deleted =
  | { kind: 'deleted'; user: Named; set: number }
  | { kind: 'changed since'; user: User; since: Since };
export type Restored =
  | { kind: 'restored'; user: User; set: number }
  | { kind: 'there already'; user: User }
  | { kind: 'deleted again'; user: Named };

/** @throws ForbiddenError, NotUniqueError (username or email taken) */
export async function createUser(trx: Trx, actor: Actor, user: NewUser, now: number): Promise<Created> {
  authorize(actor, user.role === 'member' ? mayEdit : mayManage);
  const row = { ...user, ...derivedColumns(user), created_at: now, updated_at: now, version: 1 };
  const created = await insertUser(trx, row);
  const set = await recordCreation(trx, actor, created);
  if (maySignIn(created)) await indexLastSignIn(trx, created);
  addToIndexAndCounts(trx, undefined, created);
  if (created.role !== 'member') audit(trx, actor, `role given: ${created.role}`, created);
  return { kind: 'created', user: created, set };
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
  const fields = changedFields(before, { ...before, ...changes } as User);
  authorize(actor, (someone) => mayChangeFields(someone, before, fields));
  const since = await readSince(trx, before, editedVersion);
  const merged = merge(since.base, before, changes);
  if (merged.conflicts.length > 0)
    return { kind: 'conflict', user: before, mine: changes, merge: merged, since };
  // A form sent twice meets no conflict with itself, and one that changes nothing disturbs nobody who has it open.
  if (Object.keys(merged.changes).length === 0) return { kind: 'unchanged', user: before };
  const after = { ...before, ...merged.changes } as User;
  await revokeAccessAfterChange(trx, before, after);
  const user = await trx
    .updateTable('users')
    .set({
      ...merged.changes,
      ...derivedColumns(after),
      updated_at: later(now, before),
      version: before.version + 1,
    })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow();
  const set = await recordChange(trx, actor, before, user);
  if (maySignIn(before) !== maySignIn(user)) await indexLastSignIn(trx, user);
  addToIndexAndCounts(trx, before, user);
  auditAccess(trx, actor, before, user);
  return { kind: 'changed', user, set, theirs: merged.theirs, since };
}

/** @param shownVersion of whom it was confirmed @throws NotFoundError, ForbiddenError, LastAdministratorError */
export async function deleteUser(
  trx: Trx,
  actor: Actor,
  id: number,
  now: number,
  shownVersion?: number,
): Promise<Deleted> {
  const user = await getLockedUser(trx, id);
  authorize(actor, (someone) => mayChange(someone, user));
  const since = await readSince(trx, user, shownVersion);
  if (since.base === undefined || changedFields(since.base, user).length > 0)
    return { kind: 'changed since', user, since };
  await revokeAccessAfterChange(trx, user, undefined);
  await trx.deleteFrom('users').where('id', '=', id).execute();
  const set = await recordDeletion(trx, actor, user, later(now, user));
  addToIndexAndCounts(trx, user, undefined);
  if (user.role !== 'member') audit(trx, actor, 'deleted', user);
  return { kind: 'deleted', user, set };
}

/**
 * With the number that they had, and the values, but for how they signed in and what is changed at once.
 * @param shownVersion the last one they had, as it was shown
 * @throws NotFoundError, ForbiddenError, NotUniqueError (username or email taken)
 */
export async function restoreUser(
  trx: Trx,
  actor: Actor,
  id: number,
  now: number,
  { changes = {}, shownVersion }: { changes?: UserChanges; shownVersion?: number | undefined } = {},
): Promise<Restored> {
  const deleted = await takeDeleted(trx, id, shownVersion);
  if (deleted === undefined) return notRestored(trx, id);
  const values = unpackValues(deleted.fields);
  const after = { ...values, ...changes } as KeptValues;
  const fields = changedFields(values, after);
  authorize(actor, (someone) => mayChangeFields(someone, { id, ...values }, fields));
  const updated_at = Math.max(now, ...(await findTimesOf(trx, id, [deleted.version])));
  const isChanged = fields.length > 0;
  const version = deleted.version + (isChanged ? 2 : 1);
  const user = await insertUser(trx, { id, ...after, ...derivedColumns(after), updated_at, version });
  // As they were, even if their username has been somebody else's since: what is changed comes after it.
  const restored = { ...user, ...values, version: deleted.version + 1 };
  const set = await recordRestoring(trx, actor, restored);
  const changeSet = actor.changeSet ?? { id: set, at: updated_at, kind: KINDS.restored, subject_id: null };
  if (isChanged) await recordChange(trx, { ...actor, changeSet }, restored, user);
  if (maySignIn(user)) await indexLastSignIn(trx, user);
  addToIndexAndCounts(trx, undefined, user);
  if (user.role !== 'member') audit(trx, actor, `restored: ${user.role}`, user);
  return { kind: 'restored', user, set };
}

/** For users who are about to take each other's names: until each is changed, in the same transaction, nobody has these. */
export async function setNamesAside(trx: Trx, ids: readonly number[]): Promise<void> {
  for (const id of ids) {
    // No username and no email is like that.
    const nobodys = `--${id}`;
    const keys = { username_key: nobodys, email_key: nobodys };
    await trx.updateTable('users').set(keys).where('id', '=', id).execute();
  }
}

/** @throws NotFoundError */
async function notRestored(trx: Trx, id: number): Promise<Restored> {
  const deleted = await findDeleted(trx, id);
  if (deleted === undefined) return { kind: 'there already', user: await getUser(trx, id) };
  return { kind: 'deleted again', user: { id, username: unpackValues(deleted.fields).username } };
}

async function insertUser(trx: Trx, row: UserRow): Promise<User> {
  const [user] = (await executeCached(trx, 'insert user', row, (values) =>
    trx.insertInto('users').values(values).returningAll(),
  )) as [User];
  return user;
}

/** Search text and totals. At the end: each statement between would have FTS5 write a segment of its own. */
function addToIndexAndCounts(trx: Trx, before: User | undefined, after: User | undefined): void {
  const { id } = (after ?? before) as User;
  beforeCommit(trx, () => engineOf(trx).indexSearchText(trx, id, before?.search_text, after?.search_text));
  addToCountsLast(trx, [...countByKind(before ? [before] : [], -1), ...countByKind(after ? [after] : [])]);
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
