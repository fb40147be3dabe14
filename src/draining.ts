/** Stopping without cutting anyone off: first everyone is told, then the listener closes, and last the connections. */
import type { Socket } from 'node:net';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';

/** Once the listener has closed, requests under way have this long to finish, in milliseconds. */
const GRACE = 8_000;
/** And so long has a connection to send its first byte. */
const UNUSED_GRACE = 1_000;
const IDLE_CHECK = 50;
/**
 * For so long before the listener closes no answer goes out, in milliseconds: whoever is answered comes back at once, and
 * the kernel resets what it has accepted for Roster and Roster has not taken yet.
 */
const HOLD = 100;

declare module 'fastify' {
  interface FastifyInstance {
    /** Whether it is about to stop: still answers, but is not ready for more, and lets each connection go. */
    isDraining: boolean;
    /** Drains for some milliseconds; `close` comes next. */
    drain(time: number): Promise<void>;
  }
}

export function addDraining(app: FastifyInstance): void {
  const timers: NodeJS.Timeout[] = [];
  let held: PromiseWithResolvers<void> | undefined;
  app.decorate('isDraining', false).decorate('drain', async (time: number) => {
    app.isDraining = true;
    await sleep(time);
    held = Promise.withResolvers();
    await sleep(HOLD);
  });

  // Also what is answered without Fastify's hooks: an address that is none, say.
  app.server.prependListener('request', (_request, response) => {
    if (app.isDraining) response.shouldKeepAlive = false;
  });
  app.addHook('onSend', async (_request, reply) => {
    await held?.promise;
    if (app.isDraining) reply.header('connection', 'close');
  });
  const unused = trackUnused(app);
  app.addHook('preClose', async () => {
    app.isDraining = true;
    // Fastify closes the connections that are idle now, and waits for those that turn idle later.
    timers.push(setInterval(() => app.server.closeIdleConnections(), IDLE_CHECK));
    timers.push(setTimeout(() => unused().forEach((socket) => void socket.destroy()), UNUSED_GRACE));
    timers.push(setTimeout(() => app.server.closeAllConnections(), GRACE));
    // In this turn of the event loop it has taken whatever had come; the listener closes in the same, the answers go in the next.
    await setImmediate();
    void setImmediate().then(() => held?.resolve());
  });
  app.addHook('onClose', async () => {
    for (const timer of timers) clearTimeout(timer);
  });
}

/** Notes the connections; those that have not sent anything so far. */
function trackUnused(app: FastifyInstance): () => Socket[] {
  const sockets = new Set<Socket>();
  app.server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return () => [...sockets].filter(({ bytesRead }) => bytesRead === 0);
}
