/** The table of contents: everything that Roster is made of, in the order in which a request meets it. */
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import formbody from '@fastify/formbody';
import fastify, { type FastifyInstance } from 'fastify';
import { accountRoutes } from './account/routes.ts';
import { addAccess, allow, collectRules } from './auth/access.ts';
import { addAudit } from './auth/audit.ts';
import { cookieMarkOf } from './auth/cookie.ts';
import { addIdempotency } from './auth/idempotency.ts';
import { type Argon2Cost, COST } from './auth/password-hashing.ts';
import { FairQueue } from './auth/password-queue.ts';
import { mayRead } from './auth/policy.ts';
import { addPruning } from './auth/pruning.ts';
import { sessionRoutes } from './auth/routes.ts';
import { newToken } from './auth/tokens.ts';
import { bulkRoutes } from './bulk/routes.ts';
import type { Config } from './config.ts';
import type { Db } from './db/schema.ts';
import { erasureRoutes } from './erasure/routes.ts';
import { addScrubbing } from './erasure/scrubbing.ts';
import { exportRoutes } from './exports/routes.ts';
import { historyRoutes } from './history/routes.ts';
import { addAdmission } from './http/admission.ts';
import { assetRoutes } from './http/assets.ts';
import { answerClientError, showFrameworkError } from './http/bare-pages.ts';
import { addClientAddress, askerOf, trustOf } from './http/client-address.ts';
import { addCompression } from './http/compression.ts';
import { addSameOrigin } from './http/cross-site.ts';
import { addErrorPages } from './http/error-pages.ts';
import { addFlash } from './http/flash.ts';
import { addDraining } from './http/graceful-shutdown.ts';
import { addLogLimit, limitLines } from './http/log-limit.ts';
import { collectMethods } from './http/method-not-allowed.ts';
import { addProxyProblems } from './http/proxy-problems.ts';
import { addProxyWatch } from './http/proxy-watch.ts';
import { addReader } from './http/reader.ts';
import { addRequestIds } from './http/request-id.ts';
import { addRequestLog } from './http/request-log.ts';
import { addSafeRedirects } from './http/safe-redirect.ts';
import { addSecurity } from './http/security.ts';
import { serverOptions } from './http/server-options.ts';
import { addTimeouts, answerOddRequests } from './http/sockets.ts';
import { addDropping } from './http/unread-bodies.ts';
import { addViews } from './http/views.ts';
import { wellKnownRoutes } from './http/well-known.ts';
import { importRoutes } from './imports/routes.ts';
import { createMailer, type Mailer } from './invitations/mailer.ts';
import { invitationRoutes } from './invitations/routes.ts';
import { jobRoutes } from './jobs/routes.ts';
import { addJobs } from './jobs/scheduler.ts';
import { type Clock, monotonicTime, type Stopwatch } from './lib/clock.ts';
import { parseUrlEncoded } from './lib/forms.ts';
import { basePathOf } from './lib/url-for.ts';
import { madeUpPeopleRoutes } from './made-up-people/routes.ts';
import { addScheduledBackup } from './maintenance/backup-scheduler.ts';
import { maintenanceRoutes } from './maintenance/routes.ts';
import { addClockWatch } from './operations/clock-watch.ts';
import { healthRoutes } from './operations/health.ts';
import { Events } from './operations/metrics/events.ts';
import { metricsRoutes } from './operations/metrics/routes.ts';
import { isScrape } from './operations/metrics/token.ts';
import type { ParentLink } from './operations/workers/link.ts';
import { roleRoutes } from './roles/routes.ts';
import { secondFactorRoutesOfUsers } from './second-factor/routes.ts';
import { sessionRoutesOfUsers } from './sessions/routes.ts';
import { setupRoutes } from './setup/routes.ts';
import { undoRoutes } from './undo/routes.ts';
import { userRoutes } from './users/routes.ts';

declare module 'fastify' {
  interface FastifyInstance {
    config: Config;
    db: Db;
    /** 32 bytes: what is sealed with it nobody reads or makes who lacks it. */
    secretKey: Buffer;
    clock: Clock;
    stopwatch: Stopwatch;
    passwordQueue: FairQueue;
    /** Of each password that is hashed. */
    passwordCost: Argon2Cost;
    mailer: Mailer | undefined;
    cookieMark: string;
    /** Stands for code and settings: another one at each start, and at each reload. */
    startId: string;
    setupToken: string;
  }
}

