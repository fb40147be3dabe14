/** Sessions in the database: signed-in browsers, and what waits for them. */
import { executeCached } from '../db/cached-query.ts';
import { engineOf } from '../db/engine.ts';
import type { Db, Role, Trx, User } from '../db/schema.ts';
import { lockFirstNextTime } from '../db/transact.ts';
import { ContendedError, LockedError } from '../errors.ts';
import { DAY, SKEW } from '../lib/clock.ts';
import { maySignIn } from './policy.ts';
import { hashOf } from './tokens.ts';

/** Who comes back with a session that is over has their form kept. */
export const ENDED_SESSION_KEPT_FOR = 30 * DAY;

export type Session = {
  id: number;
  token_hash: string;
  user_id: number;
  username: string;
  role: Role;
  is_active: boolean;
  created_at: number;
  seen_at: number;
  has_second_factor: boolean;
  is_code_required: boolean;
  has_draft: boolean;
};

/** Also one whose time is over. */
export async function findSession(db: Db, token: string): Promise<Session | undefined> {
  const [session] = await executeCached(db, 'session', { hash: hashOf(token) }, ({ hash }) =>
    db
      .selectFrom('sessions')
      .innerJoin('users', 'users.id', 'sessions.user_id')
      .where('sessions.token_hash', '=', hash)
      .select((where) => [
        'sessions.id',
        'sessions.token_hash',
        'sessions.user_id',
        'users.username',
        'users.role',
        'users.is_active',
        'sessions.created_at',
        'sessions.seen_at',
        // Not joined: to find the best order of four tables would take PostgreSQL longer than all the rest.
        where
          .selectFrom('credentials')
          .whereRef('credentials.user_id', '=', 'sessions.user_id')
          .select((of) => of('code_secret', 'is not', null).as('is_set'))
          .as('has_second_factor'),
        where
          .selectFrom('role_rules')
          .whereRef('role_rules.role', '=', 'users.role')
          .select('is_code_required')
          .as('is_code_required'),
        where('sessions.draft', 'is not', null).as('has_draft'),
      ]),
  );
  return session as Session | undefined;
}

export async function findOwnerOf(
  db: Db,
  session: number,
): Promise<Pick<User, 'id' | 'username'> | undefined> {
  return db
    .selectFrom('sessions')
    .innerJoin('users', 'users.id', 'sessions.user_id')
    .select(['users.id', 'users.username'])
    .where('sessions.id', '=', session)
    .executeTakeFirst();
}

export type NewSession = { token: string; user_id: number; address: string; browser: string };

