/** Setting and replacing one's own second factor. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { warningOf } from '../auth/code-refusals.ts';
import { type Credentials, findCredentials } from '../auth/credentials.ts';
import { done, nothingDone } from '../auth/idempotency-store.ts';
import { openSecret, sealSecret } from '../auth/second-factor-secrets.ts';
import { refuseFormerKey } from '../auth/secret-key.ts';
import { hashOf, open, seal } from '../auth/tokens.ts';
import { codeAddress, newCodeSecret, newRecoveryCodes, qrCode, stepOf } from '../auth/totp.ts';
import { localAddress } from '../http/safe-redirect.ts';
import type { Views } from '../http/views.ts';
import { type Fields, readFields } from '../lib/forms.ts';
import { type Replaced, setSecondFactor, toBeReplaced } from '../second-factor/commands.ts';
import { checkOwnPassword } from './confirm-password.ts';
import { refusalOfNoCode, refuseOwnCode } from './current-code.ts';
import { changeOwn, sessionOf } from './own-account.ts';
import { showRecoveryCodes, whereNext } from './recovery-codes.ts';

const ACCOUNT = '/account';
const SCAN_AGAIN = 'Scan this new code.';
/** Also for whoever clicks twice, and never sees the answer to the first click. */
const IS_SET =
  'Your second factor is set already. If you have not kept its recovery codes, make new ones in your account.';

type NewCode = { userId: number; secret: string; replaces: Replaced };
type Errors = Views['account/code']['errors'];
type Request = FastifyRequest<{ Querystring: Fields }>;

export async function showNewCode(request: Request, reply: FastifyReply) {
  return showCode(request, reply, { secret: newCodeSecret(), next: nextOf(request) });
}

/** The secret becomes the second factor once its first code has shown that a telephone has it; until then one that is set holds. */
export async function setOwnCode(request: Request, reply: FastifyReply) {
  const fields = readFields(request.body, ['sealed', 'code', 'password', 'present_code']);
  const { sealed = '', code = '' } = fields;
  const next = nextOf(request);
  const { server } = request;
  const shown = open(server.secretKey, 'new code', sealed) as NewCode | undefined;
  if (shown?.userId !== sessionOf(request).user_id || (await isOutdated(request, shown)))
    return showCode(request, reply, { secret: newCodeSecret(), next }, { code: SCAN_AGAIN });
  const step = stepOf(code, shown.secret, server.clock());
  const wrong = await checkTyped(request, reply, fields, { isRight: step !== undefined, ...shown });
  if (step === undefined || wrong)
    return showCode(request, reply, { secret: shown.secret, next }, wrong?.errors, wrong?.status);
  return setOnce(request, reply, fields, shown, step);
}

async function isOutdated({ server }: FastifyRequest, shown: NewCode): Promise<boolean> {
  const credentials = await findCredentials(server.db, shown.userId);
  if (credentials === undefined || toBeReplaced(credentials) === shown.replaces) return false;
  return !isSet(server.secretKey, credentials, shown.secret);
}

async function checkTyped(
  request: FastifyRequest,
  reply: FastifyReply,
  { password = '', present_code = '' }: Fields,
  { isRight, replaces }: { isRight: boolean; replaces: Replaced },
): Promise<{ errors: Errors; status: number } | undefined> {
  const refusal = await checkOwnPassword(request, reply, password);
  const noCode = typeof replaces === 'string' && refusalOfNoCode(present_code);
  if (isRight && !refusal && !noCode) return undefined;
  const wrong = `That is not the code that is shown now: six digits. ${request.server.clockNote()}`;
  const errors = {
    ...(!isRight && { code: wrong }),
    ...(refusal && { password: refusal.sentence }),
    ...(noCode && { present_code: noCode }),
  };
  return { errors, status: refusal?.status ?? 422 };
}

async function setOnce(
  request: Request,
  reply: FastifyReply,
  fields: Fields,
  { secret, replaces }: NewCode,
  step: number,
) {
  const { secretKey: key, clock } = request.server;
  const { id: sessionId, user_id } = sessionOf(request);
  const { present_code: code = '' } = fields;
  const next = await whereNext(request, nextOf(request));
  const codes = newRecoveryCodes();
  const factor = { sealed: sealSecret(key, user_id, secret), step, recoveryHashes: codes.map(hashOf) };
  let warning = '';
  const outcome = await changeOwn(request, async (trx, actor, credentials) => {
    await refuseFormerKey(trx, key);
    if (isSet(key, credentials, secret)) return nothingDone(next, IS_SET);
    const replacing = { replaces, present: { key, code }, sessionId };
    const outcome = await setSecondFactor(trx, actor, credentials, factor, replacing, clock());
    if (outcome.kind !== 'set') return outcome;
    warning = warningOf(outcome.failures);
    return done(next, IS_SET);
  });
  if (outcome.kind === 'done') return showRecoveryCodes(request, reply, { codes, warning, next });
  if (outcome.kind === 'outdated')
    return showCode(request, reply, { secret: newCodeSecret(), next }, { code: SCAN_AGAIN });
  if (outcome.kind !== 'code refused') return reply.answer(outcome);
  const { sentence, status } = refuseOwnCode(request, reply, outcome.why, code);
  return showCode(request, reply, { secret, next }, { present_code: sentence }, status);
}

function isSet(key: Buffer, { user_id, code_secret }: Credentials, secret: string): boolean {
  return code_secret !== null && openSecret(key, user_id, code_secret) === secret;
}

function nextOf({ query }: Request): string {
  return localAddress(query.next, ACCOUNT);
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
  const isAnother = typeof replaces === 'string';
  return reply.render('account/code', { qr, secret, sealed, isAnother, next, errors }, status);
}
