/** Signing out other browsers. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { deleteSessionsOf } from '../sessions/queries.ts';
import { changeOwn, sessionOf } from './own.ts';

export async function endOtherSessions(request: FastifyRequest, reply: FastifyReply) {
  const { server } = request;
  const { id, user_id, username } = sessionOf(request);
  await changeOwn(request, (trx) => deleteSessionsOf(trx, user_id, id));
  server.audit(request, 'other sessions ended', { id: user_id, username });
  return reply.seeOther('/account', 'Every other browser is signed out.');
}
