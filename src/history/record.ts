/** Writing history: what was done, by whom, to whom, in the transaction that does it. */
import { type Actor, audit } from '../auth/actor.ts';
import { executeCached } from '../db/cached-query.ts';
import { engineOf } from '../db/engine.ts';
import type { ChangeKind, ChangeSetKind, Trx, User } from '../db/schema.ts';
import { packChanges, packValues } from './fields.ts';
import type { Change, ChangeSet } from './queries.ts';

export type NewChange = {
  user_id: number;
  kind: ChangeKind;
  /** Null for what is no change of the user. */
  version: number | null;
  fields: string | null;
};

type NewSet = { at: number; kind: ChangeSetKind; event?: string; users?: number };

/** A creation keeps no values: they are those of the row, or what later changes have replaced. */
export const created = ({ id, version }: User): NewChange => ({
  user_id: id,
  kind: 'created',
  version,
  fields: null,
});

export const changed = (before: User, after: User): NewChange => ({
  user_id: after.id,
  kind: 'changed',
  version: after.version,
  fields: packChanges(before, after),
});

export const deleted = (user: User): NewChange => ({
  user_id: user.id,
  kind: 'deleted',
  version: user.version + 1,
  fields: packValues(user),
});

export const restored = ({ id, version }: User): NewChange => ({
  user_id: id,
  kind: 'restored',
  version,
  fields: null,
});

/** @returns the number of the change set. */
export async function record(
  trx: Trx,
  actor: Actor,
  { at, kind, event, users }: NewSet,
  changes: readonly NewChange[],
): Promise<number> {
  const set = {
    at,
    kind,
    event: event ?? null,
    via: actor.via,
    actor_id: actor.user?.id ?? null,
    undoes: null,
    users: users ?? changes.length,
  };
  const [row] = await executeCached(trx, 'record change set', set, (values) =>
    trx.insertInto('change_sets').values(values).returning('id'),
  );
  const { id } = row as { id: number };
  for (const change of changes)
    await executeCached(trx, 'record change', { ...change, set_id: id }, (values) =>
      trx.insertInto('changes').values(values),
    );
  await engineOf(trx).moveRevision(trx);
  return id;
}

/** Many users who arrive at once: one set for them all, and no change for each. @param set of those who came before */
export async function recordLoad(
  trx: Trx,
  actor: Actor,
  { at, kind, users }: { at: number; kind: 'loaded' | 'copied'; users: number },
  set?: number,
): Promise<number> {
  if (set === undefined) return record(trx, actor, { at, kind, users }, []);
  await trx
    .updateTable('change_sets')
    .set(({ eb }) => ({ users: eb('users', '+', users) }))
    .where('id', '=', set)
    .execute();
  await engineOf(trx).moveRevision(trx);
  return set;
}

/** Of another database, with their numbers. */
export async function insertHistory(
  trx: Trx,
  { sets = [], changes = [] }: { sets?: readonly ChangeSet[]; changes?: readonly Change[] },
): Promise<void> {
  if (sets.length > 0) await trx.insertInto('change_sets').values(sets).execute();
  if (changes.length > 0) await trx.insertInto('changes').values(changes).execute();
}

/** What was done to how someone signs in: a fact in their history, and a line in the log. */
export async function recordAccess(
  trx: Trx,
  actor: Actor,
  event: string,
  user: { id: number; username: string } | undefined,
  now: number,
): Promise<void> {
  audit(trx, actor, event, user);
  const changes: NewChange[] = user
    ? [{ user_id: user.id, kind: 'access', version: null, fields: null }]
    : [];
  await record(trx, actor, { at: now, kind: 'access', event }, changes);
}
