/** Authorization of each request: who asks, and whether they may have what they ask for. */
import type { FastifyContextConfig, FastifyInstance, FastifyRequest } from 'fastify';
import { ForbiddenError } from '../errors.ts';
import { RefusedError } from '../http/refused-error.ts';
import { askForSecondFactor } from './ask-for-second-factor.ts';
import { askToSignIn } from './ask-to-sign-in.ts';
import { authenticate, knowsAdministrator } from './authenticate.ts';
import { renewedToken } from './idempotency.ts';
import { isFromElsewhere } from './open-access.ts';
import { anyone, mayRead, nobody, owesSecondFactor, type Rule, whoMay } from './policy.ts';
import { dropSentDraft } from './request-drafts.ts';

declare module 'fastify' {
  interface FastifyInstance {
    rules: ReadonlyMap<string, Rule>;
  }
  interface FastifyContextConfig {
    may?: Rule;
    /** The address of the form that a route takes: whoever has to sign in first comes back there. */
    form?: string;
    /** Whether what was typed there is kept meanwhile; never where it is a password. */
    isDraftKept?: boolean;
    /** The address of another form: what is kept waits there, and what waits there can be sent here as well. */
    draftForm?: string;
    /** Whether other machines, and a proxy, get an answer before there is an administrator. */
    isBeforeSetup?: boolean;
    isHealthCheck?: boolean;
    /** Whether it is answered under whatever host it is asked for, and by http as well. */
    isForAnyHost?: boolean;
    isBeforeSecondFactor?: boolean;
    renewsSession?: boolean;
  }
}

const NOT_OPEN =
  'There is no administrator yet, so Roster answers only on the machine it runs on. Its log has a link that makes the first one.';

export function allow(may: Rule, more: Omit<FastifyContextConfig, 'may'> = {}) {
  return { config: { may, ...more } };
}

const maySendDraft = new WeakSet<FastifyRequest>();

/** Call it before the first route. */
export function collectRules(app: FastifyInstance): void {
  const rules = new Map<string, Rule>();
  app.decorate('rules', rules);
  app.addHook('onRoute', function ({ method, url, config: { may } = {} }) {
    if (may === undefined) throw new Error(`${method} ${url} does not say who may ask for it.`);
    if (may !== anyone && !this.hasRequestDecorator('actor'))
      throw new Error(`${method} ${url} is where nobody is asked who they are.`);
    if (may !== nobody) for (const name of [method].flat()) rules.set(`${name} ${url}`, may);
  });
}

export function addAccess(app: FastifyInstance): void {
  app.decorateRequest('session', undefined).decorateRequest('actor', undefined);
  app.decorateRequest('expired', undefined).decorateRequest('isOpen', false);

  // Before anything of a body is read.
  app.addHook('onRequest', async (request, reply) => {
    const { may = mayRead, isBeforeSetup, renewsSession } = request.routeOptions.config;
    if (!isBeforeSetup && !(await knowsAdministrator(app)) && isFromElsewhere(request))
      throw new RefusedError(403, NOT_OPEN);
    if (may === anyone) return;
    await authenticate(request);
    // A method that an address does not have is answered with that, whoever asks.
    if (may === nobody) return;
    const { actor, expired } = request;
    // Whoever had a session keeps what they have sent, or goes on, which has to be read first.
    if (actor === undefined && expired === undefined && !renewsSession) return askToSignIn(request, reply);
    if (actor && !may(actor)) throw new ForbiddenError(whoMay(may));
  });
  app.addHook('preHandler', async (request, reply) => {
    const { may = mayRead, isBeforeSecondFactor, renewsSession } = request.routeOptions.config;
    if (may === anyone) return;
    if (renewsSession && request.actor === undefined) await authenticate(request, renewedToken(request));
    const { actor, session } = request;
    if (actor === undefined) return askToSignIn(request, reply);
    if (session && owesSecondFactor(session) && !isBeforeSecondFactor)
      return askForSecondFactor(request, reply, session);
    if (request.method === 'POST' && session?.has_draft) maySendDraft.add(request);
  });
  // Not before it is saved.
  app.addHook('onSend', (request, reply, _payload, done) => {
    if (reply.statusCode !== 303 || !maySendDraft.has(request)) done();
    else dropSentDraft(request).then(() => done(), done);
  });
}
