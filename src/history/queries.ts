/** Reading history. */
import type { Selectable } from 'kysely';
import { lockErasing } from '../auth/drafts.ts';
import { executeCached } from '../db/cached-query.ts';
import type { ChangeSet, ChangesTable, Db, Trx } from '../db/schema.ts';
import { usersByIds } from '../db/users-by-ids.ts';
import { unpackValues } from './fields.ts';
import { KINDS, type Kind } from './kinds.ts';

export type { ChangeSet };
export type Change = Selectable<ChangesTable>;

export async function findChangeSet(db: Db, id: number): Promise<ChangeSet | undefined> {
  return db.selectFrom('change_sets').selectAll().where('id', '=', id).executeTakeFirst();
}

export async function findChangeSetsAfter(db: Db, id: number, limit: number): Promise<ChangeSet[]> {
  return db.selectFrom('change_sets').selectAll().where('id', '>', id).orderBy('id').limit(limit).execute();
}

export async function isAnyOfKind(db: Db, kind: Kind): Promise<boolean> {
  const sets = db.selectFrom('change_sets').select('id').where('kind', '=', KINDS[kind]);
  return (await sets.limit(1).executeTakeFirst()) !== undefined;
}

export async function findChangesAfter(
  db: Db,
  { user_id, version }: Pick<Change, 'user_id' | 'version'>,
  limit: number,
): Promise<Change[]> {
  return db
    .selectFrom('changes')
    .selectAll()
    .where(({ eb, refTuple, tuple }) => eb(refTuple('user_id', 'version'), '>', tuple(user_id, version)))
    .orderBy('user_id')
    .orderBy('version')
    .limit(limit)
    .execute();
}

/** With what someone arrived of whom there is no creation, if that was noted. */
export async function findBeginning(db: Db, userId: number): Promise<ChangeSet | undefined> {
  for (const kind of [KINDS.began, KINDS.loaded]) {
    const [beginning] = await executeCached(db, 'beginning of a user', { kind, userId }, (values) =>
      db
        .selectFrom('change_sets')
        .selectAll()
        .where('kind', '=', values.kind)
        .where('first_id', '<=', values.userId)
        .where('last_id', '>=', values.userId)
        .orderBy('at')
        .limit(1),
    );
    if (beginning) return beginning;
  }
  return undefined;
}

/** By what people are called; those who are deleted by now only where they may be known. */
export async function findNames(
  db: Db,
  ids: readonly (number | null)[],
  seesDeleted: boolean,
): Promise<ReadonlyMap<number, string>> {
  const wanted = [...new Set(ids.filter((id) => id !== null))];
  const names = new Map<number, string>();
  if (wanted.length === 0) return names;
  const there = usersByIds(db, wanted).select(['users.id', 'users.username']);
  for (const { id, username } of await there.execute()) names.set(id, username);
  const gone = wanted.filter((id) => !names.has(id));
  if (gone.length === 0 || !seesDeleted) return names;
  // What is kept with these names would else outlast somebody who is erased before it is saved.
  if (db.isTransaction) await lockErasing(db as Trx);
  const deleted = db.selectFrom('deleted_users').select(['id', 'fields']).where('id', 'in', gone);
  for (const { id, fields } of await deleted.execute()) names.set(id, unpackValues(fields).username);
  return names;
}

export type DoneBy = Pick<ChangeSet, 'actor_id' | 'actor_kind' | 'via' | 'at'>;

/** What made a version of a user and all after it, the last first. */
export async function findFieldsFrom(
  db: Db,
  userId: number,
  version: number,
): Promise<Pick<Change, 'fields'>[]> {
  return db
    .selectFrom('changes')
    .select('fields')
    .where('user_id', '=', userId)
    .where('version', '>=', version)
    .orderBy('version', 'desc')
    .execute();
}

export type ChangeOfSet = Pick<Change, 'user_id' | 'version' | 'set_id' | 'fields'>;

/** Of sets that changed one user each; of two in one, what somebody was brought back with is the last. */
export async function findChangesOfSets(db: Db, sets: readonly number[]): Promise<ChangeOfSet[]> {
  if (sets.length === 0) return [];
  const changes = db.selectFrom('changes').select(['user_id', 'version', 'set_id', 'fields']);
  const found = await changes.where('set_id', 'in', sets).execute();
  return found.sort((one, other) => one.version - other.version);
}

export type ChangePlace = Pick<Change, 'set_id' | 'user_id' | 'version'>;

/** In the order of sets, and of users in each. @param last the last set to look at */
export async function findChangesPast(
  db: Db,
  { set_id, user_id, version }: ChangePlace,
  limit: number,
  last?: number,
): Promise<ChangeOfSet[]> {
  const changes = db.selectFrom('changes').select(['user_id', 'version', 'set_id', 'fields']);
  const past = changes.where(({ eb, refTuple, tuple }) =>
    eb(refTuple('set_id', 'user_id', 'version'), '>', tuple(set_id, user_id, version)),
  );
  return (last === undefined ? past : past.where('set_id', '<=', last))
    .orderBy('set_id')
    .orderBy('user_id')
    .orderBy('version')
    .limit(limit)
    .execute();
}

export async function findUsersOfSets(
  db: Db,
  sets: readonly number[],
): Promise<Pick<Change, 'set_id' | 'user_id'>[]> {
  if (sets.length === 0) return [];
  return db.selectFrom('changes').select(['set_id', 'user_id']).where('set_id', 'in', sets).execute();
}

/** Of one set, in the order of its users, of whom it may have changed one more than once. */
export async function findChangesInSet(
  db: Db,
  set: number,
  { user_id, version }: Pick<Change, 'user_id' | 'version'>,
  limit: number,
): Promise<ChangeOfSet[]> {
  return (
    db
      .selectFrom('changes')
      .select(['user_id', 'version', 'set_id', 'fields'])
      // In an order that no other index has: PostgreSQL goes through all users for a large set else.
      .where(({ eb, refTuple, tuple }) => eb(refTuple('set_id', 'user_id'), '>=', tuple(set, user_id)))
      .where('set_id', '<=', set)
      .where(({ eb, or }) => or([eb('user_id', '>', user_id), eb('version', '>', version)]))
      .orderBy('set_id')
      .orderBy('user_id')
      .orderBy('version')
      .limit(limit)
      .execute()
  );
}

export async function findChangesOfUsers(
  db: Db,
  set: number,
  users: readonly number[],
): Promise<ChangeOfSet[]> {
  if (users.length === 0) return [];
  const changes = db.selectFrom('changes').select(['user_id', 'version', 'set_id', 'fields']);
  const found = changes.where('set_id', '=', set).where('user_id', 'in', users);
  return found.orderBy('user_id').orderBy('version').execute();
}

/** The versions that a set has made and that still stand, of users who cannot sign in by now if it has created them. */
export async function findStandingVersions(db: Db, set: number): Promise<number[]> {
  const changes = await db
    .selectFrom('changes')
    .innerJoin('users', (join) =>
      join.onRef('users.id', '=', 'changes.user_id').onRef('users.version', '=', 'changes.version'),
    )
    .leftJoin('credentials', 'credentials.user_id', 'changes.user_id')
    .select('changes.version')
    .where('changes.set_id', '=', set)
    .where(({ eb, or }) => or([eb('changes.version', '>', 1), eb('credentials.user_id', 'is', null)]))
    .execute();
  return changes.map(({ version }) => version);
}

export async function lockChangeSet(trx: Trx, id: number): Promise<void> {
  await trx.selectFrom('change_sets').select('id').where('id', '=', id).forUpdate().execute();
}
