/** One running Roster: settings → database → app → listening, and back again. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { buildApp } from './app.ts';
import { type Config, isLoopback, readConfig } from './config.ts';
import { openDatabase } from './db/database.ts';
import { engineOf } from './db/engine.ts';
import { StartError } from './errors.ts';
import { hasAdministrator } from './sessions/last-administrator.ts';

/** Whatever is not done by then, in milliseconds after the signal, was never acknowledged. */
const LAST_CALL = 9_500;

const BY_START =
  'Warning: the database lacks the extension pg_trgm, so searches find only what a field starts with. With it, run: npm run roster -- rebuild-search';

const NO_ADMINISTRATOR =
  'There is no administrator yet, and whoever reaches Roster could change everything: make one first, with: npm run roster -- admin alice --email alice@example.com';

const NO_PROXY =
  'Warning: ORIGIN says that there is a proxy; without its address in TRUST_PROXY everyone seems to ask from there, and waits for the others’ wrong passwords.';

/** Serves until SIGTERM or SIGINT, then finishes what is under way and exits. */
export async function serve(env: NodeJS.ProcessEnv): Promise<void> {
  const config = readConfig(env);
  await checkPort(config);
  const db = await openDatabase(config.databaseUrl, { connections: config.databaseConnections });
  const isOpen = !(await hasAdministrator(db));
  if (isOpen && !isLoopback(config.host)) {
    await db.destroy();
    throw new StartError(NO_ADMINISTRATOR);
  }
  const app = await buildApp({ config, db });
  const { host, port } = config;
  await app.listen({ host, port }).catch((error) => Promise.reject(explained(error, host, port)));
  const stop = async () => {
    setTimeout(() => process.exit(0), LAST_CALL).unref();
    await app.close();
    await db.destroy();
    process.exit(0);
  };
  process.once('SIGTERM', stop).once('SIGINT', stop);
  announce(app, config, isOpen);
  if ((await engineOf(db).searchOf(db)).isByStart) console.warn(BY_START);
}

function announce(app: FastifyInstance, { origin, trustProxy }: Config, isOpen: boolean): void {
  const { address, port, family } = app.server.address() as AddressInfo;
  const here = `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  console.log(`Roster is at ${origin ? `${origin.origin} (listening at ${here})` : here}`);
  if (isOpen)
    console.log(`No administrator yet: make one at ${origin?.origin ?? here}/setup/${app.setupToken}`);
  if (origin && trustProxy.length === 0) console.warn(NO_PROXY);
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
