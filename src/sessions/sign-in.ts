/** Signing in: first with a password, then with a code where there is a second factor; and out again. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Db, Trx, User } from '../db/schema.ts';
import { transact } from '../db/transact.ts';
import { BusyError } from '../errors.ts';
import { type Fields, readFields } from '../forms.ts';
import { localAddress } from '../local-address.ts';
import { textKey } from '../text.ts';
import { findUser, findUserByEmail, findUserByUsername, lockUser } from '../users/queries.ts';
import { findActor } from './access.ts';
import { sessionCookie } from './cookie.ts';
import { type Credentials, findCredentials, lockCredentials, rehashPassword } from './credentials.ts';
import { openDraft } from './drafts.ts';
import { guess, tooMany } from './guesses.ts';
import { hashPassword, isOutdated, isPassword, passwordQueue } from './passwords.ts';
import { maySignIn } from './policy.ts';
import { deleteSession, forgetOld, insertSession, sealingKey, setDraft } from './queries.ts';
import { isRightCode } from './second-factor.ts';
import { hashOf, newToken, open, seal } from './tokens.ts';

const FIELDS = ['username', 'password', 'code', 'ticket', 'next', 'draft'] as const;
/** How long someone may look for their telephone, in milliseconds. */
const TICKET_LASTS = 10 * 60_000;
/** UTF-16 units of a name that are looked at. */
const LONGEST_NAME = 400;
const LONGEST_BROWSER = 200;

/** Who has given the right password, and the hash that it was right for. */
type Ticket = { userId: number; hash: string; at: number };

type Problem = { problem: string; status: number; ticket?: string; wait?: number };

type Step =
  | { user: User; credentials: Credentials; recoveryCodes?: number | undefined }
  | { ticket: string }
  | Problem;

const WRONG = { problem: 'That username and password do not belong together.', status: 422 };
const TOO_LATE = { problem: 'That took too long: enter your password again.', status: 422 };

export async function showSignIn(request: FastifyRequest<{ Querystring: Fields }>, reply: FastifyReply) {
  await findActor(request);
  const next = localAddress(request.query.next);
  if (request.actor) return reply.seeOther(next);
  return reply.render('sessions/sign-in', { next, isExpired: request.expired !== undefined });
}

export async function signIn(request: FastifyRequest, reply: FastifyReply) {
  const fields = readFields(request.body, FIELDS);
  const step = await takeStep(request, fields);
  if ('user' in step) {
    const address = await begin(request, reply, step, fields);
    if (address !== undefined) return reply.seeOther(address.to, address.sentence);
  }
  const { username = '', draft } = fields;
  const shown = { next: localAddress(fields.next), username, draft };
  if ('ticket' in step && !('problem' in step))
    return reply.render('sessions/sign-in', { ...shown, ...step });
  const { status, wait, ...problem }: Problem = 'problem' in step ? step : WRONG;
  if (wait !== undefined) reply.header('retry-after', String(Math.ceil(wait / 1000)));
  return reply.render('sessions/sign-in', { ...shown, ...problem }, status);
}

export async function signOut(request: FastifyRequest, reply: FastifyReply) {
  readFields(request.body, []);
  await findActor(request);
  const { server } = request;
  const session = request.session ?? request.expired;
  if (session) {
    await transact(server.db, (trx) => deleteSession(trx, session.id));
    server.audit(request, 'signed out', { id: session.user_id, username: session.username });
  }
  const { name, options } = sessionCookie(server.config);
  reply.clearCookie(name, { ...options, maxAge: 0 });
  // What the back button would show (https://www.w3.org/TR/clear-site-data/).
  reply.header('clear-site-data', '"cache"');
  return reply.seeOther('/sign-in', 'You are signed out.');
}

async function takeStep(request: FastifyRequest, fields: Fields): Promise<Step> {
  try {
    return fields.ticket === undefined
      ? await checkPassword(request, fields)
      : await checkCode(request, fields);
  } catch (error) {
    if (!(error instanceof BusyError)) throw error;
    const problem = 'Too many people are signing in at this moment. Try again in a few seconds.';
    return { problem, status: 503, wait: 5_000 };
  }
}

async function checkPassword(
  request: FastifyRequest,
  { username = '', password = '' }: Fields,
): Promise<Step> {
  const { server, address } = request;
  const typed = username.slice(0, LONGEST_NAME).trim();
  const user = await findAccount(server.db, typed);
  const credentials = await findCredentials(server.db, user?.id ?? 0);
  const known = user && maySignIn(user) ? credentials : undefined;
  // By name, whether or not anyone has it: what a username and an email have in common would tell that someone does.
  const account = `name ${textKey(typed)}`;
  const { isRight, wait } = await passwordQueue.run(() =>
    guess(server.db, account, address, server.clock(), () => isPassword(password, known?.password_hash)),
  );
  if (wait > 0) return haveToWait(request, user, wait);
  if (!isRight || user === undefined || known === undefined) {
    server.audit(request, 'sign-in failed', user);
    return WRONG;
  }
  const renewed = await renewHash(server.db, known, password);
  if (renewed.code_secret === null) return { user, credentials: renewed };
  const ticket: Ticket = { userId: user.id, hash: hashOf(renewed.password_hash), at: server.clock() };
  return { ticket: seal(await sealingKey(server.db), 'ticket', ticket) };
}

