/** Writing history: what was done, by whom and to whom, in the transaction that does it. */
import { type Actor, audit } from '../auth/actor.ts';
import { engineOf } from '../db/engine.ts';
import { insertion } from '../db/many-rows.ts';
import { moveRevision } from '../db/revision.ts';
import type { Trx, User } from '../db/schema.ts';
import type { DeletedUser } from './deleted-queries.ts';
import { changedFields, packChanges, packValues } from './fields.ts';
import { insertChanges, insertSet, insertSets, type NewSet, setFor } from './insert.ts';
import { type AccessEvent, KINDS, type Kind, ROLE_CHANGED } from './kinds.ts';
import type { Change, ChangeSet } from './queries.ts';

/** A creation keeps no values: they are those of the row, or what later changes have replaced. @returns its change set, as all of these do */
export async function recordCreations(
  trx: Trx,
  actor: Actor,
  users: readonly User[],
  at: number,
): Promise<number> {
  const set = await setFor(trx, actor, { at, kind: 'created', users: users.length });
  await insertChanges(
    trx,
    actor,
    set,
    users.map((user) => ({ user, at, fields: null })),
  );
  return set.id;
}

export type ChangedUser = { before: User; after: User };

/** Several belong to a set of the actor's; one that is alone makes its own. */
export async function recordChanges(
  trx: Trx,
  actor: Actor,
  changes: readonly ChangedUser[],
): Promise<number> {
  const [own] = changes.map(setOf) as [NewSet];
  const set = await setFor(trx, actor, own);
  const made = changes.map(({ before, after }) => {
    return { user: after, at: after.updated_at, fields: packChanges(before, after) };
  });
  await insertChanges(trx, actor, set, made);
  const subject = actor.changeSet ? actor.changeSet.subject_id : own.subject_id;
  const roles = changes.filter(({ before, after }) => before.role !== after.role && after.id !== subject);
  if (roles.length > 0)
    await recordRoles(
      trx,
      actor,
      roles.map(({ after }) => after),
    );
  return set.id;
}

function setOf({ before, after }: ChangedUser): NewSet {
  const { id, updated_at: at } = after;
  const isRoleAlone = changedFields(before, after).every((field) => field === 'role');
  // Whom it is about finds it among what was done to their own access.
  if (isRoleAlone) return { at, kind: 'access', users: 1, subject_id: id };
  return { at, kind: kindOf(before, after), users: 1, subject_id: null };
}

/** Beside the changes themselves, each at the time of its version: found by whom it is about. */
async function recordRoles(trx: Trx, actor: Actor, users: readonly User[]): Promise<void> {
  const kind = actor.changeSet?.kind === KINDS.access ? 'own role' : 'role';
  const sets = users.map(({ id, role, updated_at }): NewSet => {
    const at = Math.max(updated_at, actor.changeSet?.at ?? 0);
    return { at, kind, users: 1, subject_id: id, event: ROLE_CHANGED, detail: role };
  });
  await insertSets(trx, actor, sets);
}

/** @param deletions one at least, each at its time */
export async function recordDeletions(
  trx: Trx,
  actor: Actor,
  deletions: readonly { user: User; at: number }[],
): Promise<number> {
  const at = Math.max(...deletions.map(({ at }) => at));
  const set = await setFor(trx, actor, { at, kind: 'deleted', users: deletions.length });
  const changes = deletions.map(({ user, at }) => {
    return { user: { id: user.id, version: user.version + 1 }, at, fields: packValues(user) };
  });
  await insertChanges(trx, actor, set, changes);
  const rows = changes.map(({ user, fields }) => ({ ...user, set_id: set.id, fields }));
  await trx.executeQuery(insertion(trx, 'deleted_users', rows));
  return set.id;
}

/** @param users one at least, each restored when it was changed last */
export async function recordRestorings(trx: Trx, actor: Actor, users: readonly User[]): Promise<number> {
  const at = Math.max(...users.map(({ updated_at }) => updated_at));
  const set = await setFor(trx, actor, { at, kind: 'restored', users: users.length });
  const changes = users.map((user) => ({ user, at: user.updated_at, fields: null }));
  await insertChanges(trx, actor, set, changes);
  return set.id;
}

/** The last version there is of them, without what they were. */
export async function recordErasure(
  trx: Trx,
  actor: Actor,
  user: Pick<DeletedUser, 'id' | 'version'>,
  at: number,
): Promise<number> {
  const set = await setFor(trx, actor, { at, kind: 'erased', users: 1 });
  const erased = { id: user.id, version: user.version + 1 };
  await insertChanges(trx, actor, set, [{ user: erased, at, fields: null }]);
  return set.id;
}

export async function forgetChanges(trx: Trx, userId: number): Promise<void> {
  const changes = trx.updateTable('changes').set({ fields: null });
  await changes.where('user_id', '=', userId).where('fields', 'is not', null).execute();
}

