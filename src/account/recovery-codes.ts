/** Recovery codes of one's own: shown once, and made anew. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { warningOf } from '../auth/code-refusals.ts';
import { findDrafts } from '../auth/drafts.ts';
import { done } from '../auth/idempotency-store.ts';
import { hashOf } from '../auth/tokens.ts';
import { newRecoveryCodes } from '../auth/totp.ts';
import { readFields } from '../lib/forms.ts';
import { renewRecoveryCodes } from '../second-factor/commands.ts';
import { checkOwn, refuseOwnCode } from './current-code.ts';
import { changeOwn, sessionOf } from './own-account.ts';
import { showAccount } from './show.ts';

const ACCOUNT = '/account';
/** For whoever clicks twice, and never sees the answer to the first click. */
const ARE_NEW = 'You have new recovery codes already. Make new ones again if you have not kept any.';

export async function renewOwnRecoveryCodes(request: FastifyRequest, reply: FastifyReply) {
  const fields = readFields(request.body, ['password', 'present_code']);
  const { server } = request;
  const { has_second_factor } = sessionOf(request);
  if (!has_second_factor) return reply.seeOther('/account', 'There is no second factor to recover.');
  const wrong = await checkOwn(request, reply, fields, 'renewing');
  if (wrong) return showAccount(request, reply, wrong.errors, wrong.status);
  const { present_code: code = '' } = fields;
  const codes = newRecoveryCodes();
  let warning = '';
  const answer = await changeOwn(request, async (trx, actor, credentials) => {
    const present = { key: server.secretKey, code };
    const hashes = codes.map(hashOf);
    const outcome = await renewRecoveryCodes(trx, actor, credentials, hashes, present, server.clock());
    if (outcome.kind !== 'renewed') return outcome;
    warning = warningOf(outcome.failures);
    return done(ACCOUNT, ARE_NEW);
  });
  if (answer.kind === 'done') return showRecoveryCodes(request, reply, { codes, warning, next: ACCOUNT });
  if (answer.kind !== 'code refused') return reply.answer(answer);
  const { sentence, status } = refuseOwnCode(request, reply, answer.why, code);
  return showAccount(request, reply, { renewing_code: sentence }, status);
}

export async function showRecoveryCodes(
  request: FastifyRequest,
  reply: FastifyReply,
  { codes, warning, next }: { codes: readonly string[]; warning: string; next: string },
) {
  reply.header('cache-control', 'no-store');
  const { host, server } = request;
  return reply.render('account/recovery-codes', {
    codes,
    warning,
    where: server.config.origin?.host ?? host,
    madeAt: server.clock(),
    next: await whereNext(request, next),
  });
}

export async function whereNext(request: FastifyRequest, next: string): Promise<string> {
  const session = sessionOf(request);
  const drafts = session.has_draft ? await findDrafts(request.server.db, session.id) : [];
  // Where an address with its query was too long, they go on without it.
  const may = (form: string) => next === ACCOUNT || form.replace(/\?.*/s, '') === next;
  const waiting = drafts.find(({ form }) => form === next) ?? drafts.find(({ form }) => may(form));
  return waiting?.form ?? next;
}
