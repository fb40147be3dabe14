/** What is sent compressed, and to whom. */
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { negotiate } from '@fastify/accept-negotiator';
import type { FastifyInstance, FastifyReply } from 'fastify';

export type Encoding = 'br' | 'gzip';

/** Below this it saves nobody a packet. */
const SMALLEST_BYTES = 1024;
/** Of equals the first is taken, also for `*`: no browser sends that, and text as it is can be read by all. */
const ENCODINGS: ('identity' | Encoding)[] = ['identity', 'br', 'gzip'];

/** In this thread: another one costs more still. The next quality of Brotli takes a third longer, for 190 bytes. */
const compress: Readonly<Record<Encoding, (text: string) => Buffer>> = {
  br: (text) => brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } }),
  gzip: (text) => gzipSync(text),
};

export function addCompression(app: FastifyInstance): void {
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (typeof payload !== 'string') return done(null, payload);
    // BREACH: the length of what is compressed would tell a secret in it. A page with one is `no-store`.
    if (reply.getHeader('cache-control') === 'no-store') {
      if (payload.length < SMALLEST_BYTES) return done(null, payload);
      // Said against RFC 9110, 8.4.1, since nginx, Caddy and HAProxy compress whatever does not say how it is encoded.
      reply.header('content-encoding', 'identity');
      return done(null, payload);
    }
    const encoding = encodingFor(reply, payload.length);
    if (encoding === undefined) return done(null, payload);
    const bytes = compress[encoding](payload);
    reply.header('content-encoding', encoding);
    done(null, bytes);
  });
}

export function encodingFor(reply: FastifyReply, length: number): Encoding | undefined {
  if (length < SMALLEST_BYTES) return undefined;
  reply.header('vary', 'accept-encoding');
  const accepted = reply.request.headers['accept-encoding'];
  const encoding = accepted && negotiate(`${accepted}`.toLowerCase(), ENCODINGS);
  return encoding === 'br' || encoding === 'gzip' ? encoding : undefined;
}
