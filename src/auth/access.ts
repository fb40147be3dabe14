/** At the door: who asks, and whether they may have what they ask for. */
import type { FastifyContextConfig, FastifyInstance, FastifyRequest } from 'fastify';
import { ForbiddenError } from '../errors.ts';
import { RefusedError } from '../http/security.ts';
import { askToSignIn } from './ask-to-sign-in.ts';
import { authenticate, knowsAdministrator } from './authenticate.ts';
import { setDraft } from './drafts.ts';
import { draftOf, dropSentDraft } from './kept-forms.ts';
import { isFromElsewhere } from './open-access.ts';
import { anyone, mayRead, nobody, type Rule, whoMay } from './policy.ts';
import { runCommand } from './run-command.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** Who may ask for each route: `GET /users`. */
    rules: ReadonlyMap<string, Rule>;
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

const CODE_PAGE = '/account/code';
const NOT_OPEN =
  'There is no administrator yet, so Roster answers nobody but this machine. Its log has a link that makes the first one.';

/** What a route says of itself: who may ask for it, and more of the above. */
export function allow(may: Rule, more: Omit<FastifyContextConfig, 'may'> = {}) {
  return { config: { may, ...more } };
}

/** Requests of those for whom a draft waits that may be the very form that is sent. */
const sendsDraft = new WeakSet<FastifyRequest>();

/** Call it before the first route: each says who may ask for it, and only `anyone` may where it is not known who asks. */
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

/** Finds out by its session who asks for a page, and lets them have what they may. */
export function addAccess(app: FastifyInstance): void {
  app.decorateRequest('session', undefined).decorateRequest('actor', undefined);
  app.decorateRequest('expired', undefined).decorateRequest('isOpen', false);

  // Before anything of a body is read.
  app.addHook('onRequest', async (request, reply) => {
    const { may = mayRead, isBeforeSetup } = request.routeOptions.config;
    if (!isBeforeSetup && !(await knowsAdministrator(app)) && isFromElsewhere(request))
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
