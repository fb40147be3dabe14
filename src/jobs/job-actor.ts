/** Who acts in what was begun before: what they may is what they may by now. */
import type { Actor } from '../auth/actor.ts';
import { hasAdministrator } from '../auth/administrators.ts';
import { maySignIn } from '../auth/policy.ts';
import type { Db } from '../db/schema.ts';
import { findUser } from '../users/queries.ts';

/** @param actorId null where nobody signed in yet @returns undefined where they may not act any more */
export async function findJobActor(
  db: Db,
  actorId: number | null,
): Promise<Pick<Actor, 'user' | 'role'> | undefined> {
  if (actorId === null) return (await hasAdministrator(db)) ? undefined : { user: undefined, role: 'editor' };
  const user = await findUser(db, actorId);
  return user && maySignIn(user) ? { user, role: user.role } : undefined;
}
