/** Closing without cutting anyone off: answers under way are finished, and their connections are not used again. */
import type { FastifyInstance } from 'fastify';

/** Requests under way have this long to finish, in milliseconds. */
const GRACE = 8_000;
const IDLE_CHECK = 50;

export function addDraining(app: FastifyInstance): void {
  let isClosing = false;
  const timers: NodeJS.Timeout[] = [];

  app.addHook('onSend', (_request, reply, payload, done) => {
    if (isClosing) reply.header('connection', 'close');
    done(null, payload);
  });
  app.addHook('preClose', async () => {
    isClosing = true;
    // Fastify closes the connections that are idle now, and waits for those that turn idle later.
    timers.push(setInterval(() => app.server.closeIdleConnections(), IDLE_CHECK));
    timers.push(setTimeout(() => app.server.closeAllConnections(), GRACE));
  });
  app.addHook('onClose', async () => {
    for (const timer of timers) clearTimeout(timer);
  });
}
