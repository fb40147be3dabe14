/** The table of contents: everything that Roster is made of, in the order in which a request meets it. */
import formbody from '@fastify/formbody';
import fastify, { type FastifyInstance } from 'fastify';
import { assetRoutes } from './assets.ts';
import type { Config } from './config.ts';
import type { Db } from './db/schema.ts';
import { addErrorPages, answerClientError, showFrameworkError } from './error-pages.ts';
import { addFlash } from './flash.ts';
import { parseUrlEncoded } from './forms.ts';
import { healthRoutes } from './health.ts';
import { collectMethods } from './methods.ts';
import { addSecurity } from './security.ts';
import { userRoutes } from './users/routes.ts';
import { addViews } from './views.ts';

declare module 'fastify' {
  interface FastifyInstance {
    db: Db;
  }
}

/** A client that is slower than this, in milliseconds, is dropped: sending a request, or reading an answer. */
const REQUEST_TIMEOUT = 10_000;
/** How long an idle connection is kept for the next request. */
const KEEP_ALIVE_TIMEOUT = 5_000;

export async function buildApp({ config, db }: { config: Config; db: Db }): Promise<FastifyInstance> {
  const app = fastify({
    logger: { level: config.logLevel },
    bodyLimit: 1024 * 1024,
    requestTimeout: REQUEST_TIMEOUT,
    connectionTimeout: REQUEST_TIMEOUT,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT,
    // A request without a host is ours to answer, like one for another host.
    http: { headersTimeout: REQUEST_TIMEOUT, connectionsCheckingInterval: 1_000, requireHostHeader: false },
    return503OnClosing: false,
    // Zod checks what comes in and pages go out as they are: the compilers of JSON schemas need not even be loaded.
    schemaController: { compilersFactory: { buildValidator: noCompiler, buildSerializer: noCompiler } },
    // A username of 64 code points, percent-encoded, is at most 768 characters.
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 800, querystringParser: parseQuery },
    frameworkErrors: (error, _request, reply) => void showFrameworkError(app, error, reply),
    clientErrorHandler: (error, socket) => void answerClientError(app, error, socket),
  });
  app.decorate('db', db);
  const { closeMethods } = collectMethods(app);

  addSecurity(app, config);
  await addFlash(app, config);
  await addViews(app);
  addErrorPages(app);
  app.removeAllContentTypeParsers();
  await app.register(formbody, { parser: parseUrlEncoded });

  app.get('/', async (_request, reply) => reply.redirect('/users', 302));
  userRoutes(app);
  healthRoutes(app);
  assetRoutes(app);
  closeMethods();
  return app;
}

function noCompiler(): never {
  throw new Error('Roster uses no JSON schemas.');
}

// The first of repeated parameters counts; bad percent-encoding stays as it is written.
function parseQuery(query: string): Record<string, string> {
  const parameters: Record<string, string> = Object.create(null);
  for (const [name, value] of new URLSearchParams(query)) parameters[name] ??= value;
  return parameters;
}
