/** Writing history: what was done, by whom and to whom, in the transaction that does it. */
import { type Actor, audit } from '../auth/actor.ts';
import { cachedQuery, executeCached } from '../db/cached-query.ts';
import { moveRevision, moveRevisionBySet } from '../db/revision.ts';
import type { Trx, User } from '../db/schema.ts';
import { writeLast } from '../db/transact.ts';
import { ACTORS, KINDS, type Kind, ROLE_CHANGED, WAYS } from './codes.ts';
import { changedFields, packChanges, packValues } from './fields.ts';
import type { Change, ChangeSet, DeletedUser } from './queries.ts';

type NewSet = { at: number; kind: Kind; users: number } & Partial<
  Pick<ChangeSet, 'subject_id' | 'undoes' | 'first_id' | 'last_id' | 'event' | 'detail'>
>;

/** A creation keeps no values: they are those of the row, or what later changes have replaced. @returns its change set, as all of these do */
export async function recordCreation(trx: Trx, actor: Actor, user: User): Promise<number> {
  const set = await setFor(trx, actor, { at: user.created_at, kind: 'created', users: 1 });
  await insertChange(trx, actor, { user_id: user.id, version: user.version, ...set, fields: null });
  return set.set_id;
}

export async function recordChange(trx: Trx, actor: Actor, before: User, after: User): Promise<number> {
  const isRoleAlone = changedFields(before, after).every((field) => field === 'role');
  const kind = isRoleAlone ? 'access' : kindOf(before, after);
  const { id, version, updated_at: at } = after;
  // Whom it is about finds it among what was done to their own access.
  const subject_id = isRoleAlone ? id : null;
  const set = await setFor(trx, actor, { at, kind, users: 1, subject_id });
  await insertChange(trx, actor, { user_id: id, version, ...set, fields: packChanges(before, after) });
  const isFound = actor.changeSet ? actor.changeSet.subject_id === id : isRoleAlone;
  if (before.role !== after.role && !isFound) await recordRole(trx, actor, after);
  return set.set_id;
}

/** Beside the change itself, at the time of its version: found by whom it is about. */
async function recordRole(trx: Trx, actor: Actor, { id, role, updated_at }: User): Promise<void> {
  const kind = actor.changeSet?.kind === KINDS.access ? 'own role' : 'role';
  const at = Math.max(updated_at, actor.changeSet?.at ?? 0);
  await insertSet(trx, actor, { at, kind, users: 1, subject_id: id, event: ROLE_CHANGED, detail: role });
}

export async function recordDeletion(trx: Trx, actor: Actor, user: User, at: number): Promise<number> {
  const set = await setFor(trx, actor, { at, kind: 'deleted', users: 1 });
  const version = user.version + 1;
  const fields = packValues(user);
  await insertChange(trx, actor, { user_id: user.id, version, ...set, fields });
  const { set_id } = set;
  await trx.insertInto('deleted_users').values({ id: user.id, version, set_id, fields }).execute();
  return set_id;
}

export async function recordRestoring(trx: Trx, actor: Actor, user: User): Promise<number> {
  const set = await setFor(trx, actor, { at: user.updated_at, kind: 'restored', users: 1 });
  await insertChange(trx, actor, { user_id: user.id, version: user.version, ...set, fields: null });
  return set.set_id;
}

/** The last version there is of them, without what they were. */
export async function recordErasure(
  trx: Trx,
  actor: Actor,
  user: Pick<DeletedUser, 'id' | 'version'>,
  at: number,
): Promise<number> {
  const set = await setFor(trx, actor, { at, kind: 'erased', users: 1 });
  await insertChange(trx, actor, { user_id: user.id, version: user.version + 1, ...set, fields: null });
  return set.set_id;
}

/** What was changed of someone stays known without what it was. */
export async function forgetChanges(trx: Trx, userId: number): Promise<void> {
  const changes = trx.updateTable('changes').set({ fields: null });
  await changes.where('user_id', '=', userId).where('fields', 'is not', null).execute();
}

type Begun = Pick<NewSet, 'at' | 'kind' | 'undoes' | 'subject_id' | 'detail'>;

/** For what is done in several transactions: each counts there whom it has done. */
export async function beginSet(trx: Trx, actor: Actor, begun: Begun): Promise<number> {
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
  begun: Begun,
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

/** What was done to how someone signs in: a fact in their history, and a line in the log. */
export async function recordAccess(
  trx: Trx,
  actor: Actor,
  event: string,
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

type Copies = { change_sets?: ChangeSet[]; changes?: Change[]; deleted_users?: DeletedUser[] };

/** Of another database, with their numbers. */
export async function insertHistory(
  trx: Trx,
  { change_sets = [], changes = [], deleted_users = [] }: Copies,
): Promise<void> {
  if (change_sets.length > 0) await trx.insertInto('change_sets').values(change_sets).execute();
  if (changes.length > 0) await trx.insertInto('changes').values(changes).execute();
  if (deleted_users.length > 0) await trx.insertInto('deleted_users').values(deleted_users).execute();
}

async function insertSet(trx: Trx, actor: Actor, { kind, ...set }: NewSet): Promise<number> {
  const row = { ...set, kind: KINDS[kind], ...whoAndHow(actor) };
  const [made] = await executeCached(trx, 'record change set', row, (values) =>
    trx.insertInto('change_sets').values(values).returning('id'),
  );
  moveRevisionBySet(trx);
  return (made as { id: number }).id;
}

async function setFor(trx: Trx, actor: Actor, set: NewSet): Promise<Pick<Change, 'set_id' | 'at'>> {
  if (actor.changeSet === undefined) return { set_id: await insertSet(trx, actor, set), at: null };
  moveRevision(trx);
  const { id, at } = actor.changeSet;
  return { set_id: id, at: set.at > at ? set.at : null };
}

/** One that is alone is written last, with what costs no journey of its own. */
async function insertChange(trx: Trx, actor: Actor, change: Change): Promise<void> {
  const query = cachedQuery(trx, 'record change', change, (values) =>
    trx.insertInto('changes').values(values),
  );
  if (actor.changeSet) await trx.executeQuery(query);
  else writeLast(trx, () => [query]);
}

function whoAndHow({ user, via }: Actor) {
  const kind = user ? 'user' : via === 'command line' ? via : 'visitor';
  return {
    actor_id: user?.id ?? null,
    actor_kind: ACTORS[kind],
    via: WAYS[via === 'open' ? 'form' : via],
  };
}

function kindOf(before: User, after: User): Kind {
  if (before.is_active === after.is_active) return 'changed';
  return after.is_active ? 'activated' : 'deactivated';
}
