/** Answers that come before a request has been read. */
// To close a connection while its client sends resets it, and the answer is lost: so what comes is dropped before.
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/** Whoever sends more sees the reset. */
const MOST_DROPPED_BYTES = 8 * 1024 * 1024;
/** Someone waits for the answer before going on. */
const STALLED_AFTER_MS = 3_000;
const LINGER = 5_000;

const stopDroppingOf = new WeakMap<Socket, () => void>();
const givenUp = new WeakSet<Socket>();

export function addDropping(app: FastifyInstance): void {
  app.addHook('preHandler', (request, reply, done) => {
    if (givenUp.has(request.socket)) reply.hijack();
    else done();
  });
  app.addHook('onSend', (request, reply, payload, done) => {
    dropBody(request.raw, (isWhole) => {
      if (!isWhole) reply.header('connection', 'close');
      done(null, payload);
    });
  });
}

export function dropBody(raw: IncomingMessage, done: (isWhole: boolean) => void): void {
  const { socket, headers } = raw;
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  if (!hasBody || raw.complete || raw.readableEnded || raw.destroyed) {
    done(true);
    return;
  }
  let dropped = 0;
  const count = ({ length }: Buffer) => {
    dropped += length;
    if (dropped > MOST_DROPPED_BYTES) stop();
  };
  const stop = () => {
    raw.off('data', count).off('end', stop).off('close', stop).off('timeout', stop);
    stopDroppingOf.delete(socket);
    raw.pause();
    done(raw.readableEnded);
  };
  stopDroppingOf.set(socket, stop);
  raw.on('data', count).on('end', stop).on('close', stop).on('timeout', stop);
  socket.setTimeout?.(STALLED_AFTER_MS);
}

export function stopDropping(socket: Socket): boolean {
  const stop = stopDroppingOf.get(socket);
  stop?.();
  return stop !== undefined;
}

/** Sends a last answer; whatever else comes is read for a while, and not acted on. */
export function giveUp(socket: Socket, answer: string): void {
  if (givenUp.has(socket)) return;
  givenUp.add(socket);
  socket.end(answer);
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), LINGER);
  socket.once('close', () => clearTimeout(timer));
}

export function isGivenUp(socket: Socket): boolean {
  return givenUp.has(socket);
}
