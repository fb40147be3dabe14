/** Reading users: one of them, some in the order of their ids, and how many there are. */
import { rowsOf } from '../db/compiled.ts';
import type { Db, Role, Trx, User } from '../db/schema.ts';
import type { Count } from '../db/user-counts.ts';
import { NotFoundError } from '../errors.ts';
import { textKey } from '../text.ts';

/** How many users there are of each status. */
export type Counts = { active: number; inactive: number };

export async function findUser(db: Db, id: number): Promise<User | undefined> {
  const [user] = await rowsOf(db, 'user by id', { id }, (value) =>
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

/** How many there are of each kind, in an order of kinds that is always the same; a kind that nobody is of may be there, too. */
export async function readCounts(db: Db): Promise<Count[]> {
  return rowsOf(db, 'counts', {}, () =>
    db
      .selectFrom('user_counts')
      .select(['is_active', 'role', ({ fn }) => fn.sum<number>('count').as('count')])
      .groupBy(['is_active', 'role'])
      .orderBy('is_active')
      .orderBy('role'),
  );
}

/** @param role of whom; undefined is everyone. */
export function byStatus(counts: readonly Count[], role?: Role): Counts {
  const sums = { active: 0, inactive: 0 };
  for (const count of counts) {
    if (role === undefined || role === count.role)
      sums[count.is_active ? 'active' : 'inactive'] += count.count;
  }
  return sums;
}

export async function countByStatus(db: Db, role?: Role): Promise<Counts> {
  return byStatus(await readCounts(db), role);
}

/** The `limit` users after the one with an id, in the order of their ids. */
export async function findUsersAfter(db: Db, id: number, limit: number): Promise<User[]> {
  return db.selectFrom('users').selectAll().where('id', '>', id).orderBy('id').limit(limit).execute();
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

/** @throws NotFoundError */
export async function getLockedUser(trx: Trx, id: number): Promise<User> {
  return found(await lockUser(trx, id), id);
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
