/** Who sees a form again that they once sent, and does not want it any more. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { localAddress } from '../http/safe-redirect.ts';
import { readFields } from '../lib/forms.ts';
import { dropDraft } from './drafts.ts';
import { done } from './idempotency-store.ts';
import { runCommand } from './run-command.ts';

export async function discardDraft(request: FastifyRequest, reply: FastifyReply) {
  const { form = '', draft_key: key = '' } = readFields(request.body, ['form', 'draft_key']);
  const { session } = request;
  const answer = await runCommand(request, async (trx) => {
    if (session) await dropDraft(trx, session.id, { form, fields: { key } });
    return done(localAddress(form), 'What you sent before is discarded.');
  });
  return reply.answer(answer);
}
