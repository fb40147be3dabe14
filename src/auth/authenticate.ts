/** Who asks: the session that a request comes with, or whoever is there while there is no administrator. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Config } from '../config.ts';
import { primaryOf, readPrimary, unlessAway } from '../db/engine.ts';
import type { Db, Trx } from '../db/schema.ts';
import { transact } from '../db/transact.ts';
import { isWithin, SKEW } from '../lib/clock.ts';
import type { Actor } from './actor.ts';
import { hasAdministrator } from './administrators.ts';
import { readCookie, sessionCookie } from './cookie.ts';
import { maySignIn } from './policy.ts';
import { actorOf } from './run-command.ts';
import {
  endIfSetBack,
  findSession,
  findSessionsOf,
  isAnySeenAfter,
  type Session,
  touchSession,
} from './sessions.ts';

declare module 'fastify' {
  interface FastifyRequest {
    session: Session | undefined;
    /** Also set where nobody needs to sign in, since there is no administrator yet. */
    actor: Actor | undefined;
    isOpen: boolean;
    expired: Session | undefined;
  }
}

const TOUCH_INTERVAL = 60_000;
/** Of the browsers that someone is signed in with, those used last; all others can be signed out all the same. */
const MOST_SHOWN = 100;

export async function authenticate(
  request: FastifyRequest,
  token = readCookie(request, sessionCookie(request.server)),
): Promise<void> {
  const { server } = request;
  const session =
    token === undefined ? undefined : await readPrimary(server.db, (db) => findSession(db, token));
  const db = primaryOf(server.db);
  const now = server.clock();
  if (session && maySignIn(session)) {
    if (await continueSession(request, db, session, now)) {
      request.session = session;
      const { user_id: id, username, role } = session;
      request.actor = actorOf(request, { user: { id, username }, role, via: 'form' });
      return;
    }
    request.expired = session;
  }
  if (!(await knowsAdministrator(server))) {
    request.isOpen = true;
    request.actor = actorOf(request, { role: 'editor', via: 'open' });
  }
}

export function isLive(
  { created_at, seen_at }: Pick<Session, 'created_at' | 'seen_at'>,
  { sessionIdle, sessionLasts }: Config,
  now: number,
): boolean {
  return isWithin(created_at, sessionLasts, now) && isWithin(seen_at, sessionIdle, now);
}

export async function findLiveSessions(db: Db, { config, clock }: FastifyInstance, userId: number) {
  const latest = await findSessionsOf(db, userId, MOST_SHOWN);
  return latest.filter((session) => isLive(session, config, clock()));
}

async function continueSession(
  request: FastifyRequest,
  db: Db,
  session: Session,
  now: number,
): Promise<boolean> {
  const { server } = request;
  const { config } = server;
  const isJustNoted = Math.abs(now - session.seen_at) < TOUCH_INTERVAL;
  if (!isJustNoted && (await readPrimary(server.db, (one) => isAnySeenAfter(one, now + SKEW)))) {
    request.log.warn(
      'the clock has been set back, or another Roster’s is ahead: everyone has to sign in again',
    );
    await noteUse(request, db, (trx) => endIfSetBack(trx, now, config.sessionIdle));
    return false;
  }
  if (!isLive(session, config, now)) return false;
  if (!isJustNoted) await noteUse(request, db, (trx) => touchSession(trx, session, now));
  return true;
}

/** A page can be read where nothing can be written just now; while another one stands in for the primary nobody tries. */
async function noteUse(
  { server, log }: FastifyRequest,
  db: Db,
  note: (trx: Trx) => Promise<void>,
): Promise<void> {
  if (db !== server.db) return;
  const noting = transact(server.db, note).catch((err) =>
    log.warn({ err }, 'it could not be noted which sessions are in use'),
  );
  await unlessAway(server.db, noting);
}

const administered = new WeakSet<FastifyInstance>();

/** Once there has been an administrator there always is one. */
export async function knowsAdministrator(server: FastifyInstance): Promise<boolean> {
  if (administered.has(server)) return true;
  const isKnown = await readPrimary(
    server.db,
    // What stands in may not have got the first one yet.
    async (db) =>
      (await hasAdministrator(db)) ||
      (primaryOf(server.db) !== server.db && (await hasAdministrator(server.db))),
  );
  if (isKnown) administered.add(server);
  return isKnown;
}
