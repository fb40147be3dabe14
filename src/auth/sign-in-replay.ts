/** A sign-in that is replayed: its form, sent again by a second click, gets the session that it has started. */
import type { FastifyRequest } from 'fastify';
import type { Db, Trx, User } from '../db/schema.ts';
import { isWithin } from '../lib/clock.ts';
import type { Fields } from '../lib/forms.ts';
import { isLive } from './authenticate.ts';
import { readCookie, sessionCookie } from './cookie.ts';
import { signInForm, tokenOfBegun } from './idempotency.ts';
import { done, findAnswer, replaceAnswer } from './idempotency-store.ts';
import { maySignIn } from './policy.ts';
import { findSession, renewSession, type Session } from './sessions.ts';
import { TICKET_LASTS } from './tickets.ts';

/** Where somebody goes who has signed in, and the token that their browser is known by. */
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

/** Undefined also where that session is over. */
export async function findReplay(db: Db, request: FastifyRequest): Promise<StartedSession | undefined> {
  const form = signInForm(request);
  const kept = form && (await findAnswer(db, form));
  if (kept?.session === undefined) return undefined;
  const token = tokenOfBegun(request, kept.session);
  const session = await findSession(db, token);
  if (!session || !isOn(request, session) || !isGivenAgain(request, session, token)) return undefined;
  const user = { id: session.user_id, username: session.username };
  return { kind: 'started', isNew: false, user, token, to: kept.to, sentence: kept.sentence };
}

function isOn({ server }: FastifyRequest, session: Session): boolean {
  return maySignIn(session) && isLive(session, server.config, server.clock());
}

/** A code is not looked at twice: its form alone is enough for as long as its ticket would have been good. */
function isGivenAgain(request: FastifyRequest, { created_at }: Session, token: string): boolean {
  const { server, body } = request;
  const isHere = readCookie(request, sessionCookie(server)) === token;
  const hasCode = (body as Fields).ticket !== undefined;
  return isHere || !hasCode || isWithin(created_at, TICKET_LASTS, server.clock());
}
