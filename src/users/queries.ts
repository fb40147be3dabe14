/** Everything that is asked of the users in the database, and every change to them. */
import type { ExpressionBuilder, SelectQueryBuilder } from 'kysely';
import type { Db, Schema, Trx, User } from '../db/schema.ts';
import { NotFoundError } from '../errors.ts';
import { textKey } from '../text.ts';
import type { NewUser, UserChanges } from './form.ts';
import type { Filter, Sort, SortKey } from './list.ts';

export type { User };

/** How many users there are of each status. */
export type Counts = { active: number; inactive: number };

const DAY = 24 * 60 * 60 * 1000;

const SORT_COLUMNS = {
  id: 'id',
  username: 'username_key',
  email: 'email_key',
  created: 'created_at',
} as const satisfies Record<SortKey, keyof User>;

export async function findUser(db: Db, id: number): Promise<User | undefined> {
  return db.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirst();
}

/** @throws NotFoundError */
export async function getUser(db: Db, id: number): Promise<User> {
  const user = await findUser(db, id);
  if (user === undefined) throw new NotFoundError(`There is no user ${id}.`);
  return user;
}

export async function findUserByUsername(db: Db, username: string): Promise<User | undefined> {
  return db.selectFrom('users').selectAll().where('username_key', '=', textKey(username)).executeTakeFirst();
}

export async function findUserByEmail(db: Db, email: string): Promise<User | undefined> {
  return db.selectFrom('users').selectAll().where('email_key', '=', textKey(email)).executeTakeFirst();
}

export async function countByStatus(db: Db): Promise<Counts> {
  const rows = await db.selectFrom('user_counts').selectAll().execute();
  const counts = { active: 0, inactive: 0 };
  for (const { is_active, count } of rows) counts[is_active ? 'active' : 'inactive'] += count;
  return counts;
}

/** How many users a filter lets through; kept rather than counted, unless it is by date. */
export async function countUsers(db: Db, filter: Filter): Promise<number> {
  if (filter.createdAfter === undefined && filter.createdBefore === undefined) {
    const counts = await countByStatus(db);
    return filter.status ? counts[filter.status] : counts.active + counts.inactive;
  }
  const { count } = await db
    .selectFrom('users')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where((where) => matches(where, filter))
    .executeTakeFirstOrThrow();
  return count;
}

/**
 * The users at `offset` to `offset + limit` of the `total` that a filter lets through, ordered.
 *
 * Rows are skipped over in the index alone and from the nearer end, so the last page costs what the first does.
 */
export async function listUsers(
  db: Db,
  filter: Filter,
  sort: Sort,
  { offset, limit, total }: { offset: number; limit: number; total: number },
): Promise<User[]> {
  const count = Math.min(limit, total - offset);
  if (count <= 0) return [];
  const after = total - offset - count;
  const isFromEnd = after < offset;
  const window = { offset: isFromEnd ? after : offset, limit: count };
  const users = await usersInWindow(db, filter, sort, isFromEnd, window).execute();
  return isFromEnd ? users.reverse() : users;
}

/** The query of `listUsers`, which may walk its order from the end. */
export function usersInWindow(
  db: Db,
  filter: Filter,
  sort: Sort,
  isFromEnd: boolean,
  { offset, limit }: { offset: number; limit: number },
) {
  return (
    db
      .selectFrom((from) =>
        inOrder(from.selectFrom('users').select('id'), sort, isFromEnd)
          .where((where) => matches(where, filter))
          .limit(limit)
          .offset(offset)
          .as('shown'),
      )
      // Not an inner join: SQLite keeps the order of a cross join, and so looks up just the rows shown.
      .crossJoin('users')
      .whereRef('users.id', '=', 'shown.id')
      .selectAll('users')
      .$call((query) => inOrder(query, sort, isFromEnd))
  );
}

/** @throws NotUniqueError when the username or the email is taken. */
export async function insertUser(trx: Trx, user: NewUser, now: number): Promise<User> {
  const inserted = await trx
    .insertInto('users')
    .values({ ...user, ...keysOf(user), created_at: now, updated_at: now, version: 1 })
    .returningAll()
    .executeTakeFirstOrThrow();
  await addToCount(trx, inserted.is_active, 1);
  return inserted;
}

