/** Bodies that may take longer to arrive than any form does: it is silence that ends them. */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { HOUR } from '../lib/clock.ts';

/** In milliseconds: nothing comes for so long, or it takes that long in all. */
const SILENCE = 15_000;
const LONGEST = HOUR;

const long = new WeakSet<Socket>();

/** @param read is told by the signal that it has taken too long, which is answered 408 */
export async function readLongBody<T>(
  raw: IncomingMessage,
  read: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { socket } = raw;
  const over = new AbortController();
  const stop = () =>
    over.abort(Object.assign(new Error('The body took too long to arrive.'), { statusCode: 408 }));
  const timer = setTimeout(stop, LONGEST);
  long.add(socket);
  // What `inject` makes up has no timeout.
  socket.setTimeout?.(SILENCE);
  raw.on('timeout', stop);
  try {
    return await read(over.signal);
  } finally {
    clearTimeout(timer);
    long.delete(socket);
    socket.setTimeout?.(0);
    raw.off('timeout', stop);
  }
}

export function mayBeLong(socket: Socket): boolean {
  return long.has(socket);
}
