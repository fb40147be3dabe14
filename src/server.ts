/** One running Roster: settings → database → app → listening, and back again. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { isatty } from 'node:tty';
import type { FastifyInstance } from 'fastify';
import { buildApp } from './app.ts';
import { type Config, isLoopback, readConfig } from './config.ts';
import { nameOf, openDatabase } from './db/database.ts';
import { engineOf } from './db/engine.ts';
import type { Db } from './db/schema.ts';
import { StartError } from './errors.ts';
import { findExposedFiles } from './exposed-files.ts';
import { noDatabase } from './named-database.ts';
import { hasAdministrator } from './sessions/last-administrator.ts';
import { loadKey } from './sessions/secret-key.ts';
import { onStopSignal } from './signals.ts';

/** Whatever is not done by then, in milliseconds after it has drained, was never acknowledged. */
const LAST_CALL = 9_500;
/** How long it drains where no setting says so, in milliseconds: a proxy asks every few seconds; nobody at a terminal waits. */
const DRAIN_TIME = isatty(0) || isatty(1) ? 0 : 5_000;

const BY_START =
  'Warning: the database lacks the extension pg_trgm, so searches find only what a field starts with. With it, run: npm run roster -- rebuild-search';

const noAdministrator = (database: string) =>
  `There is no administrator in ${database} yet, and whoever reaches Roster could change everything: start it once without HOST, ORIGIN and TRUST_PROXY and make one in a browser on this machine, or make one with: npm run roster -- admin alice --email alice@example.com`;

const newDatabase = (name: string) => `There was no database, so Roster has made a new one: ${name}`;

/** Serves until a signal says to stop, then drains, finishes what is under way and exits. */
export async function serve(env: NodeJS.ProcessEnv): Promise<void> {
  const config = readConfig(env);
  await checkPort(config);
  let made: string | undefined;
  const db = await openDatabase(config.databaseUrl, {
    connections: config.databaseConnections,
    announce: (name, isNew) => {
      if (!isNew) return;
      // Served to others it has an administrator, so it is there, or not where it should be.
      if (config.requireDatabase || isForOthers(config)) throw new StartError(noDatabase(name));
      made = name;
    },
  });
  const { isOpen, ...keys } = await prepare(config, db).catch(async (error) => {
    await db.destroy();
    if (made !== undefined) console.warn(newDatabase(made));
    throw error;
  });
  const app = await buildApp({ config, db, ...keys });
  const { host, port, drainTime = DRAIN_TIME } = config;
  await app.listen({ host, port }).catch((error) => Promise.reject(explained(error, host, port)));
  onStopSignal(env, async () => {
    setTimeout(() => process.exit(0), drainTime + LAST_CALL).unref();
    await app.drain(drainTime);
    await app.close();
    await db.destroy();
    process.exit(0);
  });
  announce(app, config, { isOpen, made });
  if ((await engineOf(db).searchOf(db)).isByStart) console.warn(BY_START);
}

/** @throws StartError when it must not be served as it is. */
async function prepare(
  config: Config,
  db: Db,
): Promise<{ isOpen: boolean; secretKey: Buffer; databaseId: string }> {
  const isOpen = !(await hasAdministrator(db));
  if (isOpen && isForOthers(config)) throw new StartError(noAdministrator(nameOf(config.databaseUrl)));
  const { key, databaseId, sealed } = await loadKey(db, config.secretKeyFile);
  if (sealed > 0) console.warn(nowSealed(sealed, config.secretKeyFile));
  for (const warning of findExposedFiles(config)) console.warn(warning);
  return { isOpen, secretKey: key, databaseId };
}

/** Whether more than this machine is to reach it. */
function isForOthers({ host, origin, trustProxy }: Config): boolean {
  return !isLoopback(host) || origin !== undefined || trustProxy.length > 0;
}

function nowSealed(count: number, path: string): string {
  const what =
    count === 1 ? 'The secret of 1 second factor is' : `The secrets of ${count} second factors are`;
  return `${what} now sealed with the key in ${path}. Copies of the database from before hold it in clear: remove those, or have the second factors set up anew.`;
}

function announce(
  app: FastifyInstance,
  { origin }: Config,
  { isOpen, made }: { isOpen: boolean; made: string | undefined },
): void {
  const { address, port, family } = app.server.address() as AddressInfo;
  const here = `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  console.log(`Roster is at ${origin ? `${origin.origin} (listening at ${here})` : here}`);
  if (made !== undefined) console.log(newDatabase(made));
  if (isOpen)
    console.log(`No administrator yet: make one at ${origin?.origin ?? here}/setup/${app.setupToken}`);
}

/** @throws StartError when the address cannot be listened at: found out before a database is made or migrated. */
async function checkPort({ host, port }: Config): Promise<void> {
  const probe = createServer().listen(port, host);
  try {
    await once(probe, 'listening');
  } catch (error) {
    throw explained(error as NodeJS.ErrnoException, host, port);
  }
  probe.close();
  await once(probe, 'close');
}

function explained(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const sentences: Record<string, string> = {
    EADDRINUSE: `Port ${port} of ${host} is in use; give PORT another number, or 0 for a free one.`,
    EACCES: `Port ${port} of ${host} may not be opened by this user; give PORT a number above 1023.`,
    EINVAL: `${host} is no address to listen at; give HOST another one.`,
    EADDRNOTAVAIL: `${host} is no address of this machine; give HOST another one.`,
    ENOTFOUND: `${host} is no name that this machine knows; give HOST another one.`,
  };
  const sentence = sentences[error.code ?? ''];
  return sentence ? new StartError(sentence, { cause: error }) : error;
}
