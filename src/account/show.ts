/** The page of whoever is signed in, about how they sign in. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ForbiddenError } from '../errors.ts';
import { countRecoveryCodes, findCredentials } from '../sessions/credentials.ts';
import { findSessionsOf, type Session } from '../sessions/queries.ts';
import type { Views } from '../views.ts';

/**
 * The session of a request.
 * @throws ForbiddenError where nobody signs in yet.
 */
export function sessionOf({ session }: FastifyRequest): Session {
  if (session === undefined) throw new ForbiddenError('those who are signed in');
  return session;
}

export async function showAccount(
  request: FastifyRequest,
  reply: FastifyReply,
  errors: Views['account/show']['errors'] = {},
  status = 200,
) {
  const { db } = request.server;
  const session = sessionOf(request);
  const sessions = await findSessionsOf(db, session.user_id);
  const recoveryCodes = await countRecoveryCodes(db, session.user_id);
  const credentials = await findCredentials(db, session.user_id);
  const changedAt = credentials?.changed_at ?? session.created_at;
  return reply.render('account/show', { session, sessions, recoveryCodes, changedAt, errors }, status);
}
