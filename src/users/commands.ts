/** The one write path: every change of a user, judged on the locked row and written in one transaction. */

import { type Actor, audit, authorize } from '../auth/actor.ts';
import { revokeAccessAfterChanges } from '../auth/administrators.ts';
import { mayChange, mayChangeFields, mayEdit, mayManage, maySignIn, type Rule } from '../auth/policy.ts';
import { derivedColumns } from '../db/derived-columns.ts';
import { indexLastSignInsOf } from '../db/last-sign-ins.ts';
import { updateRows } from '../db/many-rows.ts';
import type { Trx, User } from '../db/schema.ts';
import { KINDS } from '../history/codes.ts';
import { changedFields, type KeptValues, unpackValues } from '../history/fields.ts';
import { findDeleted } from '../history/queries.ts';
import { recordChanges, recordDeletion, recordRestoring, takeDeleted } from '../history/record.ts';
import { readSince, type Since } from '../history/since.ts';
import { findTimesOf } from '../history/versions.ts';
import { textKey } from '../lib/text.ts';
import { type EditedField, type Merge, merge } from './merge.ts';
import { getLockedUser, getUser, lockUsers } from './queries.ts';
import type { NewUser, UserChanges } from './validation.ts';
import { addToIndexAndCounts, insertUsers, later, writeChanges, writeCreations } from './write.ts';

type Named = Pick<User, 'id' | 'username'>;

/** `set`, here and below: the change set in which it was done. */
export type Created = { kind: 'created'; user: User; set: number };
export type Changed = Merged | Conflict;
/** `theirs`: what others have changed since `editedVersion`, and is kept. */
type Merged = ({ kind: 'changed'; set: number } | { kind: 'unchanged' }) & {
  user: User;
  theirs: readonly EditedField[];
  since: Since;
};
/** Since `editedVersion` the same was changed, to something else: nothing is written. */
export type Conflict = { kind: 'conflict'; user: User; mine: UserChanges; merge: Merge; since: Since };
/** `ids`: those who are gone, or have been changed since; nothing is written. */
export type ChangedMany = { kind: 'changed'; users: User[] } | { kind: 'changed since'; ids: number[] };
export type Deleted =
  | { kind: 'deleted'; user: Named; set: number }
  | { kind: 'changed since'; user: User; since: Since };
export type Restored =
  | { kind: 'restored'; user: User; set: number }
  | { kind: 'there already'; user: User }
  | { kind: 'deleted again'; user: Named };

/** @throws ForbiddenError, NotUniqueError (username or email taken) */
export async function createUser(trx: Trx, actor: Actor, user: NewUser, now: number): Promise<Created> {
  authorize(actor, mayCreate(user));
  const { created, set } = await writeCreations(trx, actor, [user], now);
  return { kind: 'created', user: created[0] as User, set };
}

/** In the order in which they are given. @throws ForbiddenError, NotUniqueError (a username or email is taken) */
export async function createUsers(
  trx: Trx,
  actor: Actor,
  users: readonly NewUser[],
  now: number,
): Promise<User[]> {
  if (users.length === 0) return [];
  for (const user of users) authorize(actor, mayCreate(user));
  return (await writeCreations(trx, actor, users, now)).created;
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
  const { theirs } = merged;
  if (Object.keys(merged.changes).length === 0) return { kind: 'unchanged', user: before, theirs, since };
  const { changed, set } = await writeChanges(trx, actor, [{ before, changes: merged.changes }], now);
  return { kind: 'changed', user: changed[0] as User, set, theirs, since };
}

/**
 * All or none, in the actor's change set; names may be passed on among them. Who is already so is not among those who are returned.
 * @param changes each user once; `version`: of whom it was decided
 * @throws ForbiddenError, NotUniqueError (a username or email is taken), LastAdministratorError
 */
