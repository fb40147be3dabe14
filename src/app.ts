/** The table of contents: everything that Roster is made of, in the order in which a request meets it. */
import formbody from '@fastify/formbody';
import fastify, { type FastifyInstance } from 'fastify';
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
import { addErrorPages, answerClientError, showFrameworkError } from './http/error-pages.ts';
import { addFlash } from './http/flash.ts';
import { addDraining } from './http/graceful-shutdown.ts';
import { addLogLimit, limitLines } from './http/log-limit.ts';
import { collectMethods } from './http/method-not-allowed.ts';
import { addSecurity } from './http/security.ts';
import { serverOptions } from './http/server-options.ts';
import { addTimeouts, answerOddRequests } from './http/sockets.ts';
import { addDropping } from './http/unread-bodies.ts';
import { addViews } from './http/views.ts';
import { wellKnownRoutes } from './http/well-known.ts';
import { invitationRoutes } from './invitations/routes.ts';
import type { Clock } from './lib/clock.ts';
import type { Stopwatch } from './lib/deadline.ts';
import { parseUrlEncoded } from './lib/forms.ts';
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
  const app: FastifyInstance = fastify({
    ...serverOptions(config, { isTrusted, limit }),
    frameworkErrors: (error, _request, reply) => void showFrameworkError(app, error, reply),
    clientErrorHandler: (error, socket) => void answerClientError(app, error, socket),
  });
  app.decorate('db', db).decorate('secretKey', secretKey).decorate('stopwatch', stopwatch);
  app.decorate('cookieMark', cookieMarkOf(databaseId));
  answerOddRequests(app);
  addLogLimit(app, limit);
  addAdmission(app, (request) => askerOf(request, isTrusted));
  const { closeMethods } = collectMethods(app);
  addClientAddress(app, isTrusted);

  addDropping(app);
  addTimeouts(app);
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
