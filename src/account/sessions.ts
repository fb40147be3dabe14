/** Signing out other browsers: one, or all. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { endSession, endSessions } from '../sessions/commands.ts';
import { sessionIdFrom } from '../sessions/request.ts';
import { changeOwn, sessionOf } from './own.ts';

export async function signOutOther(
  request: FastifyRequest<{ Params: { session: string } }>,
  reply: FastifyReply,
) {
  const { user_id, username } = sessionOf(request);
  const id = sessionIdFrom(request);
  const { kind } = await changeOwn(request, (trx, actor) =>
    endSession(trx, actor, { id: user_id, username }, id, request.server.clock()),
  );
  return reply.seeOther(
    '/account',
    kind === 'ended' ? 'That browser is signed out.' : 'That browser was signed out already.',
  );
}

export async function signOutOthers(request: FastifyRequest, reply: FastifyReply) {
  const { id, user_id, username } = sessionOf(request);
  await changeOwn(request, (trx, actor) =>
    endSessions(trx, actor, { id: user_id, username }, request.server.clock(), id),
  );
  return reply.seeOther('/account', 'Every other browser is signed out.');
}
