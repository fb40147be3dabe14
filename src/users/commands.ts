/** The one write path: every change of a user, judged on the locked row and written in one transaction. */

import { type Actor, authorize } from '../auth/actor.ts';
import { mayChange, mayChangeFields, mayCreate } from '../auth/policy.ts';
import { derivedColumns } from '../db/derived-columns.ts';
import { updateRows } from '../db/many-rows.ts';
import type { Trx, User } from '../db/schema.ts';
import { type ChangesSince, readChangesSince } from '../history/changes-since.ts';
import { type DeletedUser, findDeleted, lockDeleted } from '../history/deleted-queries.ts';
import { changedFields, type KeptValues, unpackValues } from '../history/fields.ts';
import { takeAllDeleted, takeDeleted } from '../history/record.ts';
import { findTimesOf } from '../history/versions.ts';
import { textKey } from '../lib/text.ts';
import { type EditedField, type Merge, merge } from './merge.ts';
import { getLockedUser, getUser, lockUsers } from './queries.ts';
import type { NewUser, UserChanges } from './validation.ts';
import { writeChanges, writeCreations, writeDeletions, writeRestorings } from './write.ts';

type Named = Pick<User, 'id' | 'username'>;
/** `version`: the one of whom it was decided. */
type Shown = Pick<User, 'id' | 'version'>;

/** `set`, here and below: the change set in which it was done. */
export type Created = { kind: 'created'; user: User; set: number };
export type Changed = Merged | Conflict;
/** `theirs`: what others have changed since `editedVersion`, and is kept. */
export type Merged = ({ kind: 'changed'; before: User; set: number } | { kind: 'unchanged' }) & {
  user: User;
  theirs: readonly EditedField[];
  since: ChangesSince;
};
/** Since `editedVersion` the same was changed, to something else: nothing is written. */
export type Conflict = { kind: 'conflict'; user: User; mine: UserChanges; merge: Merge; since: ChangesSince };
/** `ids`: those who are gone, or have been changed since; nothing is written. */
export type ChangedMany = { kind: 'changed'; users: User[] } | { kind: 'changed since'; ids: number[] };
export type Deleted =
  | { kind: 'deleted'; user: Named; set: number }
  | { kind: 'changed since'; user: User; since: ChangesSince };
export type Restored =
  | { kind: 'restored'; user: User; set: number }
  | { kind: 'there already'; user: User }
  | { kind: 'deleted again'; user: Named };

export function setOf(merged: Merged): number | undefined {
  return merged.kind === 'changed' ? merged.set : undefined;
}

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
  const since = await readChangesSince(trx, before, editedVersion);
  const merged = merge(since.base, before, changes);
  if (merged.conflicts.length > 0)
    return { kind: 'conflict', user: before, mine: changes, merge: merged, since };
  // A form sent twice meets no conflict with itself, and one that changes nothing disturbs nobody who has it open.
  const { theirs } = merged;
  if (Object.keys(merged.changes).length === 0) return { kind: 'unchanged', user: before, theirs, since };
  const { changed, set } = await writeChanges(trx, actor, [{ before, changes: merged.changes }], now);
  return { kind: 'changed', before, user: changed[0] as User, set, theirs, since };
}

/** All or none, in the actor's change set; who is already so is not returned. @param changes each user once @throws ForbiddenError, NotUniqueError, LastAdministratorError */
export async function changeUsers(
  trx: Trx,
  actor: Actor,
  changes: readonly (Shown & { changes: UserChanges })[],
  now: number,
): Promise<ChangedMany> {
  const { users, since } = await lockAsShown(trx, changes);
  if (since.length > 0) return { kind: 'changed since', ids: since };
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
  const since = await readChangesSince(trx, user, shownVersion);
  if (since.base === undefined || changedFields(since.base, user).length > 0)
    return { kind: 'changed since', user, since };
  const set = await writeDeletions(trx, actor, [user], now);
  return { kind: 'deleted', user, set };
}

/** All or none, in the actor's change set. @throws ForbiddenError, LastAdministratorError, before anything is written */
export async function deleteUsers(
  trx: Trx,
  actor: Actor,
  shown: readonly Shown[],
  now: number,
): Promise<ChangedMany> {
  const { users, since } = await lockAsShown(trx, shown);
  if (since.length > 0) return { kind: 'changed since', ids: since };
  for (const user of users.values()) authorize(actor, (someone) => mayChange(someone, user));
  if (shown.length > 0) await writeDeletions(trx, actor, [...users.values()], now);
  return { kind: 'changed', users: [...users.values()] };
}

