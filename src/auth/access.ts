/** At the door: who asks, and whether they may have what they ask for. */
import type { FastifyContextConfig, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Config } from '../config.ts';
import type { Trx } from '../db/schema.ts';
import { transact } from '../db/transact.ts';
import { ForbiddenError } from '../errors.ts';
import { isShort } from '../http/safe-redirect.ts';
import { RefusedError } from '../http/security.ts';
import { type Clock, isWithin, SKEW } from '../lib/clock.ts';
import type { Actor } from './actor.ts';
import { hasAdministrator } from './administrators.ts';
import { readCookie, sessionCookie } from './cookie.ts';
import { draftOf, dropSentDraft, formOf, sealDraft } from './kept-forms.ts';
import { isFromElsewhere } from './open-access.ts';
import { anyone, mayRead, maySignIn, nobody, type Rule, whoMay } from './policy.ts';
import { actorOf, runCommand } from './run-command.ts';
import {
  endIfSetBack,
  findSession,
  isAnySeenAfter,
  type Session,
  setDraft,
  touchSession,
} from './sessions.ts';

declare module 'fastify' {
  interface FastifyInstance {
    config: Config;
    clock: Clock;
    /** Who may ask for each route: `GET /users`. */
    rules: ReadonlyMap<string, Rule>;
  }
  interface FastifyRequest {
    /** Undefined for whoever is not signed in. */
    session: Session | undefined;
    /** Who asks; also set where nobody needs to sign in, since there is no administrator yet. */
    actor: Actor | undefined;
    isOpen: boolean;
    /** A session whose time is over. */
    expired: Session | undefined;
  }
  interface FastifyContextConfig {
    may?: Rule;
    /** The address of the form that is sent to a route: whoever has to sign in first comes back there. */
    form?: string;
    /** Whether what was typed there is kept meanwhile; never where it is a password. */
    isDraftKept?: boolean;
    /** Whether it is answered to other machines, and through a proxy, before there is an administrator. */
    isBeforeSetup?: boolean;
    /** Whether it is answered whatever host it is for. */
    isHealthCheck?: boolean;
    /** Whether it can be asked for before there is a second factor where there has to be one. */
    withoutSecondFactor?: boolean;
  }
}

/** Milliseconds between two notes that a session is in use. */
const TOUCH_EVERY = 60_000;
const CODE_PAGE = '/account/code';
const NOT_OPEN =
  'There is no administrator yet, so Roster answers nobody but this machine. Its log has a link that makes the first one.';

/** What a route says of itself: who may ask for it, and more of the above. */
export function allow(may: Rule, more: Omit<FastifyContextConfig, 'may'> = {}) {
  return { config: { may, ...more } };
}

/** Requests of those for whom a draft waits that may be the very form that is sent. */
const sendsDraft = new WeakSet<FastifyRequest>();

export function addAccess(app: FastifyInstance, config: Config, clock: Clock): void {
  const rules = new Map<string, Rule>();
  app.decorate('config', config).decorate('clock', clock).decorate('rules', rules);
  app.decorateRequest('session', undefined).decorateRequest('actor', undefined);
  app.decorateRequest('expired', undefined).decorateRequest('isOpen', false);

  app.addHook('onRoute', ({ method, url, config: { may } = {} }) => {
    if (may === undefined) throw new Error(`${method} ${url} does not say who may ask for it.`);
    if (may !== nobody) for (const name of [method].flat()) rules.set(`${name} ${url}`, may);
  });
  // Before anything of a body is read.
  app.addHook('onRequest', async (request, reply) => {
    const { may = mayRead, isBeforeSetup } = request.routeOptions.config;
    // What is known is asked first: it is so for all requests but a Roster's first ones.
    if (!isBeforeSetup && !known.has(app) && isFromElsewhere(request) && !(await knowsAdministrator(app)))
      throw new RefusedError(403, NOT_OPEN);
    if (may === anyone) return;
    await authenticate(request);
    // Whatever is asked for in a way that it does not have is told so, whoever asks.
    if (may === nobody) return;
    const { actor, expired } = request;
    // Whoever had a session keeps what they have sent, which has to be read first.
    if (actor === undefined && expired === undefined) return askToSignIn(request, reply);
    if (actor && !may(actor)) throw new ForbiddenError(whoMay(may));
  });
  // Once the form has been read: whoever is sent away keeps it.
  app.addHook('preHandler', async (request, reply) => {
    const { may = mayRead, withoutSecondFactor } = request.routeOptions.config;
    const { actor, session } = request;
    if (may === anyone) return;
    if (actor === undefined) return askToSignIn(request, reply);
    if (session?.is_code_required && !session.has_second_factor && !withoutSecondFactor) {
      const draft = request.method === 'POST' ? draftOf(request) : undefined;
      if (draft) await runCommand(request, (trx) => setDraft(trx, session.id, draft));
      return reply.seeOther(CODE_PAGE);
    }
    if (request.method === 'POST' && session?.is_drafting) sendsDraft.add(request);
  });
  // Not before it is saved.
  app.addHook('onSend', (request, reply, _payload, done) => {
    if (reply.statusCode !== 303 || !sendsDraft.has(request)) done();
    else dropSentDraft(request).then(() => done(), done);
  });
}

