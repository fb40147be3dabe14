/** A sign-in that is replayed: its form, sent again by a second click, gets the session that it has started. */
import type { FastifyRequest } from 'fastify';
import type { Db, Trx, User } from '../db/schema.ts';
import { isWithin } from '../lib/clock.ts';
import { isLive } from './authenticate.ts';
import { readCookie, sessionCookie } from './cookie.ts';
import { signInForm, tokenOfBegun } from './idempotency.ts';
import { done, findAnswer, replaceAnswer } from './idempotency-store.ts';
import { maySignIn } from './policy.ts';
import { findSession, renewSession, type Session } from './sessions.ts';
import { TICKET_LASTS } from './tickets.ts';

export type StartedSession = {
  kind: 'started';
  isNew: boolean;
  user: Pick<User, 'id' | 'username'>;
  token: string;
  to: string;
  sentence: string;
};

/** Keeps no more than the number of the session. @returns its token, which it takes the very form to make again */
export async function keepForReplay(
  trx: Trx,
  request: FastifyRequest,
  session: number,
  { to, sentence }: Pick<StartedSession, 'to' | 'sentence'>,
): Promise<string> {
  const form = signInForm(request);
  const token = tokenOfBegun(request, session);
  await renewSession(trx, session, token);
  if (form) await replaceAnswer(trx, form, { ...done(to, sentence), session }, request.server.clock());
  return token;
}

/** Undefined also where that session is over. @param isChecked whether the password has been looked at once more */
export async function findReplay(
  db: Db,
  request: FastifyRequest,
  isChecked: boolean,
): Promise<StartedSession | undefined> {
  const form = signInForm(request);
  const kept = form && (await findAnswer(db, form));
  if (kept?.session === undefined) return undefined;
  const token = tokenOfBegun(request, kept.session);
  const session = await findSession(db, token);
  if (!session || !isOn(request, session)) return undefined;
  if (!isChecked && !isGivenUnchecked(request, session, token)) return undefined;
  const user = { id: session.user_id, username: session.username };
  return { kind: 'started', isNew: false, user, token, to: kept.to, sentence: kept.sentence };
}

function isOn({ server }: FastifyRequest, session: Session): boolean {
  return maySignIn(session) && isLive(session, server.config, server.clock());
}

/** A code is not looked at twice, nor the link of the first administrator: the form alone is enough for as long as a ticket is good. */
function isGivenUnchecked(request: FastifyRequest, { created_at }: Session, token: string): boolean {
  const { server } = request;
  const isHere = readCookie(request, sessionCookie(server)) === token;
  return isHere || isWithin(created_at, TICKET_LASTS, server.clock());
}