export async function changeUsers(
  trx: Trx,
  actor: Actor,
  changes: readonly (Pick<User, 'id' | 'version'> & { changes: UserChanges })[],
  now: number,
): Promise<ChangedMany> {
  const ids = changes.map(({ id }) => id);
  const users = new Map((await lockUsers(trx, ids)).map((user) => [user.id, user]));
  const since = changes.filter(({ id, version }) => users.get(id)?.version !== version);
  if (since.length > 0) return { kind: 'changed since', ids: since.map(({ id }) => id) };
  const all = changes.map(({ id, changes }) => whatIsNew(users.get(id) as User, changes));
  for (const { before, changes } of all)
    authorize(actor, (someone) => mayChangeFields(someone, before, Object.keys(changes)));
  const wanted = all.filter(({ changes }) => Object.keys(changes).length > 0);
  if (wanted.length === 0) return { kind: 'changed', users: [] };
  const { changed } = await writeChanges(trx, actor, await passNamesOn(trx, wanted), now);
  return { kind: 'changed', users: changed };
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
  await revokeAccessAfterChanges(trx, [{ before: user, after: undefined }]);
  await trx.deleteFrom('users').where('id', '=', id).execute();
  const set = await recordDeletion(trx, actor, user, later(now, user));
  addToIndexAndCounts(trx, [{ before: user, after: undefined }]);
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
  const row = { id, ...after, ...derivedColumns(after), updated_at, version };
  const [user] = (await insertUsers(trx, [row])) as [User];
  // As they were, even if their username has been somebody else's since: what is changed comes after it.
  const restored = { ...user, ...values, version: deleted.version + 1 };
  const set = await recordRestoring(trx, actor, restored);
  const changeSet = actor.changeSet ?? { id: set, at: updated_at, kind: KINDS.restored, subject_id: null };
  if (isChanged) await recordChanges(trx, { ...actor, changeSet }, [{ before: restored, after: user }]);
  await indexLastSignInsOf(trx, [user].filter(maySignIn));
  addToIndexAndCounts(trx, [{ before: undefined, after: user }]);
  if (user.role !== 'member') audit(trx, actor, `restored: ${user.role}`, user);
  return { kind: 'restored', user, set };
}

/** For users who are about to take each other's names: until each is changed, in the same transaction, nobody has these. */
export async function setNamesAside(trx: Trx, ids: readonly number[]): Promise<void> {
  await updateRows(
    trx,
    'users',
    ids.map((id) => ({ id, ...nobodys(id) })),
  );
}

/** No username and no email is like that. */
function nobodys(id: number) {
  return { username_key: `--${id}`, email_key: `--${id}` };
}

/** @throws NotFoundError */
async function notRestored(trx: Trx, id: number): Promise<Restored> {
  const deleted = await findDeleted(trx, id);
  if (deleted === undefined) return { kind: 'there already', user: await getUser(trx, id) };
  return { kind: 'deleted again', user: { id, username: unpackValues(deleted.fields).username } };
}

function mayCreate({ role }: NewUser): Rule {
  return role === 'member' ? mayEdit : mayManage;
}

type Wanted = { before: User; changes: UserChanges };

function whatIsNew(before: User, changes: UserChanges): Wanted {
  return { before, changes: merge(before, before, changes).changes };
}

/** Whoever gives up a name that another of them takes has none until they are changed. */
async function passNamesOn(trx: Trx, wanted: readonly Wanted[]): Promise<Wanted[]> {
  const taken = new Set(wanted.flatMap(({ changes }) => Object.values(keysOf(changes))));
  const givesUp = ({ before, changes }: Wanted) => {
    const { username, email } = keysOf(changes);
    return (username && taken.has(before.username_key)) || (email && taken.has(before.email_key));
  };
  const ids = wanted.filter(givesUp).map(({ before }) => before.id);
  await setNamesAside(trx, ids);
  const aside = new Set(ids);
  return wanted.map(({ before, changes }) => {
    return { before: aside.has(before.id) ? { ...before, ...nobodys(before.id) } : before, changes };
  });
}

function keysOf({ username, email }: UserChanges) {
  return { username: username && textKey(username), email: email && textKey(email) };
}
