/** How many are signed in, and who: `seen` and `created` are the times after which a session is not over. */
import { type Db, ROLES, type Role, type User } from '../db/schema.ts';

export async function countLiveSessions(db: Db, seen: number, created: number): Promise<number> {
  const { count } = await db
    .selectFrom('sessions')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('seen_at', '>', seen)
    .where('created_at', '>', created)
    .executeTakeFirstOrThrow();
  return count;
}

export type SignedIn = { role: Role; users: number; sessions: number; seen_at: number };

export async function countSignedIn(db: Db, seen: number, created: number): Promise<SignedIn[]> {
  const rows = await signedIn(db, seen, created)
    .select(({ fn }) => [
      'users.role',
      fn.count<number>('users.id').distinct().as('users'),
      fn.countAll<number>().as('sessions'),
      fn.max('sessions.seen_at').as('seen_at'),
    ])
    .groupBy('users.role')
    .execute();
  return rows.sort((one, other) => ROLES.indexOf(other.role) - ROLES.indexOf(one.role));
}

export type SignedInUser = Pick<User, 'id' | 'username' | 'full_name'>;

export async function findSignedIn(
  db: Db,
  seen: number,
  created: number,
  limit: number,
): Promise<SignedInUser[]> {
  return signedIn(db, seen, created)
    .select(['users.id', 'users.username', 'users.full_name'])
    .groupBy('users.id')
    .orderBy(({ fn }) => fn.max('sessions.seen_at'), 'desc')
    .orderBy('users.id')
    .limit(limit)
    .execute();
}

function signedIn(db: Db, seen: number, created: number) {
  return db
    .selectFrom('sessions')
    .innerJoin('users', 'users.id', 'sessions.user_id')
    .where('sessions.seen_at', '>', seen)
    .where('sessions.created_at', '>', created)
    .where('users.is_active', '=', true);
}
