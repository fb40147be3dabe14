/** Bodies that may take longer to arrive than any form does: it is silence that ends them, or next to nothing in a long time. */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { HOUR } from '../lib/clock.ts';

/** In milliseconds: nothing comes for so long, it takes that long in all, or in each while there are not so many bytes. */
const LIMITS = { silence: 15_000, longest: HOUR, while: 30_000, bytes: 64 * 1024 };

const long = new WeakSet<Socket>();

/** @param read is told by the signal that it has taken too long, which is answered 408 */
export async function readLongBody<T>(
  raw: IncomingMessage,
  read: (signal: AbortSignal) => Promise<T>,
  limits = LIMITS,
): Promise<T> {
  const { socket } = raw;
  const over = new AbortController();
  const stop = () =>
    over.abort(Object.assign(new Error('The body took too long to arrive.'), { statusCode: 408 }));
  const timer = setTimeout(stop, limits.longest);
  let before = socket.bytesRead;
  const pace = setInterval(() => {
    if (socket.bytesRead - before < limits.bytes) stop();
    before = socket.bytesRead;
  }, limits.while);
  long.add(socket);
  socket.setTimeout?.(limits.silence);
  raw.on('timeout', stop);
  try {
    return await read(over.signal);
  } finally {
    clearTimeout(timer);
    clearInterval(pace);
    long.delete(socket);
    socket.setTimeout?.(0);
    raw.off('timeout', stop);
  }
}

export function mayBeLong(socket: Socket): boolean {
  return long.has(socket);
}
