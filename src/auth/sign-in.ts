/** Signing in and out, as pages. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { transact } from '../db/transact.ts';
import { localAddress } from '../http/safe-redirect.ts';
import type { Views } from '../http/views.ts';
import { type Fields, readFields } from '../lib/forms.ts';
import { authenticate } from './authenticate.ts';
import { sessionCookie } from './cookie.ts';
import { isDeactivated } from './deactivation-notice.ts';
import { rememberDevice } from './device-cookie.ts';
import { openDraft, type SealedForm } from './sealed-drafts.ts';
import { deleteSession } from './sessions.ts';
import type { Problem } from './sign-in-problems.ts';
import { findReplay, type StartedSession } from './sign-in-replay.ts';
import { endSessionWithoutCookie, startSession } from './start-session.ts';
import { verifyCredentials } from './verify-credentials.ts';

const FIELDS = ['username', 'password', 'code', 'recovery_code', 'ticket', 'next', 'draft', 'again'] as const;
const NO_COOKIE =
  'Your browser has not kept the cookie that you are known by, so you are not signed in. Let it keep cookies of this site, then sign in again.';

type Shown = Views['auth/sign-in'];

export async function showSignIn(request: FastifyRequest<{ Querystring: Fields }>, reply: FastifyReply) {
  await authenticate(request);
  const { next: wanted, username = '', check } = request.query;
  const next = localAddress(wanted);
  const { actor, session, url } = request;
  if (session && username && session.username !== username)
    return reply.render('auth/sign-out', { session, other: username, next: url });
  if (actor) return reply.seeOther(next);
  if (check && (await endSessionWithoutCookie(request, check)))
    return show(reply, { next, problem: NO_COOKIE }, 422);
  const isExpired = request.expired !== undefined;
  return show(reply, { next, username, isExpired, isDeactivated: await isDeactivated(request) });
}

export async function signIn(request: FastifyRequest, reply: FastifyReply) {
  const fields = readFields(request.body, FIELDS);
  const next = localAddress(fields.next);
  const draft = await findSealedForm(request, fields.draft);
  if (fields.again) return show(reply, { next, username: draft?.owner ?? '', draft });
  const { username = '', recovery_code } = fields;
  const shown = { next, username, draft, isRecovery: Boolean(recovery_code) };
  const checked = await verifyCredentials(request, fields);
  if (checked.kind === 'code asked') return show(reply, { ...shown, ticket: checked.ticket });
  const outcome = checked.kind === 'verified' ? await startSession(request, checked, fields) : checked;
  if (outcome.kind === 'started') return answerWithSession(request, reply, outcome);
  // Of two clicks the first has used up the code, and its ticket. Of a password nothing is used up: it is looked at each time.
  const replay = fields.ticket !== undefined && (await findReplay(request.server.db, request, false));
  return replay ? answerWithSession(request, reply, replay) : refuse(request, reply, shown, outcome);
}

async function findSealedForm(request: FastifyRequest, sealed = ''): Promise<SealedForm | undefined> {
  const draft = await openDraft(request, sealed);
  return draft && { sealed, owner: draft.owner.username };
}

export function answerWithSession(
  request: FastifyRequest,
  reply: FastifyReply,
  { user, token, to, sentence }: StartedSession,
) {
  const { name, options } = sessionCookie(request.server);
  reply.setCookie(name, token, options);
  rememberDevice(request, reply, user.id);
  return reply.seeOther(to, sentence);
}

async function refuse(request: FastifyRequest, reply: FastifyReply, shown: Shown, refusal: Problem) {
  const { problem, note, status, wait, ticket, late } = refusal;
  if (late) request.server.auditOften(request, 'sign-in failed: too late', late.user);
  if (wait !== undefined) reply.header('retry-after', String(Math.ceil(wait / 1000)));
  const more = {
    isDeactivated: await isDeactivated(request),
    ...(note && { note }),
    ...(ticket && { ticket }),
  };
  return show(reply, { ...shown, problem, ...more }, status);
}

async function show(reply: FastifyReply, shown: Shown, status = 200) {
  // Nor compressed, then: what is typed beside the ticket could tell it by the length.
  if (shown.ticket) reply.header('cache-control', 'no-store');
  return reply.render('auth/sign-in', shown, status);
}

/** For whoever types the address: signing out takes a form. */
export async function askToSignOut(request: FastifyRequest, reply: FastifyReply) {
  await authenticate(request);
  const { session } = request;
  return session ? reply.render('auth/sign-out', { session, next: '/sign-in' }) : reply.seeOther('/sign-in');
}

export async function signOut(request: FastifyRequest, reply: FastifyReply) {
  const { next } = readFields(request.body, ['next']);
  await authenticate(request);
  const { server } = request;
  const session = request.session ?? request.expired;
  if (session) {
    await transact(server.db, (trx) => deleteSession(trx, session.id));
    server.audit(request, 'signed out', { id: session.user_id });
  }
  const { name, options } = sessionCookie(server);
  reply.clearCookie(name, { ...options, maxAge: 0 });
  // What the back button would show (https://www.w3.org/TR/clear-site-data/).
  reply.header('clear-site-data', '"cache"');
  return reply.seeOther(localAddress(next, '/sign-in'), 'You are signed out.');
}
