/** Reading users: one of them, and some in the order of their ids. */
import { randomInt } from 'node:crypto';
import { executeCached } from '../db/cached-query.ts';
import { engineOf } from '../db/engine.ts';
import type { Db, Trx, User } from '../db/schema.ts';
import { NotFoundError } from '../errors.ts';
import { emailKey } from '../lib/email.ts';
import { textKey } from '../lib/text.ts';
import { usernameFrom } from './validation.ts';

const MOST_NAMESAKES = 99;

export async function findUser(db: Db, id: number): Promise<User | undefined> {
  const [user] = await executeCached(db, 'user by id', { id }, (value) =>
    db.selectFrom('users').selectAll().where('id', '=', value.id),
  );
  return user;
}

export async function getUser(db: Db, id: number): Promise<User> {
  return found(await findUser(db, id), id);
}

export async function findUserByUsername(db: Db, username: string): Promise<User | undefined> {
  return db.selectFrom('users').selectAll().where('username_key', '=', textKey(username)).executeTakeFirst();
}

export async function findUserByEmail(db: Db, email: string): Promise<User | undefined> {
  return db.selectFrom('users').selectAll().where('email_key', '=', emailKey(email)).executeTakeFirst();
}

export async function findUsersAfter(db: Db, id: number, limit: number): Promise<User[]> {
  return db.selectFrom('users').selectAll().where('id', '>', id).orderBy('id').limit(limit).execute();
}

export async function findIdsAfter(db: Db, id: number, limit: number): Promise<number[]> {
  const ids = db.selectFrom('users').select('id').where('id', '>', id).orderBy('id').limit(limit);
  return (await ids.execute()).map((user) => user.id);
}

export async function findHolders(
  db: Db,
  { username, email }: { username?: string | undefined; email?: string | undefined },
  exceptId: number | undefined,
): Promise<{ username?: User; email?: User }> {
  const holders: { username?: User; email?: User } = {};
  const byUsername = username === undefined ? undefined : await findUserByUsername(db, username);
  const byEmail = email === undefined ? undefined : await findUserByEmail(db, email);
  if (byUsername && byUsername.id !== exceptId) holders.username = byUsername;
  if (byEmail && byEmail.id !== exceptId) holders.email = byEmail;
  return holders;
}

/** What stands before the @, with a number behind it where others have it: one at random, where very many have. */
export async function findFreeUsername(db: Db, email: string): Promise<string> {
  const numbers = Array.from({ length: MOST_NAMESAKES }, (_, index) => index + 1);
  const names = numbers.map((number) => usernameFrom(email, number));
  const taken = await db
    .selectFrom('users')
    .select('username_key')
    .where('username_key', 'in', names.map(textKey))
    .execute();
  const keys = new Set(taken.map(({ username_key }) => username_key));
  const free = names.find((name) => !keys.has(textKey(name)));
  return free ?? usernameFrom(email, randomInt(MOST_NAMESAKES + 1, 1_000_000));
}

export async function getLockedUser(trx: Trx, id: number): Promise<User> {
  return found(await lockUser(trx, id), id);
}

/** In the order of their numbers, so that two who lock several do not wait for each other. @returns those who are there */
export async function lockUsers(trx: Trx, ids: readonly number[]): Promise<User[]> {
  if (ids.length === 0) return [];
  const users = trx.selectFrom('users').selectAll().where(engineOf(trx).isOneOf('id', ids));
  return users.orderBy('id').forUpdate().execute();
}

export async function lockUser(trx: Trx, id: number): Promise<User | undefined> {
  return trx.selectFrom('users').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
}

/** Until the end of the transaction they stay as they are. Others who only need that may share them, and refer to them. */
export async function shareUser(trx: Trx, id: number): Promise<User | undefined> {
  return trx.selectFrom('users').selectAll().where('id', '=', id).forShare().executeTakeFirst();
}

function found(user: User | undefined, id: number): User {
  if (user === undefined) throw new NotFoundError(`There is no user ${id}.`);
  return user;
}
