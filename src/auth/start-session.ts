/** Beginning a session for someone who has shown who they are, and finding out that their browser keeps it. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Trx } from '../db/schema.ts';
import { transact } from '../db/transact.ts';
import { isShort, localAddress } from '../http/safe-redirect.ts';
import type { Fields } from '../lib/forms.ts';
import { lockUser } from '../users/queries.ts';
import { authenticate } from './authenticate.ts';
import { readCookie, sessionCookie } from './cookie.ts';
import { lockCredentials, noteSignIn } from './credentials.ts';
import { deviceCookie, rememberDevice } from './device.ts';
import { redeemDraft } from './drafts.ts';
import { openDraft } from './kept-forms.ts';
import { maySignIn } from './policy.ts';
import { deleteSession, endIfSetBack, insertSession } from './sessions.ts';
import { redeemTicket } from './tickets.ts';
import { newToken, open, seal } from './tokens.ts';
import type { Verified } from './verify-credentials.ts';

const LONGEST_BROWSER = 200;
const COOKIE_CHECK_LASTS = 5 * 60_000;

/** Where somebody goes who has just signed in; undefined when what was checked has been changed meanwhile. */
export async function startSession(
  request: FastifyRequest,
  reply: FastifyReply,
  verified: Verified,
  fields: Fields,
): Promise<{ to: string; sentence?: string | undefined } | undefined> {
  const { server } = request;
  const { user, credentials, ticket, code } = verified;
  await authenticate(request);
  const { password_hash, code_secret } = credentials;
  const sealed = fields.draft ? await openDraft(request, user.id, fields.draft) : undefined;
  const session = { user_id: user.id, address: request.address, browser: browserOf(request) };
  // One's own that has run out is kept: another window may have a form that was sent in it.
  const before = request.session ?? (request.expired?.user_id === user.id ? undefined : request.expired);
  const token = newToken();
  const begun = await transact(server.db, async (trx: Trx) => {
    const now = server.clock();
    const owner = await lockUser(trx, user.id);
    const current = await lockCredentials(trx, user.id);
    if (!owner || !maySignIn(owner)) return undefined;
    if (current?.password_hash !== password_hash || current.code_secret !== code_secret) return undefined;
    if (ticket !== undefined && !(await redeemTicket(trx, ticket))) return undefined;
    await endIfSetBack(trx, now, server.config.sessionIdle);
    await noteSignIn(trx, user.id, now);
    const id = await insertSession(trx, { token, ...session }, now);
    const form = sealed && (await redeemDraft(trx, sealed, id, now)) ? sealed.form : undefined;
    if (before) await deleteSession(trx, before.id);
    return { id, form, failures: code?.failures ?? current.code_failures };
  });
  if (begun === undefined) {
    server.audit(request, 'sign-in failed', user);
    return undefined;
  }
  const { name, options } = sessionCookie(server);
  reply.setCookie(name, token, options);
  rememberDevice(request, reply, user.id);
  server.audit(request, 'signed in', user);
  const to = begun.form ?? localAddress(fields.next);
  const check = checkAddress(request, begun.id, to);
  return {
    to: keepsCookies(request) || !isShort(check) ? to : check,
    sentence: sentenceFor(begun.failures, code?.recoveryCodes),
  };
}

function keepsCookies(request: FastifyRequest): boolean {
  return [sessionCookie, deviceCookie].some((of) => readCookie(request, of(request.server)) !== undefined);
}

type Check = { sessionId: number; at: number };

function checkAddress({ server }: FastifyRequest, sessionId: number, next: string): string {
  const check = seal(server.secretKey, 'cookie check', { sessionId, at: server.clock() } satisfies Check);
  return `/sign-in?${new URLSearchParams({ next, check })}`;
}

/** Ends the session of a browser that has come back without its cookie; false where nobody has just signed in. */
export async function endUnkept({ server }: FastifyRequest, sealed: string): Promise<boolean> {
  const check = open(server.secretKey, 'cookie check', sealed) as Check | undefined;
  if (check === undefined || Math.abs(server.clock() - check.at) > COOKIE_CHECK_LASTS) return false;
  await transact(server.db, (trx) => deleteSession(trx, check.sessionId));
  return true;
}

function sentenceFor(failures: number, recoveryCodes: number | undefined): string | undefined {
  if (failures === 0 && recoveryCodes === undefined) return undefined;
  const left = recoveryCodes === 1 ? '1 recovery code is left' : `${recoveryCodes} recovery codes are left`;
  const wrong = failures === 1 ? 'A wrong code was' : `${failures} wrong codes were`;
  return [
    recoveryCodes === undefined ? 'You are signed in.' : `You are signed in; ${left}.`,
    ...(failures > 0
      ? [`${wrong} sent with your password before. If that was not you, change your password.`]
      : []),
  ].join(' ');
}

function browserOf({ headers }: FastifyRequest): string {
  return (headers['user-agent'] ?? '').slice(0, LONGEST_BROWSER);
}
