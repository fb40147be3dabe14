/** Who acts in what was begun before: what they may is what they may by now. */
import type { Actor } from '../auth/actor.ts';
import { hasAdministrator, shareAdministrators } from '../auth/administrators.ts';
import { maySignIn } from '../auth/policy.ts';
import type { Db, Trx, User } from '../db/schema.ts';
import { ContendedError } from '../errors.ts';
import { findUser, lockUsers, shareUser } from '../users/queries.ts';

/** Undefined where they may not act any more. */
type JobActor = Pick<Actor, 'user' | 'role'> | undefined;

/** @param actorId null where nobody signed in yet */
export async function findJobActor(db: Db, actorId: number | null): Promise<JobActor> {
  if (actorId === null) return (await hasAdministrator(db)) ? undefined : { user: undefined, role: 'editor' };
  return actingAs(await findUser(db, actorId));
}

/** Where nobody signs in yet, nobody becomes the administrator until the end of the transaction. */
export async function findActorOfBatch(trx: Trx, actorId: number | null): Promise<JobActor> {
  if (actorId === null) await shareAdministrators(trx);
  return findJobActor(trx, actorId);
}

/**
 * Until the end of the transaction whoever acts keeps their role, and may sign in and have other jobs go on. They are locked amid
 * the users, in the order of numbers: two jobs that change whom the other is done for do not wait for each other.
 * @throws ContendedError where whoever acts may do something else by now
 */
export async function lockBesideActor(
  trx: Trx,
  { user, role }: NonNullable<JobActor>,
  ids: readonly number[],
): Promise<User[]> {
  if (user === undefined) return lockUsers(trx, ids);
  const isChanged = ids.includes(user.id);
  const locked = await lockUsers(trx, isChanged ? ids : ids.filter((id) => id < user.id));
  const acting = isChanged ? locked.find(({ id }) => id === user.id) : await shareUser(trx, user.id);
  if (actingAs(acting)?.role !== role) throw new ContendedError('Whoever acts may do something else by now.');
  if (isChanged) return locked;
  const others = ids.filter((id) => id > user.id);
  return [...locked, ...(await lockUsers(trx, others))];
}

function actingAs(user: User | undefined): JobActor {
  return user && maySignIn(user) ? { user, role: user.role } : undefined;
}