/** With number and values, but not how they signed in. @param shownVersion the last they had @throws NotFoundError, ForbiddenError, NotUniqueError */
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
  const at = Math.max(now, ...(await findTimesOf(trx, id, [deleted.version])));
  const before = restoredUser(deleted, values, at);
  const isChanged = fields.length > 0;
  const changed = { ...before, ...after, ...derivedColumns(after), version: before.version + 1 };
  const { users, set } = await writeRestorings(trx, actor, [{ before, after: isChanged ? changed : before }]);
  const [user] = users as [User];
  return { kind: 'restored', user, set };
}

/** As they were, all or none, in the actor's change set. @throws ForbiddenError, NotUniqueError (a username or email is taken) */
export async function restoreUsers(
  trx: Trx,
  actor: Actor,
  shown: readonly Shown[],
  now: number,
): Promise<ChangedMany> {
  if (shown.length === 0) return { kind: 'changed', users: [] };
  const ids = shown.map(({ id }) => id);
  const deleted = new Map((await lockDeleted(trx, ids)).map((one) => [one.id, one]));
  const since = shown.filter(({ id, version }) => deleted.get(id)?.version !== version + 1);
  if (since.length > 0) return { kind: 'changed since', ids: since.map(({ id }) => id) };
  const users = [...deleted.values()].map((one) =>
    restoredUser(one, unpackValues(one.fields), Math.max(now, one.at)),
  );
  for (const user of users) authorize(actor, (someone) => mayChangeFields(someone, user, []));
  await takeAllDeleted(trx, ids);
  await writeRestorings(
    trx,
    actor,
    users.map((user) => ({ before: user, after: user })),
  );
  return { kind: 'changed', users };
}

/** Each once. `since`: those who are gone, or have been changed. */
async function lockAsShown(trx: Trx, shown: readonly Shown[]) {
  const locked = await lockUsers(
    trx,
    shown.map(({ id }) => id),
  );
  const users = new Map(locked.map((user) => [user.id, user]));
  const since = shown.filter(({ id, version }) => users.get(id)?.version !== version).map(({ id }) => id);
  return { users, since };
}

type Wanted = { before: User; changes: UserChanges };

function whatIsNew(before: User, changes: UserChanges): Wanted {
  return { before, changes: merge(before, before, changes).changes };
}

/** Whoever gives up a name that another of them takes has none until they are changed, in the same transaction. */
async function passNamesOn(trx: Trx, wanted: readonly Wanted[]): Promise<Wanted[]> {
  const taken = new Set(wanted.flatMap(({ changes }) => Object.values(keysOf(changes))));
  const givesUp = ({ before, changes }: Wanted) => {
    const { username, email } = keysOf(changes);
    return (username && taken.has(before.username_key)) || (email && taken.has(before.email_key));
  };
  const nameless = wanted.filter(givesUp).map(({ before: { id } }) => ({ id, ...keysOfNobody(id) }));
  await updateRows(trx, 'users', nameless);
  const keysById = new Map(nameless.map((keys) => [keys.id, keys]));
  return wanted.map((one) => {
    const keys = keysById.get(one.before.id);
    return keys ? { ...one, before: { ...one.before, ...keys } } : one;
  });
}

function keysOf({ username, email }: UserChanges) {
  return { username: username && textKey(username), email: email && textKey(email) };
}

/** No username and no email is like that. */
function keysOfNobody(id: number) {
  return { username_key: `--${id}`, email_key: `--${id}` };
}

async function notRestored(trx: Trx, id: number): Promise<Restored> {
  const deleted = await findDeleted(trx, id);
  if (deleted === undefined) return { kind: 'there already', user: await getUser(trx, id) };
  return { kind: 'deleted again', user: { id, username: unpackValues(deleted.fields).username } };
}

function restoredUser({ id, version }: DeletedUser, values: KeptValues, updated_at: number): User {
  return { id, ...values, ...derivedColumns(values), updated_at, version: version + 1 };
}
