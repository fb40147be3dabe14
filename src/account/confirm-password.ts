/** What only the owner of an account may do to it: with the password once more, for the browser may have been left alone. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { findCredentials } from '../auth/credentials.ts';
import { attemptPassword } from '../auth/password-attempt.ts';
import { SOON } from '../auth/sign-in-problems.ts';
import { byBrowser, tooMany } from '../auth/throttle.ts';
import { BusyError } from '../errors.ts';
import { retryAfter } from '../lib/retry-after.ts';
import { sessionOf } from './own-account.ts';

export type Refusal = { sentence: string; status: number };

export async function checkOwnPassword(
  request: FastifyRequest,
  reply: FastifyReply,
  password: string,
): Promise<Refusal | undefined> {
  const { server } = request;
  const { user_id } = sessionOf(request);
  const credentials = await findCredentials(server.db, user_id);
  try {
    // Only who is signed in gets here: nobody else's guesses keep the owner waiting.
    const counters = byBrowser(`signed in as ${user_id}`);
    const { isRight, wait } = await attemptPassword(request, counters, password, credentials?.password_hash);
    if (isRight) return undefined;
    if (wait > 0) return haveToWait(request, reply, 'password', wait);
    server.audit(request, 'wrong password', { id: user_id });
    return { sentence: 'That is not your password.', status: 422 };
  } catch (error) {
    if (!(error instanceof BusyError)) throw error;
    reply.header('retry-after', retryAfter());
    return { sentence: `Too many passwords are being checked. ${SOON}`, status: 503 };
  }
}

export function haveToWait(
  request: FastifyRequest,
  reply: FastifyReply,
  what: 'password' | 'code',
  wait: number,
): Refusal {
  request.server.auditOften(request, `${what} refused: too many attempts`, {
    id: sessionOf(request).user_id,
  });
  reply.header('retry-after', String(Math.ceil(wait / 1000)));
  return { sentence: tooMany(wait), status: 429 };
}
