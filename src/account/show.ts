/** The page of whoever is signed in, about how they sign in. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isLive } from '../auth/authenticate.ts';
import { countRecoveryCodes, findCredentials } from '../auth/credentials.ts';
import { findSessionsOf } from '../auth/sessions.ts';
import type { Views } from '../http/views.ts';
import { sessionOf } from './own.ts';

/** Of the browsers that someone is signed in with, those used last; all others can be signed out all the same. */
const MOST_SHOWN = 100;

export async function showAccount(
  request: FastifyRequest,
  reply: FastifyReply,
  errors: Views['account/show']['errors'] = {},
  status = 200,
) {
  const { db, config, clock } = request.server;
  const session = sessionOf(request);
  const latest = await findSessionsOf(db, session.user_id, MOST_SHOWN);
  const sessions = latest.filter((one) => isLive(one, config, clock()));
  const recoveryCodes = await countRecoveryCodes(db, session.user_id);
  const credentials = await findCredentials(db, session.user_id);
  const changedAt = credentials?.changed_at ?? session.created_at;
  return reply.render('account/show', { session, sessions, recoveryCodes, changedAt, errors }, status);
}
