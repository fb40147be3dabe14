/** Signing out other browsers: one, or all. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { done, nothingDone } from '../auth/idempotency-store.ts';
import { endSession, endSessions } from '../sessions/commands.ts';
import { sessionIdFrom } from '../sessions/request.ts';
import { changeOwn, sessionOf } from './own-account.ts';

export async function signOutOther(
  request: FastifyRequest<{ Params: { session: string } }>,
  reply: FastifyReply,
) {
  const { user_id, username } = sessionOf(request);
  const id = sessionIdFrom(request);
  const answer = await changeOwn(request, async (trx, actor) => {
    const owner = { id: user_id, username };
    const { kind } = await endSession(trx, actor, owner, id, request.server.clock());
    return kind === 'ended'
      ? done('/account', 'That browser is signed out.')
      : nothingDone('/account', 'That browser was signed out already.');
  });
  return reply.answer(answer);
}

export async function signOutOthers(request: FastifyRequest, reply: FastifyReply) {
  const { id, user_id, username } = sessionOf(request);
  const answer = await changeOwn(request, async (trx, actor) => {
    await endSessions(trx, actor, { id: user_id, username }, request.server.clock(), id);
    return done('/account', 'Every other browser is signed out.');
  });
  return reply.answer(answer);
}
