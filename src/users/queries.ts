/** One user in the database: finding, making, changing and deleting them. */
import { executeCached } from '../db/cached-query.ts';
import { engineOf } from '../db/engine.ts';
import type { Db, Trx, User } from '../db/schema.ts';
import { NotFoundError } from '../errors.ts';
import { searchTextOf } from '../search/terms.ts';
import { followChange } from '../sessions/last-administrator.ts';
import { ROLES } from '../sessions/policy.ts';
import { textKey } from '../text.ts';
import type { Count } from './counts.ts';
import type { NewUser, UserChanges } from './form.ts';

export async function findUser(db: Db, id: number): Promise<User | undefined> {
  const [user] = await executeCached(db, 'user by id', { id }, (value) =>
    db.selectFrom('users').selectAll().where('id', '=', value.id),
  );
  return user;
}

/** @throws NotFoundError */
export async function getUser(db: Db, id: number): Promise<User> {
  return found(await findUser(db, id), id);
}

export async function findUserByUsername(db: Db, username: string): Promise<User | undefined> {
  return db.selectFrom('users').selectAll().where('username_key', '=', textKey(username)).executeTakeFirst();
}

export async function findUserByEmail(db: Db, email: string): Promise<User | undefined> {
  return db.selectFrom('users').selectAll().where('email_key', '=', textKey(email)).executeTakeFirst();
}

/** @throws NotUniqueError when the username or the email is taken. */
export async function insertUser(trx: Trx, user: NewUser, now: number): Promise<User> {
  const inserted = await trx
    .insertInto('users')
    .values({
      ...user,
      ...keysOf(user),
      search_text: searchTextOf(user),
      created_at: now,
      updated_at: now,
      version: 1,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  await engineOf(trx).indexSearchText(trx, inserted.id, undefined, inserted.search_text);
  await addToCounts(trx, tally([inserted]));
  return inserted;
}

/**
 * Inserts many at once, leaving out whoever's username or email is taken.
 * @returns how many were inserted, for the caller, in `bulkLoadUsers`, to `addToCounts` at the end.
 */
export async function insertUsers(
  trx: Trx,
  users: readonly (NewUser & { created_at: number; updated_at: number })[],
): Promise<Count[]> {
  const inserted = await trx
    .insertInto('users')
    .values(users.map((user) => ({ ...user, ...keysOf(user), search_text: searchTextOf(user), version: 1 })))
    .onConflict((conflict) => conflict.doNothing())
    .returning(['is_active', 'role'])
    .execute();
  return tally(inserted);
}

/** The `limit` users after the one with an id, in the order of their ids. */
export async function findUsersAfter(db: Db, id: number, limit: number): Promise<User[]> {
  return db.selectFrom('users').selectAll().where('id', '>', id).orderBy('id').limit(limit).execute();
}

/** Inserts users as they are elsewhere, with their ids; the caller counts them, as above. */
export async function insertCopies(trx: Trx, users: readonly User[]): Promise<void> {
  await trx.insertInto('users').values(users).execute();
}

/**
 * Writes the changes, unless the user is no longer at `version` (undefined: whatever version there is).
 * @returns the user as it was and as it is afterwards, and whether the changes were written.
 * @throws NotFoundError, NotUniqueError when the username or the email is taken, and LastAdministratorError.
 */
export async function updateUser(
  trx: Trx,
  id: number,
  changes: UserChanges,
  version: number | undefined,
  now: number,
): Promise<{ isWritten: boolean; before: User; user: User }> {
  const before = found(await lockUser(trx, id), id);
  // What is there already is saved already: a form sent twice meets no conflict with itself, and one that changes
  // nothing disturbs nobody who has the same form open.
  if (Object.entries(changes).every(([name, value]) => before[name as keyof User] === value)) {
    return { isWritten: true, before, user: before };
  }
  if (version !== undefined && version !== before.version) return { isWritten: false, before, user: before };
  await followChange(trx, before, { ...before, ...changes } as User);
  const search_text = searchTextOf({ ...before, ...changes } as User);
  const user = await trx
    .updateTable('users')
    .set({ ...changes, ...keysOf(changes), search_text, updated_at: now, version: before.version + 1 })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow();
  await engineOf(trx).indexSearchText(trx, id, before.search_text, search_text);
  await addToCounts(trx, [...tally([before], -1), ...tally([user])]);
  return { isWritten: true, before, user };
}

/** @throws NotFoundError, LastAdministratorError */
export async function deleteUser(trx: Trx, id: number): Promise<User> {
  const user = found(await lockUser(trx, id), id);
  await followChange(trx, user, undefined);
  await trx.deleteFrom('users').where('id', '=', id).execute();
  await engineOf(trx).indexSearchText(trx, id, user.search_text, undefined);
  await addToCounts(trx, tally([user], -1));
  return user;
}

/** Who already has the username and the email of a submission, other than the user being changed. */
export async function findHolders(
  db: Db,
  { username, email }: { username?: string; email?: string },
  exceptId: number | undefined,
): Promise<{ username?: User; email?: User }> {
  const holders: { username?: User; email?: User } = {};
  const byUsername = username === undefined ? undefined : await findUserByUsername(db, username);
  const byEmail = email === undefined ? undefined : await findUserByEmail(db, email);
  if (byUsername && byUsername.id !== exceptId) holders.username = byUsername;
  if (byEmail && byEmail.id !== exceptId) holders.email = byEmail;
  return holders;
}

/** The user as it is until the end of the transaction. */
export async function lockUser(trx: Trx, id: number): Promise<User | undefined> {
  return trx.selectFrom('users').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
}

/** @throws NotFoundError */
function found(user: User | undefined, id: number): User {
  if (user === undefined) throw new NotFoundError(`There is no user ${id}.`);
  return user;
}

/**
 * Adds to the numbers of users, in the transaction that adds or removes them: as its last writes, since others wait for
 * these rows, and always in one order, so that no two wait for each other.
 */
export async function addToCounts(trx: Trx, counts: readonly Count[]): Promise<void> {
  for (const isActive of [true, false]) {
    for (const role of ROLES) {
      const own = counts.filter((count) => count.is_active === isActive && count.role === role);
      const change = own.reduce((sum, { count }) => sum + count, 0);
      if (change === 0) continue;
      await trx
        .updateTable('user_counts')
        .set(({ eb }) => ({ count: eb('count', '+', change) }))
        .where('is_active', '=', isActive)
        .where('role', '=', role)
        .where(engineOf(trx).ownCount)
        .execute();
    }
  }
}

/** @param sign -1 for those who are gone. */
export function tally(users: readonly Pick<User, 'is_active' | 'role'>[], sign = 1): Count[] {
  const counts = new Map<string, Count>();
  for (const { is_active, role } of users) {
    const kind = `${role} ${is_active}`;
    const count = counts.get(kind) ?? { is_active, role, count: 0 };
    count.count += sign;
    counts.set(kind, count);
  }
  return [...counts.values()];
}

/** The comparison keys of whichever of username and email is there. */
function keysOf<T extends { username?: string | undefined; email?: string | undefined }>(user: T) {
  return {
    ...(user.username !== undefined && { username_key: textKey(user.username) }),
    ...(user.email !== undefined && { email_key: textKey(user.email) }),
  } as { [K in keyof T & ('username' | 'email') as `${K}_key`]: string };
}
