/** Removing one's own second factor, where the role asks for none. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { warningOf } from '../auth/code-refusals.ts';
import { done } from '../auth/idempotency-store.ts';
import { ForbiddenError } from '../errors.ts';
import { readFields } from '../lib/forms.ts';
import { removeOwnSecondFactor } from '../second-factor/commands.ts';
import { checkOwn, refuseOwnCode } from './current-code.ts';
import { changeOwn, sessionOf } from './own-account.ts';
import { showAccount } from './show.ts';

export async function removeOwnCode(request: FastifyRequest, reply: FastifyReply) {
  const fields = readFields(request.body, ['password', 'present_code']);
  const { server } = request;
  const { has_second_factor, is_code_required } = sessionOf(request);
  if (!has_second_factor) return reply.seeOther('/account', 'There is no second factor to turn off.');
  if (is_code_required) throw new ForbiddenError('those whose role needs no second factor');
  const wrong = await checkOwn(request, reply, fields, 'removing');
  if (wrong) return showAccount(request, reply, wrong.errors, wrong.status);
  const { present_code: code = '' } = fields;
  const answer = await changeOwn(request, async (trx, actor, credentials) => {
    const present = { key: server.secretKey, code };
    const outcome = await removeOwnSecondFactor(trx, actor, credentials, present, server.clock());
    return outcome.kind === 'removed'
      ? done('/account', `Your second factor is removed. ${warningOf(outcome.failures)}`.trimEnd())
      : outcome;
  });
  if (answer.kind !== 'code refused') return reply.answer(answer);
  const { sentence, status } = refuseOwnCode(request, reply, answer.why, code);
  return showAccount(request, reply, { removing_code: sentence }, status);
}
