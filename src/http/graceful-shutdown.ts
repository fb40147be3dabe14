/** Stopping without cutting anyone off: first everyone is told, then the listener closes, and last the connections. */
import type { Socket } from 'node:net';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { Deadline } from '../lib/deadline.ts';

/** From the closing of the listener on, in milliseconds: for requests under way, and for a first byte. */
const CONNECTION_GRACE = 8_000;
const UNUSED_GRACE = 1_000;
const IDLE_CHECK = 50;
/** So long before the listener closes no answer goes out: whoever is answered comes back at once. */
const HOLD = 200;
const TAKE_ALL_TIMEOUT = 2_000;
/** For others at the port, one of which may hang, as whoever listens for all of them may. */
const CLOSED_TIMEOUT = 2_000;

/** Who listens: where several processes share a port, their parent does. */
export type Port = {
  /** Resolves when it has taken one connection more, if there was one. */
  turn(): Promise<void>;
  /** To be called once the own listener is closed: resolves when nobody listens any more. */
  closed(): Promise<void>;
};

const OWN: Port = { turn: () => setImmediate(), closed: async () => {} };

declare module 'fastify' {
  interface FastifyInstance {
    /** It is not ready for more, and answers each connection for the last time. */
    isDraining: boolean;
    /** Another process goes on at its port: nobody has to be kept from coming, and no answer has to be given up. */
    isReplaced: boolean;
    /** For some milliseconds. `close` has to follow. */
    drain(time: number): Promise<void>;
  }
}

export function addDraining(app: FastifyInstance, port = OWN): void {
  const timers: NodeJS.Timeout[] = [];
  const connections = countConnections(app);
  let held: PromiseWithResolvers<void> | undefined;
  app.decorate('isDraining', false).decorate('isReplaced', false);
  app.decorate('drain', async (time: number) => {
    app.isDraining = true;
    await sleep(time);
    if (app.isReplaced) return;
    held = Promise.withResolvers();
    await sleep(HOLD);
  });

  closeIdleOnceRead(app, connections);
  // Also what is answered without Fastify's hooks: an address that is none, say.
  app.server.prependListener('request', (_request, response) => {
    if (app.isDraining) response.shouldKeepAlive = false;
  });
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (app.isDraining) reply.header('connection', 'close');
    if (held === undefined) done(null, payload);
    else void held.promise.then(() => done(null, payload));
  });
  app.addHook('preClose', async () => {
    app.isDraining = true;
    if (!app.isReplaced) timers.push(setTimeout(() => app.server.closeAllConnections(), CONNECTION_GRACE));
    await takeAll(connections, port);
    timers.push(
      setTimeout(() => connections.unused().forEach((socket) => void socket.destroy()), UNUSED_GRACE),
    );
    // Fastify closes the listener now, with the connections that are idle, and waits for those that turn idle later.
    timers.push(setInterval(() => app.server.closeIdleConnections(), IDLE_CHECK));
    void listenerClosed(app)
      .then(() => atMost(CLOSED_TIMEOUT, port.closed()))
      .then(() => held?.resolve());
  });
  app.addHook('onClose', async () => {
    for (const timer of timers) clearTimeout(timer);
  });
}

/** Node counts those as idle, too, whose first request is still on its way, and resets them as the listener closes. */
function closeIdleOnceRead({ server }: FastifyInstance, connections: Connections): void {
  const closeIdle = server.closeIdleConnections.bind(server);
  const closeOnceRead = async () => {
    await allRead();
    if (connections.unused().length === 0) closeIdle();
  };
  server.closeIdleConnections = () => void closeOnceRead();
}

/** A listener that closes resets connections Roster has not taken yet. Each turn takes one: so wait until none came. */
async function takeAll(connections: Connections, port: Port): Promise<void> {
  const deadline = Deadline.in(TAKE_ALL_TIMEOUT);
  let before: number;
  do {
    before = connections.total;
    await atMost(deadline.left, port.turn());
  } while (connections.total > before && !deadline.isPast);
}

async function atMost(milliseconds: number, waiting: Promise<void>): Promise<void> {
  await Promise.race([waiting, sleep(milliseconds, undefined, { ref: false })]);
}

/** Amid a turn there may be requests that have arrived, and that are read at its end, or in the next one. */
async function allRead(): Promise<void> {
  await setImmediate();
  await setImmediate();
}

async function listenerClosed({ server }: FastifyInstance): Promise<void> {
  do await setImmediate();
  while (server.listening);
}

type Connections = ReturnType<typeof countConnections>;

function countConnections(app: FastifyInstance) {
  const open = new Set<Socket>();
  const connections = {
    total: 0,
    unused: () => [...open].filter(({ bytesRead }) => bytesRead === 0),
  };
  app.server.on('connection', (socket) => {
    connections.total++;
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  return connections;
}
