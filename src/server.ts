/** One running Roster: settings → database → app → listening, and back again. */
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { buildApp } from './app.ts';
import { type Config, isLoopback, readConfig } from './config.ts';
import { openDatabase } from './db/database.ts';
import { StartError } from './errors.ts';

/** Requests under way when a signal comes have this long to finish, in milliseconds. */
const GRACE = 8_000;
const IDLE_CHECK = 50;

/** Serves until SIGTERM or SIGINT, then finishes what is under way and exits. */
export async function serve(env: NodeJS.ProcessEnv): Promise<void> {
  const config = readConfig(env);
  const db = await openDatabase(config.databaseUrl);
  const app = await buildApp({ config, db });
  try {
    await app.listen({ host: config.host, port: config.port });
  } catch (error) {
    await db.destroy();
    throw explained(error as NodeJS.ErrnoException, config);
  }
  let isClosing = false;
  const stop = async () => {
    if (isClosing) return;
    isClosing = true;
    await close(app);
    await db.destroy();
    process.exit(0);
  };
  process.on('SIGTERM', stop).on('SIGINT', stop);
  announce(app, config);
}

// Fastify's own `close` waits for keep-alive connections that turn idle only after it has looked.
async function close(app: FastifyInstance): Promise<void> {
  const idle = setInterval(() => app.server.closeIdleConnections(), IDLE_CHECK);
  const late = setTimeout(() => app.server.closeAllConnections(), GRACE);
  await app.close();
  clearInterval(idle);
  clearTimeout(late);
}

function announce(app: FastifyInstance, config: Config): void {
  const { address, port, family } = app.server.address() as AddressInfo;
  const host = family === 'IPv6' ? `[${address}]` : address;
  if (!isLoopback(config.host)) {
    console.warn(`Warning: anyone who can reach ${host}:${port} can change users; there is no sign-in.`);
  }
  console.log(`Roster is at ${config.origin?.origin ?? `http://${host}:${port}`}`);
}

function explained(error: NodeJS.ErrnoException, { host, port }: Config): Error {
  const sentences: Record<string, string> = {
    EADDRINUSE: `Port ${port} of ${host} is in use; give PORT another number, or 0 for a free one.`,
    EACCES: `Port ${port} of ${host} may not be opened by this user; give PORT a number above 1023.`,
    EADDRNOTAVAIL: `${host} is no address of this machine; give HOST another one.`,
    ENOTFOUND: `${host} is no name that this machine knows; give HOST another one.`,
  };
  const sentence = sentences[error.code ?? ''];
  return sentence ? new StartError(sentence, { cause: error }) : error;
}
