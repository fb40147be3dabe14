/** What the second factor that is set is for here, too: whoever changes it shows a code of it, which is used up. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CODE_REFUSALS, isByTime, WHY_AUDITED, type WrongCode } from '../auth/code-refusals.ts';
import { codeOf } from '../auth/totp.ts';
import type { Errors, Fields } from '../lib/forms.ts';
import { checkOwnPassword, haveToWait, type Refusal } from './confirm-password.ts';
import { sessionOf } from './own-account.ts';

export function refusalOfNoCode(typed: string): string | undefined {
  return codeOf(typed).kind === 'neither' ? CODE_REFUSALS['no code'] : undefined;
}

export function refuseOwnCode(
  request: FastifyRequest,
  reply: FastifyReply,
  why: WrongCode,
  typed: string,
): Refusal {
  if (why.kind === 'wait') return haveToWait(request, reply, 'code', why.wait);
  const { server } = request;
  const user = { id: sessionOf(request).user_id };
  if (why.kind !== 'no code') server.auditOften(request, `code refused: ${WHY_AUDITED[why.kind]}`, user);
  const note = isByTime(why, typed) ? ` ${server.clockNote()}` : '';
  return { sentence: CODE_REFUSALS[why.kind] + note, status: 422 };
}

/** What is wrong with what was typed, of which nothing is used up. @param form what the names of its errors begin with */
export async function checkOwn(
  request: FastifyRequest,
  reply: FastifyReply,
  { password = '', present_code = '' }: Fields,
  form: 'renewing' | 'removing',
): Promise<{ errors: Errors; status: number } | undefined> {
  const refusal = await checkOwnPassword(request, reply, password);
  const wrong = refusalOfNoCode(present_code);
  if (refusal === undefined && wrong === undefined) return undefined;
  const errors = {
    ...(refusal && { [`${form}_password`]: refusal.sentence }),
    ...(wrong && { [`${form}_code`]: wrong }),
  };
  return { errors, status: refusal?.status ?? 422 };
}