async function checkCode(request: FastifyRequest, { ticket = '', code = '' }: Fields): Promise<Step> {
  const { server, address } = request;
  const now = server.clock();
  const known = open(await sealingKey(server.db), 'ticket', ticket) as Ticket | undefined;
  const isOn = known !== undefined && known.at <= now && now < known.at + TICKET_LASTS;
  const user = isOn ? await findUser(server.db, known.userId) : undefined;
  const credentials = await findCredentials(server.db, user?.id ?? 0);
  if (!user || !credentials || !maySignIn(user) || hashOf(credentials.password_hash) !== known?.hash) {
    server.audit(request, 'sign-in failed: too late', user);
    return TOO_LATE;
  }
  let recoveryCodes: number | undefined;
  const { isRight, wait } = await guess(server.db, `code ${user.id}`, address, now, async () => {
    const checked = await isRightCode(server.db, credentials, code, now);
    recoveryCodes = checked.recoveryCodes;
    return checked.isRight;
  });
  if (wait > 0) return { ...haveToWait(request, user, wait), ticket };
  if (isRight) return { user, credentials, recoveryCodes };
  server.audit(request, 'sign-in failed: wrong code', user);
  return { problem: 'That code is wrong, or it has been used. Wait for the next one.', status: 422, ticket };
}

function haveToWait(request: FastifyRequest, user: User | undefined, wait: number): Problem {
  request.server.audit(request, 'sign-in refused: too many attempts', user);
  return { problem: tooMany(wait), status: 429, wait };
}

/** The same credentials with the password hashed as it is done now; another time, if there is no room for that. */
async function renewHash(db: Db, known: Credentials, password: string): Promise<Credentials> {
  if (!isOutdated(known.password_hash)) return known;
  const password_hash = await passwordQueue.run(() => hashPassword(password)).catch(() => undefined);
  if (password_hash === undefined) return known;
  const isRenewed = await transact(db, (trx) => rehashPassword(trx, known, password_hash));
  if (isRenewed) return { ...known, password_hash };
  // By whoever clicked twice, say.
  const current = await findCredentials(db, known.user_id);
  const isSame = await passwordQueue.run(() => isPassword(password, current?.password_hash));
  return isSame && current ? current : known;
}

async function findAccount(db: Db, typed: string): Promise<User | undefined> {
  return typed.includes('@') ? findUserByEmail(db, typed) : findUserByUsername(db, typed);
}

/** Begins a session; undefined when what was checked has been changed meanwhile. */
async function begin(
  request: FastifyRequest,
  reply: FastifyReply,
  { user, credentials, recoveryCodes }: Extract<Step, { user: User }>,
  fields: Fields,
): Promise<{ to: string; sentence?: string | undefined } | undefined> {
  const { server } = request;
  await findActor(request);
  const { password_hash, code_secret } = credentials;
  const draft = fields.draft ? await openDraft(request, user.id, fields.draft) : undefined;
  const session = { user_id: user.id, address: request.address, browser: browserOf(request) };
  // One's own that has run out is kept: another window may have a form that was sent in it.
  const before = request.session ?? (request.expired?.user_id === user.id ? undefined : request.expired);
  const token = newToken();
  const hasBegun = await transact(server.db, async (trx: Trx) => {
    const now = server.clock();
    const owner = await lockUser(trx, user.id);
    const known = await lockCredentials(trx, user.id);
    if (!owner || !maySignIn(owner)) return false;
    if (known?.password_hash !== password_hash || known.code_secret !== code_secret) return false;
    await forgetOld(trx, now, server.config.sessionIdle);
    if (before) await deleteSession(trx, before.id);
    const id = await insertSession(trx, { token, ...session }, now);
    if (draft) await setDraft(trx, id, draft);
    return true;
  });
  if (!hasBegun) {
    server.audit(request, 'sign-in failed', user);
    return undefined;
  }
  const { name, options } = sessionCookie(server.config);
  reply.setCookie(name, token, options);
  server.audit(request, 'signed in', user);
  const left = recoveryCodes === 1 ? '1 recovery code is' : `${recoveryCodes} recovery codes are`;
  return {
    to: draft?.form ?? localAddress(fields.next),
    sentence: recoveryCodes === undefined ? undefined : `You are signed in; ${left} left.`,
  };
}

function browserOf({ headers }: FastifyRequest): string {
  return (headers['user-agent'] ?? '').slice(0, LONGEST_BROWSER);
}
