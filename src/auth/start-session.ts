/** Beginning a session for someone who has shown who they are, and finding out that their browser keeps it. */
import type { FastifyRequest } from 'fastify';
import type { Trx, User } from '../db/schema.ts';
import { transact } from '../db/transact.ts';
import { isShort, localAddress } from '../http/safe-redirect.ts';
import type { Fields } from '../lib/forms.ts';
import { named } from '../lib/text.ts';
import { shareUser } from '../users/queries.ts';
import { authenticate } from './authenticate.ts';
import { warningOf } from './code-refusals.ts';
import { readCookie, sessionCookie } from './cookie.ts';
import { type Credentials, lockCredentials, noteSignIn } from './credentials.ts';
import { deviceCookie } from './device-cookie.ts';
import { moveDrafts } from './drafts.ts';
import { maySignIn } from './policy.ts';
import { isFromBeforeErasure, openDraft, redeemDraft } from './sealed-drafts.ts';
import { redeemCode } from './second-factor.ts';
import { deleteSession, endIfSetBack, insertSession } from './sessions.ts';
import { type Problem, refuseCode, TOO_LATE } from './sign-in-problems.ts';
import { findReplay, keepForReplay, type StartedSession } from './sign-in-replay.ts';
import { findTicketHolder, redeemTicket } from './tickets.ts';
import { newToken, open, seal } from './tokens.ts';
import type { Verified } from './verify-credentials.ts';

const LONGEST_BROWSER = 200;
const COOKIE_CHECK_LASTS = 5 * 60_000;
const NOT_KEPT =
  'What you sent before was not kept: somebody was erased meanwhile, whom it might have named. If not, fill in the form again.';

type Draft = NonNullable<Awaited<ReturnType<typeof openDraft>>>;

/** Once for each form: of two clicks both get the session of the first. */
export async function startSession(
  request: FastifyRequest,
  verified: Verified,
  fields: Fields,
): Promise<StartedSession | Problem> {
  const { server } = request;
  const { user } = verified;
  // Which session this browser has by now: the new one takes its place.
  await authenticate(request);
  const draft = fields.draft ? await openDraft(request, fields.draft) : undefined;
  const outcome = await transact(server.db, async (trx) => {
    const checked = await checkAgain(trx, request, verified);
    if (checked.kind !== 'right') return checked;
    return replaceSession(trx, request, {
      user,
      draft,
      next: localAddress(fields.next),
      sentence: checked.sentence,
    });
  });
  if (outcome.kind === 'code refused') return refuseCode(request, user, outcome.code, outcome.why);
  if (outcome.kind === 'problem') server.audit(request, 'sign-in failed', user);
  if (outcome.kind === 'started' && outcome.isNew) server.audit(request, 'signed in', user);
  return outcome;
}

/** On locked rows: a code that is right is used up. */
async function checkAgain(trx: Trx, request: FastifyRequest, { user, credentials, code }: Verified) {
  const { server } = request;
  const owner = await shareUser(trx, user.id);
  const current = await lockCredentials(trx, user.id);
  if (!owner || !maySignIn(owner) || !current || !areSame(current, credentials)) return TOO_LATE;
  const replay = await findReplay(trx, request, code === undefined);
  if (replay) return replay;
  if (code === undefined) return { kind: 'right', sentence: sentenceFor(current.code_failures) } as const;
  // Of two that come with one ticket the second would use its code up for nothing.
  if (!(await findTicketHolder(trx, code.ticket, server.clock()))) return TOO_LATE;
  const outcome = await redeemCode(trx, server.secretKey, current, code.typed, server.clock());
  if (outcome.kind !== 'right') return { kind: 'code refused', code, why: outcome } as const;
  if (!(await redeemTicket(trx, code.ticket))) return TOO_LATE;
  return { kind: 'right', sentence: sentenceFor(outcome.failures, outcome.recoveryCodes) } as const;
}

function areSame(current: Credentials, checked: Credentials): boolean {
  return current.password_hash === checked.password_hash && current.code_secret === checked.code_secret;
}

type SessionStart = { user: User; draft?: Draft | undefined; next: string; sentence: string };

/** A new session in the place of the one that the browser has, if any. */
export async function replaceSession(
  trx: Trx,
  request: FastifyRequest,
  { user, draft, next, sentence }: SessionStart,
): Promise<StartedSession> {
  const { server, address, session, expired } = request;
  const now = server.clock();
  await endIfSetBack(trx, now, server.config.sessionIdle);
  await noteSignIn(trx, user.id, now);
  const browser = browserOf(request);
  const id = await insertSession(trx, { token: newToken(), user_id: user.id, address, browser }, now);
  const refusal = draft && (await refusalOf(trx, draft, user));
  const form = draft && !refusal && (await redeemDraft(trx, draft, id, now)) ? draft.form : undefined;
  const before = session ?? expired;
  const isOwn = before?.user_id === user.id;
  if (isOwn && before.has_draft) await moveDrafts(trx, before.id, id, now);
  // One's own that has run out is kept: another window may have a form that was sent in it.
  if (before && !(isOwn && expired)) await deleteSession(trx, before.id);
  const to = viaCookieCheck(request, id, form ?? next);
  const message = [sentence, refusal].filter(Boolean).join(' ');
  const token = await keepForReplay(trx, request, id, { to, sentence: message });
  return { kind: 'started', isNew: true, user, token, to, sentence: message };
}

async function refusalOf(trx: Trx, draft: Draft, user: User): Promise<string | undefined> {
  if (draft.owner.id !== user.id)
    return `The form that was sent here before is ${named(draft.owner.username)}’s: nothing of it was saved, and you do not see it.`;
  return (await isFromBeforeErasure(trx, draft)) ? NOT_KEPT : undefined;
}

/** To where they go, by way of finding out whether the browser keeps cookies, if it has none. */
function viaCookieCheck(request: FastifyRequest, session: number, to: string): string {
  const check = cookieCheckAddress(request, session, to);
  return keepsCookies(request) || !isShort(check, request.server.config.origin) ? to : check;
}

function keepsCookies(request: FastifyRequest): boolean {
  return [sessionCookie, deviceCookie].some((of) => readCookie(request, of(request.server)) !== undefined);
}

type Check = { sessionId: number; at: number };

function cookieCheckAddress({ server }: FastifyRequest, sessionId: number, next: string): string {
  const check = seal(server.secretKey, 'cookie check', { sessionId, at: server.clock() } satisfies Check);
  return `/sign-in?${new URLSearchParams({ next, check })}`;
}

/** Ends the session of a browser that has come back without its cookie; false where nobody has just signed in. */
export async function endSessionWithoutCookie({ server }: FastifyRequest, sealed: string): Promise<boolean> {
  const check = open(server.secretKey, 'cookie check', sealed) as Check | undefined;
  if (check === undefined || Math.abs(server.clock() - check.at) > COOKIE_CHECK_LASTS) return false;
  await transact(server.db, (trx) => deleteSession(trx, check.sessionId));
  return true;
}

function sentenceFor(failures: number, recoveryCodes?: number): string {
  if (failures === 0 && recoveryCodes === undefined) return '';
  const left = recoveryCodes === 1 ? '1 recovery code is left' : `${recoveryCodes} recovery codes are left`;
  const signedIn = recoveryCodes === undefined ? 'You are signed in.' : `You are signed in; ${left}.`;
  return `${signedIn} ${warningOf(failures)}`.trimEnd();
}

function browserOf({ headers }: FastifyRequest): string {
  return (headers['user-agent'] ?? '').slice(0, LONGEST_BROWSER);
}
