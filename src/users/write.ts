/** What is written of users, of one as of many: rows, access that ends, history, totals, what is searched through, lines in the log. */
import { type Actor, audit } from '../auth/actor.ts';
import { revokeAccessAfterChanges } from '../auth/administrators.ts';
import { maySignIn } from '../auth/policy.ts';
import { announceAssignedId } from '../db/assigned-ids.ts';
import { changesDerived, derivedColumns } from '../db/derived-columns.ts';
import { engineOf } from '../db/engine.ts';
import { indexLastSignInsOf } from '../db/last-sign-ins.ts';
import { insertion, updateRows } from '../db/many-rows.ts';
import type { Trx, User, UserRow } from '../db/schema.ts';
import { addToCountsLast, countByKind } from '../db/user-counts.ts';
import { KINDS } from '../history/kinds.ts';
import {
  type ChangedUser,
  recordChanges,
  recordCreations,
  recordDeletions,
  recordRestorings,
} from '../history/record.ts';
import type { NewUser, UserChanges } from './validation.ts';

/** `set`, here and below: the change set in which it was done. */
export async function writeCreations(
  trx: Trx,
  actor: Actor,
  users: readonly NewUser[],
  now: number,
): Promise<{ created: User[]; set: number }> {
  // Also of made-up people, who are created long before they are made: what is done to them comes after that.
  const updated_at = Math.max(now, actor.changeSet?.at ?? now);
  const rows = users.map(({ full_name = null, ...user }) => {
    const derived = derivedColumns({ ...user, full_name });
    return { ...user, full_name, ...derived, created_at: now, updated_at, version: 1 };
  });
  const created = await insertUsers(trx, rows);
  const set = await recordCreations(trx, actor, created, now);
  await indexLastSignInsOf(trx, created.filter(maySignIn));
  await addToIndexAndCounts(
    trx,
    created.map((after) => ({ before: undefined, after })),
  );
  for (const user of created) if (user.role !== 'member') audit(trx, actor, `role given: ${user.role}`, user);
  return { created, set };
}

/** @throws LastAdministratorError before anything is written */
export async function writeChanges(
  trx: Trx,
  actor: Actor,
  wanted: readonly { before: User; changes: UserChanges }[],
  now: number,
): Promise<{ changed: User[]; set: number }> {
  const changes = wanted.map(({ before, changes }) => ({
    before,
    after: applyChanges(before, changes, now),
  }));
  await revokeAccessAfterChanges(trx, changes);
  await updateRows(trx, 'users', changes.map(changedColumns));
  const set = await recordChanges(trx, actor, changes);
  const moved = changes.filter(({ before, after }) => maySignIn(before) !== maySignIn(after));
  await indexLastSignInsOf(
    trx,
    moved.map(({ after }) => after),
  );
  await addToIndexAndCounts(trx, changes);
  for (const change of changes) auditAccess(trx, actor, change);
  return { changed: changes.map(({ after }) => after), set };
}

/** @throws LastAdministratorError before anything is written */
export async function writeDeletions(
  trx: Trx,
  actor: Actor,
  users: readonly User[],
  now: number,
): Promise<number> {
  const changes = users.map((before) => ({ before, after: undefined }));
  await revokeAccessAfterChanges(trx, changes);
  const ids = users.map(({ id }) => id);
  await trx.deleteFrom('users').where(engineOf(trx).isOneOf('id', ids)).execute();
  const set = await recordDeletions(
    trx,
    actor,
    users.map((user) => ({ user, at: timeOfChange(now, user) })),
  );
  await addToIndexAndCounts(trx, changes);
  for (const user of users) if (user.role !== 'member') audit(trx, actor, 'deleted', user);
  return set;
}

/** `before`: as they were deleted; `after`: as they are now, where something is changed at once. */
export async function writeRestorings(
  trx: Trx,
  actor: Actor,
  restored: readonly ChangedUser[],
): Promise<{ users: User[]; set: number }> {
  const users = restored.map(({ after }) => after);
  await insertUsers(trx, users);
  // As they were, even if their username has been somebody else's since: what is changed comes after it.
  const asTheyWere = restored.map(({ before }) => before);
  const set = await recordRestorings(trx, actor, asTheyWere);
  const changed = restored.filter(({ before, after }) => before.version < after.version);
  if (changed.length > 0) {
    const at = Math.max(...users.map(({ updated_at }) => updated_at));
    const changeSet = actor.changeSet ?? { id: set, at, kind: KINDS.restored, subject_id: null };
    await recordChanges(trx, { ...actor, changeSet }, changed);
  }
  await indexLastSignInsOf(trx, users.filter(maySignIn));
  await addToIndexAndCounts(
    trx,
    users.map((after) => ({ before: undefined, after })),
  );
  for (const user of users) if (user.role !== 'member') audit(trx, actor, `restored: ${user.role}`, user);
  return { users, set };
}

async function insertUsers(trx: Trx, rows: readonly UserRow[]): Promise<User[]> {
  const query = insertion(trx, 'users', rows, ['id', 'username_key']);
  const { rows: inserted } = await trx.executeQuery(query);
  await announceAssignedId(trx, 'users', Math.max(...inserted.map(({ id }) => id)));
  const ids = new Map(inserted.map(({ id, username_key }) => [username_key, id]));
  return rows.map((row) => ({ ...row, id: ids.get(row.username_key) }) as User);
}

type Change = { before: User | undefined; after: User | undefined };

async function addToIndexAndCounts(trx: Trx, changes: readonly Change[]): Promise<void> {
  const texts = changes.map(({ before, after }) => {
    const { id } = (after ?? before) as User;
    return { id, before: before?.search_text, after: after?.search_text };
  });
  await engineOf(trx).indexSearchTexts(trx, texts);
  const before = changes.flatMap((change) => change.before ?? []);
  const after = changes.flatMap((change) => change.after ?? []);
  addToCountsLast(trx, [...countByKind(before, -1), ...countByKind(after)]);
}

/** Of one user's changes none is before the one that it follows, whatever clocks say. */
function timeOfChange(now: number, { updated_at }: User): number {
  return Math.max(now, updated_at);
}

function applyChanges(before: User, changes: UserChanges, now: number): User {
  const after = {
    ...before,
    ...changes,
    updated_at: timeOfChange(now, before),
    version: before.version + 1,
  } as User;
  return changesDerived(before, after) ? { ...after, ...derivedColumns(after) } : after;
}

function changedColumns({ before, after }: ChangedUser) {
  const isOther = ([name, value]: [string, unknown]) => name === 'id' || value !== before[name as keyof User];
  return Object.fromEntries(Object.entries(after).filter(isOther)) as Partial<User> & Pick<User, 'id'>;
}

function auditAccess(trx: Trx, actor: Actor, { before, after }: ChangedUser): void {
  if (after.email !== before.email && after.role !== 'member') audit(trx, actor, 'email changed', after);
  if (after.role !== before.role)
    audit(trx, actor, `role changed from ${before.role} to ${after.role}`, after);
  if (after.is_active !== before.is_active && after.role !== 'member')
    audit(trx, actor, after.is_active ? 'activated' : 'deactivated', after);
}
