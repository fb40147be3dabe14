/** Reading what a change set did, each of its users whole. */
import type { Db, Trx, User } from '../db/schema.ts';
import { usersByKeys } from '../db/users-by-keys.ts';
import { type ImportCounts, importCountsOf } from '../history/import-counts.ts';
import {
  type ChangeOfSet,
  type ChangeSet,
  findChangesInSet,
  findChangesOfUsers,
  findStandingVersions,
} from '../history/queries.ts';
import { lockUsers } from '../users/queries.ts';

/** Of more they are not counted while somebody waits. */
const MOST_COUNTED = 2_000;

export async function findChangesOf(db: Db, set: number, users?: readonly number[]): Promise<ChangeOfSet[]> {
  if (users) return findChangesOfUsers(db, set, users);
  return findChangesInSet(db, set, { user_id: 0, version: 0 }, Number.MAX_SAFE_INTEGER);
}

/** @param limit of users */
export async function findChangesAfterUser(db: Db, set: number, afterUser: number, limit: number) {
  const after = { user_id: afterUser, version: Number.MAX_SAFE_INTEGER };
  for (let size = limit + 1; ; size *= 2) {
    const found = await findChangesInSet(db, set, after, size);
    const users = [...new Set(found.map(({ user_id }) => user_id))];
    const isAll = found.length < size;
    const some = new Set((isAll ? users : users.slice(0, -1)).slice(0, limit));
    const changes = found.filter(({ user_id }) => some.has(user_id));
    if (isAll || changes.length > 0) return { changes, isLast: isAll && changes.length === found.length };
  }
}

export async function findUsersOfChanges(db: Db, changes: readonly ChangeOfSet[]): Promise<User[]> {
  return usersByKeys(db, 'id', usersIn(changes));
}

export async function lockUsersOfChanges(trx: Trx, changes: readonly ChangeOfSet[]): Promise<User[]> {
  return lockUsers(trx, usersIn(changes));
}

export function usersIn(changes: readonly ChangeOfSet[]): number[] {
  return [...new Set(changes.map(({ user_id }) => user_id))];
}

/** Of those whom an import created or changed, how many are still as it made them; undefined where that is not counted. */
export async function countUntouched(db: Db, set: ChangeSet): Promise<ImportCounts | undefined> {
  if (importCountsOf(set) === undefined || set.users > MOST_COUNTED) return undefined;
  const versions = await findStandingVersions(db, set.id);
  const created = versions.filter((version) => version === 1).length;
  return { created, changed: versions.length - created };
}
