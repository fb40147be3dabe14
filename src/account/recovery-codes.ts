/** Recovery codes of one's own: shown once, and made anew. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { findDraft } from '../auth/drafts.ts';
import { done } from '../auth/idempotency-store.ts';
import { hashOf } from '../auth/tokens.ts';
import { newRecoveryCodes } from '../auth/totp.ts';
import { readFields } from '../lib/forms.ts';
import { renewRecoveryCodes } from '../second-factor/commands.ts';
import { checkOwnPassword } from './confirming.ts';
import { changeOwn, sessionOf } from './own.ts';
import { showAccount } from './show.ts';

/** For whoever clicks twice, and never sees the answer to the first click. */
const ARE_NEW = 'You have new recovery codes already. Make new ones again if you have not kept any.';

export async function renewOwnRecoveryCodes(request: FastifyRequest, reply: FastifyReply) {
  const { password = '' } = readFields(request.body, ['password']);
  const { has_second_factor } = sessionOf(request);
  if (!has_second_factor) return reply.seeOther('/account', 'There is no second factor to recover.');
  const refusal = await checkOwnPassword(request, reply, password);
  if (refusal) return showAccount(request, reply, { renewing_password: refusal.sentence }, refusal.status);
  const codes = newRecoveryCodes();
  const answer = await changeOwn(request, async (trx, actor, credentials) => {
    await renewRecoveryCodes(trx, actor, credentials, codes.map(hashOf), request.server.clock());
    return done('/account', ARE_NEW);
  });
  return answer.kind === 'done' ? showRecoveryCodes(request, reply, codes, '/account') : reply.answer(answer);
}

/** @param next where to go from there, unless a form waits that was sent before */
export async function showRecoveryCodes(
  request: FastifyRequest,
  reply: FastifyReply,
  codes: readonly string[],
  next: string,
) {
  const session = sessionOf(request);
  const draft = session.has_draft ? await findDraft(request.server.db, session.id) : undefined;
  reply.header('cache-control', 'no-store');
  const { host, server } = request;
  return reply.render('account/recovery-codes', {
    codes,
    where: server.config.origin?.host ?? host,
    madeAt: server.clock(),
    next: draft?.form ?? next,
  });
}
