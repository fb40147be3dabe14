/** Who acts in what was begun before: what they may is what they may by now. */
import type { Actor } from '../auth/actor.ts';
import { hasAdministrator, shareAdministrators } from '../auth/administrators.ts';
import { maySignIn } from '../auth/policy.ts';
import type { Db, Trx, User } from '../db/schema.ts';
import { findUser, shareUser } from '../users/queries.ts';

/** Undefined where they may not act any more. */
type JobActor = Pick<Actor, 'user' | 'role'> | undefined;

/** @param actorId null where nobody signed in yet */
export async function findJobActor(db: Db, actorId: number | null): Promise<JobActor> {
  if (actorId === null) return (await hasAdministrator(db)) ? undefined : { user: undefined, role: 'editor' };
  return actingAs(await findUser(db, actorId));
}

/** Until the end of the transaction they keep their role. They are shared, not locked: they may sign in meanwhile, and have other jobs go on. */
export async function shareJobActor(trx: Trx, actorId: number | null): Promise<JobActor> {
  if (actorId !== null) return actingAs(await shareUser(trx, actorId));
  await shareAdministrators(trx);
  return findJobActor(trx, actorId);
}

function actingAs(user: User | undefined): JobActor {
  return user && maySignIn(user) ? { user, role: user.role } : undefined;
}