/**
 * Inserts many at once, leaving out whoever's username or email is taken.
 * @returns how many were inserted.
 */
export async function insertUsers(
  trx: Trx,
  users: readonly (NewUser & { created_at: number; updated_at: number })[],
): Promise<number> {
  const inserted = await trx
    .insertInto('users')
    .values(users.map((user) => ({ ...user, ...keysOf(user), version: 1 })))
    .onConflict((conflict) => conflict.doNothing())
    .returning('is_active')
    .execute();
  const active = inserted.filter(({ is_active }) => is_active).length;
  await addToCount(trx, true, active);
  await addToCount(trx, false, inserted.length - active);
  return inserted.length;
}

/**
 * Writes the changes, unless the user is no longer at `version` (undefined: whatever version there is).
 * @returns the user as it is afterwards, and whether the changes were written.
 * @throws NotFoundError, and NotUniqueError when the username or the email is taken.
 */
export async function updateUser(
  trx: Trx,
  id: number,
  changes: UserChanges,
  version: number | undefined,
  now: number,
): Promise<{ isWritten: boolean; user: User }> {
  const before = await getUser(trx, id);
  if (version !== undefined && version !== before.version) return { isWritten: false, user: before };
  // Saving a form as it was disturbs nobody who has the same form open.
  if (Object.entries(changes).every(([name, value]) => before[name as keyof User] === value)) {
    return { isWritten: true, user: before };
  }
  const user = await trx
    .updateTable('users')
    .set({ ...changes, ...keysOf(changes), updated_at: now, version: before.version + 1 })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow();
  if (user.is_active !== before.is_active) {
    await addToCount(trx, before.is_active, -1);
    await addToCount(trx, user.is_active, 1);
  }
  return { isWritten: true, user };
}

/** @throws NotFoundError */
export async function deleteUser(trx: Trx, id: number): Promise<User> {
  const user = await getUser(trx, id);
  await trx.deleteFrom('users').where('id', '=', id).execute();
  await addToCount(trx, user.is_active, -1);
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

/** Adds to the number of users of a status, in the transaction that adds or removes them. */
async function addToCount(trx: Trx, isActive: boolean, change: number): Promise<void> {
  await trx
    .updateTable('user_counts')
    .set(({ eb }) => ({ count: eb('count', '+', change) }))
    .where('is_active', '=', isActive)
    .execute();
}

/** The comparison keys of whichever of username and email is there. */
function keysOf<T extends { username?: string | undefined; email?: string | undefined }>(user: T) {
  return {
    ...(user.username !== undefined && { username_key: textKey(user.username) }),
    ...(user.email !== undefined && { email_key: textKey(user.email) }),
  } as { [K in keyof T & ('username' | 'email') as `${K}_key`]: string };
}

function matches(where: ExpressionBuilder<Schema, 'users'>, filter: Filter) {
  const conditions = [];
  if (filter.status) conditions.push(where('users.is_active', '=', filter.status === 'active'));
  if (filter.createdAfter) conditions.push(where('users.created_at', '>=', startOf(filter.createdAfter)));
  if (filter.createdBefore)
    conditions.push(where('users.created_at', '<', startOf(filter.createdBefore) + DAY));
  return where.and(conditions);
}

/** Orders by a sort key and then by id, or all of it the other way round. */
function inOrder<Q extends SelectQueryBuilder<Schema, 'users', object>>(
  query: Q,
  sort: Sort,
  isReversed: boolean,
): Q {
  const isDescending = sort.startsWith('-') !== isReversed;
  const column = SORT_COLUMNS[sort.replace('-', '') as SortKey];
  const direction = isDescending ? 'desc' : 'asc';
  const ordered = column === 'id' ? query : query.orderBy(`users.${column}`, direction);
  return ordered.orderBy('users.id', direction) as Q;
}

function startOf(day: string): number {
  return Date.parse(`${day}T00:00:00Z`);
}
