/** The account of whoever is signed in. */
import type { FastifyRequest } from 'fastify';
import type { Actor } from '../auth/actor.ts';
import { type Credentials, lockCredentials } from '../auth/credentials.ts';
import { transactOnce } from '../auth/idempotency.ts';
import type { DoneBefore } from '../auth/idempotency-store.ts';
import { confirmActor } from '../auth/run-command.ts';
import type { Session } from '../auth/sessions.ts';
import type { Trx, User } from '../db/schema.ts';
import { ForbiddenError, SignedOutError } from '../errors.ts';
import { findUser } from '../users/queries.ts';

const SIGNED_IN = 'those who are signed in';

/** @throws ForbiddenError where nobody signs in yet. */
export function sessionOf({ session }: FastifyRequest): Session {
  if (session === undefined) throw new ForbiddenError(SIGNED_IN);
  return session;
}

/** @throws ForbiddenError, SignedOutError */
export async function getOwnUser(request: FastifyRequest): Promise<User> {
  const user = await findUser(request.server.db, sessionOf(request).user_id);
  if (user === undefined) throw new SignedOutError('The user has been deleted.');
  return user;
}

/** Where `change` is `done`, its answer is kept for the same form. @throws ForbiddenError, SignedOutError */
export async function changeOwn<T>(
  request: FastifyRequest,
  change: (trx: Trx, actor: Actor, credentials: Credentials) => Promise<T>,
): Promise<T | DoneBefore> {
  const { user_id } = sessionOf(request);
  return transactOnce(request, async (trx) => {
    // Before the session, of which a new password changes the token: of two clicks one waits here.
    const credentials = await lockCredentials(trx, user_id);
    const actor = await confirmActor(trx, request);
    if (credentials === undefined) throw new ForbiddenError(SIGNED_IN);
    return change(trx, actor, credentials);
  });
}
