/** Ending other people's sessions: one's own are ended on the account's page. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { allow } from '../auth/access.ts';
import { done, nothingDone } from '../auth/idempotency-store.ts';
import { mayManage } from '../auth/policy.ts';
import { runCommand } from '../auth/run-command.ts';
import type { Fields } from '../lib/forms.ts';
import { named } from '../lib/text.ts';
import { getUser } from '../users/queries.ts';
import { userAddress, userIdFrom } from '../users/request.ts';
import { endSession, endSessions } from './commands.ts';
import { sessionIdFrom } from './request.ts';

type Request = FastifyRequest<{ Params: { id: string; session: string }; Querystring: Fields }>;

const OWN = 'Your own sessions are ended here.';

export function sessionRoutesOfUsers(app: FastifyInstance): void {
  const onUser = allow(mayManage, { form: '/users/:id' });
  app.post('/users/:id/sessions/delete', onUser, endAll);
  app.post('/users/:id/sessions/:session/delete', onUser, endOne);
}

async function endOne(request: Request, reply: FastifyReply) {
  const id = userIdFrom(request);
  if (id === request.actor?.user?.id) return reply.seeOther('/account', OWN);
  const session = sessionIdFrom(request);
  const answer = await runCommand(request, async (trx, actor) => {
    const owner = await getUser(trx, id);
    const { kind } = await endSession(trx, actor, owner, session, request.server.clock());
    const [to, name] = [userAddress(id, request), named(owner.username)];
    return kind === 'ended'
      ? done(to, `${name} is signed out of that browser.`)
      : nothingDone(to, `${name} was not signed in there any more.`);
  });
  return reply.answer(answer);
}

async function endAll(request: Request, reply: FastifyReply) {
  const id = userIdFrom(request);
  if (id === request.actor?.user?.id) return reply.seeOther('/account', OWN);
  const answer = await runCommand(request, async (trx, actor) => {
    const owner = await getUser(trx, id);
    await endSessions(trx, actor, owner, request.server.clock());
    return done(userAddress(id, request), `${named(owner.username)} is signed out everywhere.`);
  });
  return reply.answer(answer);
}
