/** One running Roster: settings → database → app → listening, and back again. */
import { lookup } from 'node:dns/promises';
import { existsSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { dirname } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { buildApp } from './app.ts';
import { hasAdministrator } from './auth/administrators.ts';
import { loadKey } from './auth/secret-key.ts';
import { removeKilledRestores } from './backup/restoring.ts';
import { eraseFromCopy, noDatabase } from './cli/named-database.ts';
import { onStopSignal } from './cli/signals.ts';
import { type Config, isBehindProxy, readConfig } from './config.ts';
import { filePathOf } from './database-url.ts';
import { nameOf, openDatabase } from './db/database.ts';
import { engineOf } from './db/engine.ts';
import type { Db } from './db/schema.ts';
import { noteLastIds } from './erasure/again.ts';
import { ledgerOf } from './erasure/ledger.ts';
import { StartError } from './errors.ts';
import { checkPort, explainListening } from './http/listening.ts';
import { findRunningJobs, type Job } from './jobs/queries.ts';
import { number } from './lib/formats.ts';
import { basePathOf } from './lib/url-for.ts';
import { warningOf } from './maintenance/backup-folder.ts';
import { findExposedFiles } from './operations/exposed-files.ts';
import { checkInheritedSocket, inheritedSocket } from './operations/inherited-socket.ts';
import { METRICS_HOST } from './operations/metrics/listener.ts';
import { tellServiceManager } from './operations/service-manager.ts';
import { isLoopback } from './settings.ts';
import { setupLine } from './setup/setup-line.ts';

/** Whatever is not done by then, in milliseconds after it has drained, was never acknowledged. */
const LAST_CALL = 9_500;

/** Of what is under way at a start. */
const MOST_SAID = 10;

const BY_START =
  'Warning: the database lacks the extension pg_trgm, so searches find only what a field starts with. With it, run: npm run roster -- rebuild-search';

const noAdministrator = (database: string) =>
  `There is no administrator in ${database} yet, and whoever reaches Roster could change everything: start it once without HOST, ORIGIN and TRUST_PROXY and make one in a browser on this machine, or make one with: npm run roster -- admin alice --email alice@example.com`;

const HANDED_ON =
  'The socket that Roster is to listen at was opened by another program, so others may reach it: set ORIGIN to the https address of the proxy before it, and TRUST_PROXY to the address of that proxy.';

/** A descriptor goes before host and port. */
type Listening = { host: string; port: number; fd?: number };

const newDatabase = (name: string) => `There was no database, so Roster has made a new one: ${name}`;

export async function serve(env: NodeJS.ProcessEnv): Promise<void> {
  // What the thread of jobs says goes through these: a reader that is gone would end the process.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  const config = readConfig(env);
  const listening = await whereToListen(config, inheritedSocket(env));
  const { metricsPort, drainTime } = config;
  if (metricsPort !== undefined)
    await checkPort({ host: METRICS_HOST, port: metricsPort, by: 'METRICS_PORT' });
  const { app, db, ...found } = await start(config, listening, env);
  onStopSignal(env, async () => {
    setTimeout(() => process.exit(0), drainTime + LAST_CALL).unref();
    await app.drain(drainTime);
    await app.close();
    await noteNumbers(db, app.ledger);
    await db.destroy();
    process.exit(0);
  });
  announce(app, config, found);
  tellServiceManager(env);
}

/** From the settings to an app that listens; what fails on the way is thrown once all that was opened has been closed. */
async function start(config: Config, listening: Listening, env: NodeJS.ProcessEnv) {
  await using undo = new AsyncDisposableStack();
  let made: string | undefined;
  let db: Db | undefined;
  undo.defer(async () => {
    await db?.destroy();
    // Where it could not even be opened, its file may be there all the same.
    if (made !== undefined && (db || existsSync(made))) console.warn(newDatabase(made));
  });
  db = await openDatabase(config.databaseUrl, {
    connections: config.databaseConnections,
    following: followingOf(config),
    announce: (name, isNew) => {
      if (!isNew) return;
      // Served to others it has an administrator, so it is there, or not where it should be.
      if (config.requireDatabase || isForOthers(config)) throw new StartError(noDatabase(name));
      made = name;
    },
  });
  const { isOpen, ...keys } = await prepare(config, db);
  removeKilledRestores(config.databaseUrl, config.secretKeyFile);
  const file = filePathOf(config.databaseUrl);
  const app = await buildApp({
    config,
    db,
    ...keys,
    spoolFolder: file && dirname(file),
    hasJobsThread: true,
    env,
  });
  undo.defer(() => app.close());
  await app.listen(listening).catch(explainListening(config));
  undo.move();
  return { app, db, isOpen, made };
}

function followingOf({ readUrls, readLag }: Config) {
  return readUrls.length > 0 ? { urls: readUrls, longestLag: readLag } : undefined;
}

/** @throws StartError when it must not be served as it is. */
async function prepare(
  config: Config,
  db: Db,
): Promise<{ isOpen: boolean; secretKey: Buffer; databaseId: string; ledger: string }> {
  const isOpen = !(await hasAdministrator(db));
  if (isOpen && isForOthers(config)) throw new StartError(noAdministrator(nameOf(config.databaseUrl)));
  const { key, databaseId, newlySealed } = await loadKey(db, config.secretKeyFile);
  if (newlySealed > 0) console.warn(nowSealed(newlySealed, config.secretKeyFile));
  for (const warning of findExposedFiles(config)) console.warn(warning);
  if ((await engineOf(db).searchIndexOf(db)).prefixOnly) console.warn(BY_START);
  const ledger = ledgerOf(config.databaseUrl, config.secretKeyFile);
  await eraseFromCopy(db, ledger);
  await noteNumbers(db, ledger);
  const folderWarning = warningOf(config.backupFolder);
  if (folderWarning) console.warn(folderWarning);
  for (const job of await findRunningJobs(db, MOST_SAID)) console.warn(goesOn(job));
  return { isOpen, secretKey: key, databaseId, ledger };
}

/** At the start and at the end, of which each may be followed by a copy that is put back. */
async function noteNumbers(db: Db, ledger: string): Promise<void> {
  await noteLastIds(db, ledger).catch((error) => console.warn(`Warning: ${error.message}`));
}

function isForOthers({ host, origin, trustProxy }: Config): boolean {
  return !isLoopback(host) || origin !== undefined || trustProxy.length > 0;
}

function nowSealed(count: number, path: string): string {
  const what =
    count === 1 ? 'The secret of 1 second factor is' : `The secrets of ${count} second factors are`;
  return `${what} now sealed with the key in ${path}. Copies of the database from before hold it in clear: remove those, or have the second factors set up anew.`;
}

function goesOn({ set_id, done, left_out, total }: Job): string {
  return `Under way: ${number.format(done + left_out)} of ${number.format(total)} users are done, and it goes on by itself; how far it is stands at /history/${set_id}`;
}

function announce(
  app: FastifyInstance,
  { origin }: Config,
  { isOpen, made }: { isOpen: boolean; made: string | undefined },
): void {
  const { address, port, family } = app.server.address() as AddressInfo;
  const host = `${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  const here = `http://${host}`;
  const lines = [
    `Roster is at ${origin ? `${origin.origin}${basePathOf(origin)} (listening at ${here})` : here}`,
  ];
  if (made !== undefined) lines.push(newDatabase(made));
  if (app.metricsAddress !== undefined) lines.push(`Its metrics are at ${app.metricsAddress}`);
  if (isOpen) lines.push(setupLine(origin, host, app.setupToken));
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