export type AppParts = {
  config: Config;
  db: Db;
  secretKey: Buffer;
  databaseId: string;
  ledger: string;
  /** Where files lie that are read while they are written: on a disk, which a folder for temporary files may not be. */
  spoolFolder?: string | undefined;
  hasJobsThread?: boolean;
  /** Of commands that Roster itself starts; without it, none is. */
  env?: NodeJS.ProcessEnv | undefined;
  clock?: Clock;
  stopwatch?: Stopwatch;
  /** How long a mail may take to be sent, in milliseconds. */
  mailLimit?: number | undefined;
  parent?: ParentLink | undefined;
};

export async function buildApp({
  config,
  db,
  secretKey,
  databaseId,
  ledger,
  spoolFolder = tmpdir(),
  hasJobsThread = false,
  env,
  clock = Date.now,
  stopwatch = monotonicTime,
  mailLimit,
  parent,
}: AppParts): Promise<FastifyInstance> {
  const isTrusted = trustOf(config);
  const limit = limitLines();
  const events = new Events();
  const app: FastifyInstance = fastify({
    ...serverOptions(config, { isTrusted, limit }),
    frameworkErrors: (error, _request, reply) => void showFrameworkError(app, error, reply),
    clientErrorHandler: (error, socket) => void answerClientError(app, error, socket),
  });
  app.decorate('config', config).decorate('db', db).decorate('secretKey', secretKey);
  app.decorate('clock', clock).decorate('stopwatch', stopwatch);
  app.decorate('passwordQueue', FairQueue.ofOne(config.workers ?? 1)).decorate('passwordCost', COST);
  app.decorate('cookieMark', cookieMarkOf(databaseId));
  app.decorate('setupToken', parent?.task.setupToken ?? newToken());
  app.decorate('startId', parent?.task.startId ?? randomUUID());
  const mailer = config.mail && (await createMailer(config.mail, mailLimit));
  app.decorate('mailer', mailer && events.countMails(mailer));

  answerOddRequests(app);
  addLogLimit(app, limit);
  addAdmission(
    app,
    (request, kind) => askerOf(request, kind, isTrusted),
    (request) => isScrape(request, basePathOf(config.origin), config.metricsToken),
  );
  const { closeMethods } = collectMethods(app);
  collectRules(app);
  addRequestIds(app, isTrusted);
  addRequestLog(app, isTrusted);
  addProxyProblems(app);
  addClientAddress(app, isTrusted);
  addDropping(app);
  addTimeouts(app);
  addDraining(app, parent?.port);
  addSecurity(app, isTrusted);
  addProxyWatch(app, isTrusted);
  addSafeRedirects(app);
  addCompression(app);
  addAudit(app, config.logLevel, limit, events.hear);
  addClockWatch(app);
  addPruning(app);
  addJobs(app, ledger, hasJobsThread);
  addScrubbing(app, ledger);
  if (env) addScheduledBackup(app, env);
  addViews(app);
  app.removeAllContentTypeParsers();

  healthRoutes(app);
  metricsRoutes(app, events, parent);
  await app.register(async (html) => {
    addErrorPages(html);
    // Cookies are parsed before it is asked whether a form carries a session.
    await addFlash(html, config);
    addReader(html);
    addSameOrigin(html);
    addAccess(html);
    addIdempotency(html);
    await html.register(formbody, { parser: parseUrlEncoded });

    html.get('/', allow(mayRead), async (_request, reply) => reply.redirect('/users', 302));
    userRoutes(html);
    bulkRoutes(html);
    exportRoutes(html, spoolFolder, parent?.takeSlot);
    await importRoutes(html);
    erasureRoutes(html, spoolFolder);
    madeUpPeopleRoutes(html);
    sessionRoutes(html);
    accountRoutes(html);
    invitationRoutes(html);
    sessionRoutesOfUsers(html);
    secondFactorRoutesOfUsers(html);
    setupRoutes(html);
    historyRoutes(html);
    undoRoutes(html);
    jobRoutes(html);
    maintenanceRoutes(html);
    roleRoutes(html);
    assetRoutes(html);
    wellKnownRoutes(html);
    closeMethods(html);
  });
  return app;
}