type SetToBegin = Pick<NewSet, 'at' | 'kind' | 'undoes' | 'subject_id' | 'detail'>;

/** For what is done in several transactions: each counts there whom it has done. */
export async function beginSet(trx: Trx, actor: Actor, begun: SetToBegin): Promise<number> {
  return insertSet(trx, actor, { ...begun, users: 0 });
}

export async function countInSet(trx: Trx, id: number, more: number): Promise<void> {
  await trx
    .updateTable('change_sets')
    .set(({ eb }) => ({ users: eb('users', '+', more) }))
    .where('id', '=', id)
    .execute();
}

/** What `act` does to users, with the actor that it is given, is one change set: `set`, undefined where nothing was done. */
export async function inOneSet<T>(
  trx: Trx,
  actor: Actor,
  begun: SetToBegin,
  act: (actor: Actor) => Promise<T>,
): Promise<{ result: T; set: number | undefined }> {
  const id = await beginSet(trx, actor, begun);
  const { at, kind, subject_id = null } = begun;
  const result = await act({ ...actor, changeSet: { id, at, kind: KINDS[kind], subject_id } });
  const changes = trx.selectFrom('changes').where('set_id', '=', id);
  const { users } = await changes
    .select(({ fn }) => fn.count<number>('user_id').distinct().as('users'))
    .executeTakeFirstOrThrow();
  if (users > 0) await trx.updateTable('change_sets').set({ users }).where('id', '=', id).execute();
  else await trx.deleteFrom('change_sets').where('id', '=', id).execute();
  return { result, set: users > 0 ? id : undefined };
}

/** Takes them out of those who are deleted: of two who restore somebody, one waits here, and finds none. @param lastVersion if it matters */
export async function takeDeleted(
  trx: Trx,
  id: number,
  lastVersion?: number,
): Promise<DeletedUser | undefined> {
  const row = trx.deleteFrom('deleted_users').where('id', '=', id);
  const asShown = lastVersion === undefined ? row : row.where('version', '=', lastVersion + 1);
  return asShown.returningAll().executeTakeFirst();
}

/** Of whom it is known, until the end of the transaction, that they are deleted. */
export async function takeAllDeleted(trx: Trx, ids: readonly number[]): Promise<void> {
  await trx.deleteFrom('deleted_users').where(engineOf(trx).isOneOf('id', ids)).execute();
}

/** What was done to how someone signs in: a fact in their history, and a line in the log. */
export async function recordAccess(
  trx: Trx,
  actor: Actor,
  event: AccessEvent,
  user: { id: number; username: string } | undefined,
  at: number,
  detail?: string,
): Promise<void> {
  audit(trx, actor, detail === undefined ? event : `${event}: ${detail}`, user);
  await insertSet(trx, actor, {
    at,
    kind: 'access',
    users: user ? 1 : 0,
    subject_id: user?.id ?? null,
    event,
    detail: detail ?? null,
  });
}

/** Of users who are taken out as a file: by `countInSet` it is said how many, once that is known. @param detail which, in words */
export async function recordExport(trx: Trx, actor: Actor, at: number, detail: string): Promise<number> {
  audit(trx, actor, `exported: ${detail}`);
  return insertSet(trx, actor, { at, kind: 'exported', users: 0, detail });
}

type Load = { at: number; kind: 'loaded' | 'copied'; users: number; first_id: number; last_id: number };

/** Many users who arrive at once: one set for them all, and no change for each. @param set of those who came before */
export async function recordLoad(trx: Trx, actor: Actor, load: Load, set?: number): Promise<number> {
  if (set === undefined) return insertSet(trx, actor, load);
  await trx
    .updateTable('change_sets')
    .set(({ eb }) => ({ users: eb('users', '+', load.users), last_id: load.last_id }))
    .where('id', '=', set)
    .execute();
  moveRevision(trx);
  return set;
}

/** @param of when the backup is, in words */
export async function recordPutBack(trx: Trx, actor: Actor, at: number, of: string): Promise<number> {
  audit(trx, actor, `restored from a backup ${of}`);
  return insertSet(trx, actor, { at, kind: 'put back', users: 0, detail: of });
}

type Copies = { change_sets?: ChangeSet[]; changes?: Change[]; deleted_users?: DeletedUser[] };

export async function insertHistory(
  trx: Trx,
  { change_sets = [], changes = [], deleted_users = [] }: Copies,
): Promise<void> {
  if (change_sets.length > 0) await trx.insertInto('change_sets').values(change_sets).execute();
  if (changes.length > 0) await trx.insertInto('changes').values(changes).execute();
  if (deleted_users.length > 0) await trx.insertInto('deleted_users').values(deleted_users).execute();
}

function kindOf(before: User, after: User): Kind {
  if (before.is_active === after.is_active) return 'changed';
  return after.is_active ? 'activated' : 'deactivated';
}
