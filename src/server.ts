/** A running Roster: by itself, the parent of several processes, or one of these; settings → database → app → listening, and back again. */
import cluster from 'node:cluster';
import { randomUUID } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import type { AddressInfo } from 'node:net';
import { dirname } from 'node:path';
import type { FastifyInstance } from 'fastify';
import type { AppParts } from './app.ts';
import { newToken } from './auth/tokens.ts';
import { isOutdated } from './bundle.js';
import { onStopSignal } from './cli/signals.ts';
import { type Config, isBehindProxy, readConfig } from './config.ts';
import { filePathOf } from './database-url.ts';
import { reserveIds } from './erasure/id-reservations.ts';
import { noteLastIds } from './erasure/last-ids.ts';
import { StartError } from './errors.ts';
import { checkPort, explainListening, type Listening } from './http/listening.ts';
import { isWritten } from './http/log-levels.ts';
import { plainLog } from './http/logger.ts';
import { HOUR } from './lib/clock.ts';
import { basePathOf } from './lib/url-for.ts';
import { checkInheritedSocket, inheritedSocket } from './operations/inherited-socket.ts';
import { METRICS_HOST } from './operations/metrics/listener.ts';
import { tellServiceManager } from './operations/service-manager.ts';
import { ParentLink } from './operations/workers/link.ts';
import type { Place } from './operations/workers/messages.ts';
import { Workers } from './operations/workers/parent.ts';
import { type Found, newDatabase, openAgain, openPrepared, prepareForOthers } from './prepare.ts';
import { setupLine } from './setup/setup-line.ts';

/** Whatever is not done by then, in milliseconds after it has drained, was never acknowledged. */
const LAST_CALL = 9_500;
/** Where others go on in its place: an export may be read for so long. */
const LONGEST_END = HOUR;

const OUTDATED =
  'the bundle is not used, since what it was made of was written since or copied, or something of it is gone: node src/make-bundle.js makes it anew';

const HANDED_ON =
  'The socket that Roster is to listen at was opened by another program, so others may reach it: set ORIGIN to the https address of the proxy before it, and TRUST_PROXY to the address of that proxy.';

export async function serve(env: NodeJS.ProcessEnv): Promise<void> {
  // What the thread of jobs says goes through these: a reader that is gone would end the process.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  const config = readConfig(env);
  if (cluster.isWorker) return serveAsWorker(config, env);
  // On a line of its own: that of before ends with what a terminal shows for Ctrl-C.
  process.once('exit', (code) => code === 0 && process.stdout.isTTY && console.log('\nRoster has stopped.'));
  const listening = await whereToListen(config, inheritedSocket(env));
  const { metricsPort, workers } = config;
  if (metricsPort !== undefined)
    await checkPort({ host: METRICS_HOST, port: metricsPort, by: 'METRICS_PORT' });
  if (workers === undefined) await serveAlone(config, listening, env);
  else await serveByWorkers(config, { count: workers, listening }, env);
  tellServiceManager(env);
}

async function serveAlone(config: Config, listening: Listening, env: NodeJS.ProcessEnv): Promise<void> {
  let app: FastifyInstance | undefined;
  // From the beginning: number 1 of a container hears nothing that it does not listen to.
  onStopSignal(env, () => (app ? void stop(app) : process.exit(0)));
  await using undo = new AsyncDisposableStack();
  const opened = await openPrepared(config, undo);
  app = await start({ config, ...opened, env }, listening, undo);
  announce(config, placeOf(app), opened, app.setupToken);
}

/** It prepares the database for them. */
async function serveByWorkers(
  config: Config,
  { count, listening }: { count: number; listening: Listening },
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const task = { listening, setupToken: newToken(), startId: randomUUID() };
  const workers = new Workers({ count, task, patience: config.drainTime + LAST_CALL }, plainLog(config));
  const end = () => void workers.stop().then(() => process.exit(0));
  onStopSignal(env, end, () => workers.reload());
  const prepared = await prepareForOthers(config);
  const place = await workers.start();
  announce(config, place, prepared, task.setupToken);
}

async function serveAsWorker(config: Config, env: NodeJS.ProcessEnv): Promise<void> {
  const parent = await ParentLink.open();
  await using undo = new AsyncDisposableStack();
  const opened = await openAgain(config, undo);
  const app = await start({ config, ...opened, env, parent }, parent.task.listening, undo);
  parent.onEnd((isReplaced) => void stop(app, isReplaced));
  parent.sayListening(placeOf(app));
}

/** @param undo closes what was opened before: what fails here is thrown after that */
async function start(
  parts: AppParts,
  listening: Listening,
  undo: AsyncDisposableStack,
): Promise<FastifyInstance> {
  const file = filePathOf(parts.config.databaseUrl);
  const { buildApp } = await import('./app.ts');
  const app = await buildApp({ ...parts, spoolFolder: file && dirname(file), hasJobsThread: true });
  undo.defer(() => app.close());
  reserveIds(app.db, app.ledger, sayNotNoted(app));
  if (isWritten('debug', parts.config.logLevel) && isOutdated()) app.log.debug(OUTDATED);
  await app.listen(listening).catch(explainListening(parts.config));
  undo.move();
  return app;
}

/** Whoever is replaced takes its time. It may be told so first, and then to stop. */
async function stop(app: FastifyInstance, isReplaced = false): Promise<void> {
  const { drainTime } = app.config;
  setTimeout(() => process.exit(0), drainTime + (isReplaced ? LONGEST_END : LAST_CALL)).unref();
  if (app.isDraining) {
    app.isReplaced &&= isReplaced;
    if (!app.isReplaced) app.endBackup();
    return;
  }
  app.isReplaced = isReplaced;
  await app.drain(drainTime);
  await app.close();
  // Also those that others have given.
  await noteLastIds(app.db, app.ledger).catch(sayNotNoted(app));
  await app.db.destroy();
  process.exit(0);
}

function sayNotNoted({ log }: FastifyInstance) {
  return (err: Error) => log.error({ err }, 'the last numbers could not be noted');
}

function placeOf(app: FastifyInstance): Place {
  const { address, port, family } = app.server.address() as AddressInfo;
  const host = `${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  return { host, metricsAddress: app.metricsAddress };
}

function announce({ origin }: Config, place: Place, { made, isOpen }: Found, setupToken: string): void {
  const here = `http://${place.host}`;
  const lines = [
    `Roster is at ${origin ? `${origin.origin}${basePathOf(origin)} (listening at ${here})` : here}`,
  ];
  if (made !== undefined) lines.push(newDatabase(made));
  if (place.metricsAddress !== undefined) lines.push(`Its metrics are at ${place.metricsAddress}`);
  if (isOpen) lines.push(setupLine(origin, place.host, setupToken));
  // In one: whoever waits for the first of them may read no further.
  console.log(lines.join('\n'));
}

/** @throws StartError where Roster must not, or cannot, listen there: before a database is made or migrated. */
async function whereToListen(config: Config, socket: number | undefined): Promise<Listening> {
  if (socket !== undefined) {
    // Whoever has opened it may have done so for other machines.
    if (!isBehindProxy(config)) throw new StartError(HANDED_ON);
    checkInheritedSocket(socket);
    return { host: config.host, port: config.port, fd: socket };
  }
  const address = await findAddress(config);
  await checkPort(config, address);
  return { host: address, port: config.port };
}

/** Of a name, one address: at those of `localhost` Fastify would listen with servers that lack most of what this one has. */
async function findAddress(config: Config): Promise<string> {
  const { address } = await lookup(config.host, { order: 'ipv4first' }).catch(explainListening(config));
  return address;
}
