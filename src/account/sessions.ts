/** Signing out other browsers. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { endOtherSessions } from './commands.ts';
import { changeOwn, sessionOf } from './own.ts';

export async function signOutOthers(request: FastifyRequest, reply: FastifyReply) {
  const { id } = sessionOf(request);
  await changeOwn(request, (trx, actor, credentials) => endOtherSessions(trx, actor, credentials, id));
  return reply.seeOther('/account', 'Every other browser is signed out.');
}
