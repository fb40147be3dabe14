/** The page of whoever is signed in, who they are here, and how they sign in. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { findLiveSessions } from '../auth/authenticate.ts';
import { countRecoveryCodes, findCredentials } from '../auth/credentials.ts';
import type { Views } from '../http/views.ts';
import { getOwnUser, sessionOf } from './own-account.ts';

export async function showAccount(
  request: FastifyRequest,
  reply: FastifyReply,
  errors: Views['account/show']['errors'] = {},
  status = 200,
) {
  const { db } = request.server;
  const session = sessionOf(request);
  const user = await getOwnUser(request);
  const sessions = await findLiveSessions(db, request.server, session.user_id);
  const recoveryCodes = await countRecoveryCodes(db, session.user_id);
  const credentials = await findCredentials(db, session.user_id);
  const changedAt = credentials?.changed_at ?? session.created_at;
  return reply.render('account/show', { session, user, sessions, recoveryCodes, changedAt, errors }, status);
}
