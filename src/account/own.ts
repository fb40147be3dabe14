/** The account of whoever is signed in. */
import type { FastifyRequest } from 'fastify';
import type { Actor } from '../auth/actor.ts';
import { type Credentials, lockCredentials } from '../auth/credentials.ts';
import { confirmActor } from '../auth/run-command.ts';
import type { Session } from '../auth/sessions.ts';
import type { Trx } from '../db/schema.ts';
import { transact } from '../db/transact.ts';
import { ForbiddenError } from '../errors.ts';

const SIGNED_IN = 'those who are signed in';

/** @throws ForbiddenError where nobody signs in yet. */
export function sessionOf({ session }: FastifyRequest): Session {
  if (session === undefined) throw new ForbiddenError(SIGNED_IN);
  return session;
}

export async function changeOwn<T>(
  request: FastifyRequest,
  change: (trx: Trx, actor: Actor, credentials: Credentials) => Promise<T>,
): Promise<T> {
  const { user_id } = sessionOf(request);
  return transact(request.server.db, async (trx) => {
    // Before the session, of which a new password changes the token: of two clicks one waits here.
    const credentials = await lockCredentials(trx, user_id);
    const actor = await confirmActor(trx, request);
    if (credentials === undefined) throw new ForbiddenError(SIGNED_IN);
    return change(trx, actor, credentials);
  });
}
