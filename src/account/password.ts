/** Changing one's own password, which signs out every other browser. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { renewedToken } from '../auth/idempotency.ts';
import { done } from '../auth/idempotency-store.ts';
import { hashInTurn } from '../auth/password-attempt.ts';
import { newPasswordProblems } from '../auth/password-rules.ts';
import { readFields } from '../lib/forms.ts';
import { changePassword } from './commands.ts';
import { checkOwnPassword } from './confirm-password.ts';
import { changeOwn, getOwnUser, sessionOf } from './own-account.ts';
import { showAccount } from './show.ts';

const SAME = 'That is your password already: choose another one.';

export async function changeOwnPassword(request: FastifyRequest, reply: FastifyReply) {
  const fields = readFields(request.body, ['current_password', 'new_password', 'new_password_again']);
  const { server } = request;
  const session = sessionOf(request);
  const user = await getOwnUser(request);
  const problems = newPasswordProblems(fields, user);
  const refusal = await checkOwnPassword(request, reply, fields.current_password ?? '');
  const [current, chosen] = [fields.current_password, fields.new_password].map((typed) =>
    typed?.normalize('NFC'),
  );
  const errors = {
    ...(refusal && { current_password: refusal.sentence }),
    ...problems,
    ...(!refusal && current === chosen && { new_password: SAME }),
  };
  if (Object.keys(errors).length > 0) return showAccount(request, reply, errors, refusal?.status ?? 422);
  const hash = await hashInTurn(request, fields.new_password ?? '');
  const change = { hash, sessionId: session.id, token: renewedToken(request) };
  const answer = await changeOwn(request, async (trx, actor, credentials) => {
    await changePassword(trx, actor, credentials, change, server.clock());
    return done('/account', 'Your password is changed; every other browser is signed out.');
  });
  return reply.answer(answer);
}
