/** The account of whoever is signed in. */
import type { FastifyRequest } from 'fastify';
import type { Trx } from '../db/schema.ts';
import { transact } from '../db/transact.ts';
import { ForbiddenError } from '../errors.ts';
import { type Credentials, lockCredentials } from '../sessions/credentials.ts';
import { lockSession, type Session } from '../sessions/queries.ts';

const SIGNED_IN = 'those who are signed in';

/**
 * The session of a request.
 * @throws ForbiddenError where nobody signs in yet.
 */
export function sessionOf({ session }: FastifyRequest): Session {
  if (session === undefined) throw new ForbiddenError(SIGNED_IN);
  return session;
}

/**
 * Changes in one transaction what someone signs in with.
 * @throws ForbiddenError when the session has ended meanwhile: whoever ended it has perhaps let someone else in.
 */
export async function changeOwn<T>(
  request: FastifyRequest,
  change: (trx: Trx, credentials: Credentials) => Promise<T>,
): Promise<T> {
  const { id, user_id } = sessionOf(request);
  return transact(request.server.db, async (trx) => {
    const credentials = await lockCredentials(trx, user_id);
    if (credentials === undefined || !(await lockSession(trx, id))) throw new ForbiddenError(SIGNED_IN);
    return change(trx, credentials);
  });
}