export async function insertSession(
  trx: Trx,
  { token, ...session }: NewSession,
  now: number,
): Promise<number> {
  const { id } = await trx
    .insertInto('sessions')
    .values({ ...session, token_hash: hashOf(token), created_at: now, seen_at: now })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

/** @param seen_at as it was read: one that was ended since, and was seen long ago then, stays so */
export async function touchSession(
  trx: Trx,
  { id, seen_at }: Pick<Session, 'id' | 'seen_at'>,
  now: number,
): Promise<void> {
  await trx
    .updateTable('sessions')
    .set({ seen_at: now })
    .where('id', '=', id)
    .where('seen_at', '>=', seen_at)
    .where('seen_at', '<', now)
    .execute();
}

/** The role of whoever acts in a session; both stay until the end of the transaction. */
export async function findRoleOf(
  trx: Trx,
  { id, token_hash }: Pick<Session, 'id' | 'token_hash'>,
): Promise<Role | undefined> {
  const [actor] = await executeCached(trx, 'role of session', { id, token_hash }, (values) =>
    trx
      .selectFrom('sessions')
      .innerJoin('users', 'users.id', 'sessions.user_id')
      .where('sessions.id', '=', values.id)
      .where('sessions.token_hash', '=', values.token_hash)
      .select(['users.role', 'users.is_active'])
      // Who changes a role ends its sessions first. The user's row is not locked: two who then changed it would deadlock.
      .forKeyShare('sessions'),
  );
  return actor && maySignIn(actor) ? actor.role : undefined;
}

export async function deleteSession(trx: Trx, id: number): Promise<void> {
  await trx.deleteFrom('sessions').where('id', '=', id).execute();
}

export async function deleteSessionOf(trx: Trx, userId: number, id: number): Promise<boolean> {
  await lockEach(trx, (next) => sessionsOf(next, [userId]).where('id', '=', id));
  const { numDeletedRows } = await trx
    .deleteFrom('sessions')
    .where('id', '=', id)
    .where('user_id', '=', userId)
    .executeTakeFirstOrThrow();
  return numDeletedRows > 0n;
}

export async function deleteSessionsOf(trx: Trx, userId: number, exceptId = 0): Promise<boolean> {
  await lockSessions(trx, [userId], exceptId);
  const theirs = trx.deleteFrom('sessions').where('user_id', '=', userId);
  const ended = theirs.where('id', '!=', exceptId);
  return (await ended.executeTakeFirstOrThrow()).numDeletedRows > 0n;
}

/** To be called before they are deleted. @throws ContendedError */
export async function lockSessions(trx: Trx, userIds: readonly number[], exceptId = 0): Promise<void> {
  await lockEach(trx, (next) => sessionsOf(next, userIds).where('id', '!=', exceptId));
}

function sessionsOf(trx: Trx, userIds: readonly number[]) {
  return trx.selectFrom('sessions').select('id').where(engineOf(trx).isOneOf('user_id', userIds));
}

/**
 * Whoever acts in one keeps it, and may wait for what is locked here: so nobody waits for them amid this.
 * @throws ContendedError
 */
async function lockEach(trx: Trx, sessions: (trx: Trx) => ReturnType<typeof sessionsOf>): Promise<void> {
  const lock = (one: Trx) => sessions(one).orderBy('id').forUpdate();
  lockFirstNextTime(trx, (next) => lock(next).execute());
  try {
    await lock(trx).noWait().execute();
  } catch (cause) {
    throw cause instanceof LockedError ? new ContendedError('Somebody acts in a session.', { cause }) : cause;
  }
}

export async function deleteSessionsOfAll(trx: Trx, userIds: readonly number[]): Promise<void> {
  await trx.deleteFrom('sessions').where(engineOf(trx).isOneOf('user_id', userIds)).execute();
}

export async function renewSession(trx: Trx, id: number, token: string): Promise<void> {
  await trx
    .updateTable('sessions')
    .set({ token_hash: hashOf(token) })
    .where('id', '=', id)
    .execute();
}

export async function findSessionsOf(db: Db, userId: number, limit: number) {
  return db
    .selectFrom('sessions')
    .select(['id', 'created_at', 'seen_at', 'address', 'browser'])
    .where('user_id', '=', userId)
    .orderBy('seen_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
}

export async function isAnySeenAfter(db: Db, time: number): Promise<boolean> {
  const session = db.selectFrom('sessions').select('id').where('seen_at', '>', time).limit(1);
  return (await session.executeTakeFirst()) !== undefined;
}

/** Where the clock has been set back nobody knows how old sessions are: all end. */
export async function endIfSetBack(trx: Trx, now: number, idle: number): Promise<void> {
  if (await isAnySeenAfter(trx, now + SKEW)) await endAllSessions(trx, now, idle);
}

/** They are still remembered. @param since but for those that have begun from then on, since the clock was set back */
export async function endAllSessions(
  trx: Trx,
  now: number,
  idle: number,
  since = Number.MAX_SAFE_INTEGER,
): Promise<void> {
  // Over by other machines' clocks, too.
  const seen_at = now - idle - SKEW;
  await trx
    .updateTable('sessions')
    .set({ seen_at })
    .where('seen_at', '>', seen_at)
    .where(({ eb, or }) => or([eb('created_at', '<', since), eb('seen_at', '>', now)]))
    .execute();
}
