/** Setting, replacing and removing one's own second factor. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Credentials, findCredentials } from '../auth/credentials.ts';
import { done, nothingDone } from '../auth/idempotency-store.ts';
import { openSecret, sealSecret } from '../auth/second-factor-secrets.ts';
import { refuseFormerKey } from '../auth/secret-key.ts';
import { hashOf, open, seal } from '../auth/tokens.ts';
import { codeAddress, newCodeSecret, newRecoveryCodes, qrCode, stepOf } from '../auth/totp.ts';
import { ForbiddenError } from '../errors.ts';
import { localAddress } from '../http/safe-redirect.ts';
import type { Views } from '../http/views.ts';
import { type Fields, readFields } from '../lib/forms.ts';
import { removeOwnSecondFactor, setSecondFactor, toBeReplaced } from '../second-factor/commands.ts';
import { checkOwnPassword } from './confirming.ts';
import { changeOwn, sessionOf } from './own.ts';
import { showRecoveryCodes } from './recovery-codes.ts';
import { showAccount } from './show.ts';

const ACCOUNT = '/account';
const SCAN_AGAIN = 'Scan this new code.';
/** Also for whoever clicks twice, and never sees the answer to the first click. */
const IS_SET = 'Your second factor is set already. Make new recovery codes if you have not kept any.';

/** A secret before it becomes anyone's: for whom, and in the place of what, so that it is set once. */
type NewCode = { userId: number; secret: string; replaces: string | number | undefined };
type Errors = Views['account/code']['errors'];

export async function showNewCode(request: FastifyRequest<{ Querystring: Fields }>, reply: FastifyReply) {
  return showCode(request, reply, { secret: newCodeSecret(), next: nextOf(request.query) });
}

/** The secret becomes the second factor once its first code has shown that a telephone has it; until then one that is set holds. */
export async function setOwnCode(request: FastifyRequest, reply: FastifyReply) {
  const fields = readFields(request.body, ['sealed', 'next', 'code', 'password']);
  const { sealed = '', code = '', password = '' } = fields;
  const next = nextOf(fields);
  const { server } = request;
  const { user_id } = sessionOf(request);
  const shown = open(server.secretKey, 'new code', sealed) as NewCode | undefined;
  if (shown?.userId !== user_id)
    return showCode(request, reply, { secret: newCodeSecret(), next }, { code: SCAN_AGAIN });
  const step = stepOf(code, shown.secret, server.clock());
  const refusal = await checkOwnPassword(request, reply, password);
  if (step === undefined || refusal) {
    const wrong =
      step === undefined && `That is not the code that is shown now: six digits. ${server.clockNote()}`;
    const errors = { ...(wrong && { code: wrong }), ...(refusal && { password: refusal.sentence }) };
    return showCode(request, reply, { secret: shown.secret, next }, errors, refusal?.status);
  }
  const codes = newRecoveryCodes();
  const secret = sealSecret(server.secretKey, user_id, shown.secret);
  const factor = { sealed: secret, step, recoveryHashes: codes.map(hashOf) };
  const outcome = await changeOwn(request, async (trx, actor, credentials) => {
    await refuseFormerKey(trx, server.secretKey);
    if (isSet(server.secretKey, credentials, shown.secret)) return nothingDone(ACCOUNT, IS_SET);
    const now = server.clock();
    const hasSet = await setSecondFactor(trx, actor, credentials, shown.replaces, factor, now);
    return hasSet ? done(ACCOUNT, IS_SET) : ({ kind: 'outdated' } as const);
  });
  if (outcome.kind === 'done') return showRecoveryCodes(request, reply, codes, next);
  if (outcome.kind === 'outdated')
    return showCode(request, reply, { secret: newCodeSecret(), next }, { code: SCAN_AGAIN });
  return reply.answer(outcome);
}

function isSet(key: Buffer, { user_id, code_secret }: Credentials, secret: string): boolean {
  return code_secret !== null && openSecret(key, user_id, code_secret) === secret;
}

export async function removeOwnCode(request: FastifyRequest, reply: FastifyReply) {
  const { password = '' } = readFields(request.body, ['password']);
  const { has_second_factor, is_code_required } = sessionOf(request);
  // Nor is there a field then that could say what is wrong with the password.
  if (!has_second_factor) return reply.seeOther(ACCOUNT, 'There is no second factor to turn off.');
  if (is_code_required) throw new ForbiddenError('those whose role needs no second factor');
  const refusal = await checkOwnPassword(request, reply, password);
  if (refusal) return showAccount(request, reply, { removing_password: refusal.sentence }, refusal.status);
  const answer = await changeOwn(request, async (trx, actor, credentials) => {
    await removeOwnSecondFactor(trx, actor, credentials, request.server.clock());
    return done(ACCOUNT, 'Your second factor is removed.');
  });
  return reply.answer(answer);
}

/** Where somebody was going who had to set one up first. */
function nextOf({ next }: Fields): string {
  return localAddress(next, ACCOUNT);
}

async function showCode(
  request: FastifyRequest,
  reply: FastifyReply,
  { secret, next }: { secret: string; next: string },
  errors: Errors = {},
  status = Object.keys(errors).length > 0 ? 422 : 200,
) {
  const { db, secretKey } = request.server;
  const { user_id: userId, username } = sessionOf(request);
  const credentials = await findCredentials(db, userId);
  const replaces = credentials && toBeReplaced(credentials);
  const sealed = seal(secretKey, 'new code', { userId, secret, replaces } satisfies NewCode);
  const qr = qrCode(codeAddress(secret, username));
  reply.header('cache-control', 'no-store');
  return reply.render('account/code', { qr, secret, sealed, next, errors }, status);
}
