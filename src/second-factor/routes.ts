/** Removing other people's second factors: one's own is changed on the account's page. */
import type { FastifyInstance, FastifyReply } from 'fastify';
import { allow } from '../auth/access.ts';
import { done, nothingDone } from '../auth/idempotency-store.ts';
import { mayManage } from '../auth/policy.ts';
import { runCommand } from '../auth/run-command.ts';
import { named } from '../lib/text.ts';
import { type Request, userAddress, userIdFrom } from '../users/request.ts';
import { removeSecondFactor } from './commands.ts';

const OWN = 'Your own second factor is changed here.';

export function secondFactorRoutesOfUsers(app: FastifyInstance): void {
  app.post('/users/:id/code/delete', allow(mayManage, { form: '/users/:id' }), remove);
}

async function remove(request: Request, reply: FastifyReply) {
  const id = userIdFrom(request);
  const answer = await runCommand(request, async (trx, actor) => {
    const { kind, user } = await removeSecondFactor(trx, actor, id, request.server.clock());
    if (kind === 'own') return nothingDone('/account', OWN);
    const [to, name] = [userAddress(id, request), named(user.username)];
    return kind === 'none'
      ? nothingDone(to, `${name} has no second factor.`)
      : done(to, `The second factor of ${name} is removed.`);
  });
  return reply.answer(answer);
}
