/** The table of contents: everything that Roster is made of, in the order in which a request meets it. */
import type { Socket } from 'node:net';
import formbody from '@fastify/formbody';
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { accountRoutes } from './account/routes.ts';
import { addAccess, allow } from './auth/access.ts';
import { addAudit } from './auth/audit.ts';
import { cookieMarkOf } from './auth/cookie.ts';
import { mayRead } from './auth/policy.ts';
import { addPruning } from './auth/pruning.ts';
import { sessionRoutes } from './auth/routes.ts';
import type { Config } from './config.ts';
import type { Db } from './db/schema.ts';
import { addAdmission } from './http/admission.ts';
import { assetRoutes } from './http/assets.ts';
import { addClientAddress, askerOf, trustOf } from './http/client-address.ts';
import { addCompression } from './http/compression.ts';
import { addErrorPages, answerClientError, newRequestId, showFrameworkError } from './http/error-pages.ts';
import { addFlash } from './http/flash.ts';
import { addDraining } from './http/graceful-shutdown.ts';
import { takeTarget } from './http/host.ts';
import { addLogLimit, limitLines, limitLog } from './http/log-limit.ts';
import { collectMethods } from './http/method-not-allowed.ts';
import { addSecurity } from './http/security.ts';
import { addDropping } from './http/unread-bodies.ts';
import { addViews } from './http/views.ts';
import { wellKnownRoutes } from './http/well-known.ts';
import { invitationRoutes } from './invitations/routes.ts';
import type { Clock } from './lib/clock.ts';
import type { Stopwatch } from './lib/deadline.ts';
import { parseQuery, parseUrlEncoded } from './lib/forms.ts';
import { withoutTokens } from './lib/redaction.ts';
import { addClockWatch } from './operations/clock-watch.ts';
import { healthRoutes } from './operations/health.ts';
import { roleRoutes } from './roles/routes.ts';
import { setupRoutes } from './setup/routes.ts';
import { userRoutes } from './users/routes.ts';

declare module 'fastify' {
  interface FastifyInstance {
    db: Db;
    /** What is sealed with it, in the database and in browsers, nobody reads or makes who lacks it: 32 bytes. */
    secretKey: Buffer;
    stopwatch: Stopwatch;
    /** What the names of its cookies end with. */
    cookieMark: string;
  }
}

/** Bytes. */
const LARGEST_FORM = 64 * 1024;
/** A client that has not sent its whole request after this, in milliseconds, is told so; without a word if it has sent nothing. */
const REQUEST_TIMEOUT = 10_000;
/** A connection on which nothing moves is closed; later, so that it is answered first. */
const CONNECTION_TIMEOUT = 15_000;
/**
 * An answer that waits to be read for this long, in milliseconds, is given up, after twice as long at most (Node looks once
 * more). While a handler is at work there is no limit: whoever has sent a form is answered.
 */
const ANSWER_TIMEOUT = 5_000;

export async function buildApp({
  config,
  db,
  secretKey,
  databaseId,
  clock = Date.now,
  stopwatch = () => performance.now(),
}: {
  config: Config;
  db: Db;
  secretKey: Buffer;
  databaseId: string;
  clock?: Clock;
  stopwatch?: Stopwatch;
}): Promise<FastifyInstance> {
  const isTrusted = trustOf(config);
  const limit = limitLines();
  const app = fastify({
    // The only one in any log: a page that says what went wrong shows it.
    genReqId: newRequestId,
    logger: {
      level: config.logLevel,
      serializers: { req: requestToLog },
      hooks: { logMethod: limitLog(limit) },
    },
    // From anyone else these headers are only what a client says of itself.
    trustProxy: config.trustProxy.length > 0 ? isTrusted : false,
    bodyLimit: LARGEST_FORM,
    requestTimeout: REQUEST_TIMEOUT,
    connectionTimeout: CONNECTION_TIMEOUT,
    keepAliveTimeout: config.keepAlive,
    // A request without a host is ours to answer, like one for another host.
    http: { headersTimeout: REQUEST_TIMEOUT, connectionsCheckingInterval: 1_000, requireHostHeader: false },
    return503OnClosing: false,
    // Zod checks what comes in and pages go out as they are: the compilers of JSON schemas need not even be loaded.
    schemaController: { compilersFactory: { buildValidator: noCompiler, buildSerializer: noCompiler } },
    // As long as an address can be: what is too long for an id or a name is not found like any other.
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 16 * 1024, querystringParser: parseQuery },
    rewriteUrl: takeTarget,
    frameworkErrors: (error, _request, reply) => void showFrameworkError(app, error, reply),
    clientErrorHandler: (error, socket) => void answerClientError(app, error, socket),
  });
  app.decorate('db', db).decorate('secretKey', secretKey).decorate('stopwatch', stopwatch);
  app.decorate('cookieMark', cookieMarkOf(databaseId));
  // Node would answer these two by itself, without a page: an expectation may be ignored (RFC 9110, 10.1.1).
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response));
  app.server.on('connect', (_request, socket) => {
    // Node has let go of it: a reset that nobody listens for would end the process.
    socket.on('error', () => socket.destroy());
    void answerClientError(app, new Error('CONNECT'), socket as Socket);
  });
  addLogLimit(app, limit);
  addAdmission(app, (request) => askerOf(request, isTrusted));
  const { closeMethods } = collectMethods(app);
  addClientAddress(app, isTrusted);

  addDropping(app);
  // What `inject` makes up has no timeout. The answer before may have left its own.
  app.addHook('onRequest', (request, _reply, done) => {
    request.socket.setTimeout?.(CONNECTION_TIMEOUT);
    done();
  });
  app.addHook('preHandler', (request, _reply, done) => {
    request.socket.setTimeout?.(0);
    done();
  });
  app.addHook('onSend', (request, _reply, payload, done) => {
    request.socket.setTimeout?.(ANSWER_TIMEOUT);
    done(null, payload);
  });
  addErrorPages(app);
  addDraining(app);
  // Cookies are parsed before it is asked whether a form carries a session.
  await addFlash(app, config);
  addSecurity(app, config);
  addCompression(app);
  addAudit(app, config.logLevel, limit);
  addAccess(app, config, clock);
  addClockWatch(app);
  addPruning(app);
  await addViews(app);
  app.removeAllContentTypeParsers();
  await app.register(formbody, { parser: parseUrlEncoded });

  app.get('/', allow(mayRead), async (_request, reply) => reply.redirect('/users', 302));
  userRoutes(app);
  sessionRoutes(app);
  accountRoutes(app);
  invitationRoutes(app);
  setupRoutes(app);
  roleRoutes(app);
  healthRoutes(app);
  assetRoutes(app);
  wellKnownRoutes(app);
  closeMethods();
  return app;
}

/** What is logged of a request; a token in its address is not. */
function requestToLog({ method, url, host, address }: FastifyRequest) {
  return { method, url: withoutTokens(url), host, remoteAddress: address };
}

function noCompiler(): never {
  throw new Error('Roster uses no JSON schemas.');
}
