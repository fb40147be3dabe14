/**
 * What is sent compressed, and to whom. All that Roster sends is text. Pages may be compressed whole, with the words that
 * an address put on them, unless they hold a secret that could be guessed from their length (BREACH): no such page may be
 * kept either, and by that it is known.
 */
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { negotiate } from '@fastify/accept-negotiator';
import type { FastifyInstance, FastifyReply } from 'fastify';

export type Encoding = 'br' | 'gzip';

/** Below this, in bytes, it saves nobody a packet. */
const SMALLEST = 1024;
/**
 * Of those that a client likes as much, the first one is taken. `*` is read as the first one, too, whatever is refused
 * beside it; no browser sends that, and text as it is can be read by all.
 */
const ENCODINGS: ('identity' | Encoding)[] = ['identity', 'br', 'gzip'];

/**
 * For what is made anew for each request, which then costs about twice as much. At once: on another thread it costs more
 * still, for a tenth more pages at best. The next quality of Brotli takes a third longer, for 190 bytes of 25 users.
 */
const compress: Readonly<Record<Encoding, (text: string) => Buffer>> = {
  br: (text) => brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } }),
  gzip: (text) => gzipSync(text),
};

/** Compresses pages, and whatever else is sent as a string: bytes are sent as they are. */
export function addCompression(app: FastifyInstance): void {
  app.addHook('onSend', (_request, reply, payload, done) => {
    const isText = typeof payload === 'string' && reply.getHeader('cache-control') !== 'no-store';
    const encoding = isText ? encodingFor(reply, payload.length) : undefined;
    if (encoding === undefined) return done(null, payload);
    const bytes = compress[encoding](payload as string);
    reply.header('content-encoding', encoding);
    done(null, bytes);
  });
}

/** How an answer of that length is compressed for whoever asked, if at all; sets `Vary` where that is up to them. */
export function encodingFor(reply: FastifyReply, length: number): Encoding | undefined {
  if (length < SMALLEST) return undefined;
  reply.header('vary', 'accept-encoding');
  const accepted = reply.request.headers['accept-encoding'];
  const encoding = accepted && negotiate(`${accepted}`.toLowerCase(), ENCODINGS);
  return encoding === 'br' || encoding === 'gzip' ? encoding : undefined;
}