/** Finds out who asks. */
export async function authenticate(request: FastifyRequest): Promise<void> {
  const { server } = request;
  const token = readCookie(request, sessionCookie(server));
  const session = token === undefined ? undefined : await findSession(server.db, token);
  const now = server.clock();
  if (session && maySignIn(session)) {
    if (await isInUse(request, session, now)) {
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

/** Whether the time of a session is not over. */
export function isLive(
  { created_at, seen_at }: Pick<Session, 'created_at' | 'seen_at'>,
  { sessionIdle, sessionLasts }: Config,
  now: number,
): boolean {
  return isWithin(created_at, sessionLasts, now) && isWithin(seen_at, sessionIdle, now);
}

/** Whether a session goes on; it is then noted that it is in use. */
async function isInUse(request: FastifyRequest, session: Session, now: number): Promise<boolean> {
  const { server, log } = request;
  const { db, config } = server;
  const isJustNoted = Math.abs(now - session.seen_at) < TOUCH_EVERY;
  if (!isJustNoted && (await isAnySeenAfter(db, now + SKEW))) {
    log.warn('the clock has been set back, or another Roster’s is ahead: everyone has to sign in again');
    await noteUse(request, (trx) => endIfSetBack(trx, now, config.sessionIdle));
    return false;
  }
  if (!isLive(session, config, now)) return false;
  if (!isJustNoted) await noteUse(request, (trx) => touchSession(trx, session.id, now));
  return true;
}

/** A page can be read where nothing can be written just now. */
async function noteUse({ server, log }: FastifyRequest, note: (trx: Trx) => Promise<void>): Promise<void> {
  await transact(server.db, note).catch((err) =>
    log.warn({ err }, 'it could not be noted which sessions are in use'),
  );
}

const known = new WeakSet<FastifyInstance>();

/** Once there has been an administrator there always is one. */
async function knowsAdministrator(server: FastifyInstance): Promise<boolean> {
  if (!known.has(server) && (await hasAdministrator(server.db))) known.add(server);
  return known.has(server);
}

/** Leads to the form for signing in, or shows it; what was sent is there again afterwards, where it may be kept. */
export async function askToSignIn(request: FastifyRequest, reply: FastifyReply) {
  const { method, url, expired } = request;
  const isReading = method === 'GET' || method === 'HEAD';
  const address = `/sign-in?next=${encodeURIComponent(url)}`;
  if (isReading && isShort(address)) return reply.seeOther(address);
  const draft = draftOf(request);
  // RFC 9110, 11.6.1; browsers ask nothing by themselves for a scheme that they do not know.
  reply.header('www-authenticate', 'Form realm="Roster"');
  return reply.render(
    'auth/sign-in',
    {
      next: isReading ? url : (formOf(request) ?? '/users'),
      username: expired?.username ?? '',
      draft: expired && draft ? sealDraft(request, expired, draft) : undefined,
      isRefused: !isReading,
      isExpired: expired !== undefined,
    },
    401,
  );
}
