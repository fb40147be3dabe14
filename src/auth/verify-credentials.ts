/** Who someone is who signs in: first by a password; where there is a second factor, a code is asked for then. */
import type { FastifyRequest } from 'fastify';
import type { Db, User } from '../db/schema.ts';
import { transact } from '../db/transact.ts';
import { BusyError } from '../errors.ts';
import { emailKey } from '../lib/email.ts';
import type { Fields } from '../lib/forms.ts';
import { retryAfter } from '../lib/retry-after.ts';
import { invisibleCharacter, trim } from '../lib/text.ts';
import { findUser, findUserByEmail, findUserByUsername } from '../users/queries.ts';
import { type Credentials, findCredentials, rehashPassword } from './credentials.ts';
import { findDevice } from './device-cookie.ts';
import { attemptPassword, hashInTurn, inTurn } from './password-attempt.ts';
import { isOutdated, isPassword } from './password-hashing.ts';
import { maySignIn } from './policy.ts';
import { currentSecret } from './second-factor.ts';
import { BUSY, type Code, haveToWait, LOST, type Problem, TOO_LATE, WRONG } from './sign-in-problems.ts';
import { byBrowser, byNetwork } from './throttle.ts';
import { findTicketHolder, insertTicket } from './tickets.ts';

const LONGEST_NAME = 400;

/** By the password. `code`: looked at, and used up, when the session begins. */
export type Verified = { kind: 'verified'; user: User; credentials: Credentials; code?: Code };

export type Verification = Verified | { kind: 'code asked'; ticket: string } | Problem;

export async function verifyCredentials(request: FastifyRequest, fields: Fields): Promise<Verification> {
  try {
    return fields.ticket === undefined
      ? await checkPassword(request, fields)
      : await checkCode(request, { ...fields, ticket: fields.ticket });
  } catch (error) {
    if (!(error instanceof BusyError)) throw error;
    request.server.auditOften(request, 'sign-in refused: too many at once');
    return { ...BUSY, wait: Number(retryAfter()) * 1_000 };
  }
}

async function checkPassword(
  request: FastifyRequest,
  { username = '', password = '' }: Fields,
): Promise<Verification> {
  const { server } = request;
  const { db } = server;
  const typed = trim(username.slice(0, LONGEST_NAME));
  const user = await findAccount(db, typed);
  const device = findDevice(request, user && maySignIn(user) ? user.id : undefined);
  // By name, whether or not anyone has it: what a username and an email have in common would tell that someone does.
  const counters = device ? byBrowser(device) : byNetwork(`name ${emailKey(typed)}`, request.address);
  const credentials = await findCredentials(db, user?.id ?? 0);
  const usable = user && maySignIn(user) ? credentials : undefined;
  const { isRight, wait } = await attemptPassword(request, counters, password, usable?.password_hash);
  if (wait > 0) return haveToWait(request, user, wait);
  if (!isRight || user === undefined || usable === undefined) {
    server.audit(request, 'sign-in failed', user);
    const invisible = invisibleCharacter(typed);
    return invisible ? { ...WRONG, problem: `The username or email ${invisible}.` } : WRONG;
  }
  const renewed = await renewHash(request, usable, password);
  if (renewed.code_secret === null) return { kind: 'verified', user, credentials: renewed };
  if ((await currentSecret(db, server.secretKey, user.id, renewed.code_secret)) === undefined) return LOST;
  const ticket = await transact(db, (trx) => insertTicket(trx, renewed, server.clock()));
  return { kind: 'code asked', ticket };
}

async function checkCode(
  request: FastifyRequest,
  { ticket, code = '', recovery_code = '' }: Fields & { ticket: string },
): Promise<Verification> {
  const { server } = request;
  const now = server.clock();
  const credentials = await findTicketHolder(server.db, ticket, now);
  const user = credentials && (await findUser(server.db, credentials.user_id));
  if (!credentials || !user || !maySignIn(user)) return { ...TOO_LATE, late: { user } };
  // Either is taken in the place of the other: whoever pastes one need not look where.
  return { kind: 'verified', user, credentials, code: { ticket, typed: recovery_code || code } };
}

/** The same credentials with the password hashed as it is done now; another time, if there is no room for that. */
async function renewHash(
  request: FastifyRequest,
  checked: Credentials,
  password: string,
): Promise<Credentials> {
  const { db, passwordCost } = request.server;
  if (!isOutdated(checked.password_hash, passwordCost)) return checked;
  const password_hash = await hashInTurn(request, password).catch(() => undefined);
  if (password_hash === undefined) return checked;
  const isRenewed = await transact(db, (trx) => rehashPassword(trx, checked, password_hash));
  if (isRenewed) return { ...checked, password_hash };
  const current = await findCredentials(db, checked.user_id);
  const isSame = await inTurn(request, () => isPassword(password, current?.password_hash, passwordCost));
  return isSame && current ? current : checked;
}

async function findAccount(db: Db, typed: string): Promise<User | undefined> {
  return typed.includes('@') ? findUserByEmail(db, typed) : findUserByUsername(db, typed);
}
