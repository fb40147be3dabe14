/** What is sent compressed, and to whom. */
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { negotiate } from '@fastify/accept-negotiator';
import type { FastifyInstance, FastifyReply } from 'fastify';

export type Encoding = 'br' | 'gzip';

/** Below this, in bytes, it saves nobody a packet. */
const SMALLEST = 1024;
/** Of equals the first is taken, also for `*`: no browser sends that, and text as it is can be read by all. */
const ENCODINGS: ('identity' | Encoding)[] = ['identity', 'br', 'gzip'];

/** In this thread: another one costs more still. The next quality of Brotli takes a third longer, for 190 bytes. */
const compress: Readonly<Record<Encoding, (text: string) => Buffer>> = {
  br: (text) => brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } }),
  gzip: (text) => gzipSync(text),
};

export function addCompression(app: FastifyInstance): void {
  app.addHook('onSend', (_request, reply, payload, done) => {
    // BREACH: the length of what is compressed would tell a secret in it. A page with one is `no-store`.
    const isText = typeof payload === 'string' && reply.getHeader('cache-control') !== 'no-store';
    const encoding = isText ? encodingFor(reply, payload.length) : undefined;
    if (encoding === undefined) return done(null, payload);
    const bytes = compress[encoding](payload as string);
    reply.header('content-encoding', encoding);
    done(null, bytes);
  });
}

export function encodingFor(reply: FastifyReply, length: number): Encoding | undefined {
  if (length < SMALLEST) return undefined;
  reply.header('vary', 'accept-encoding');
  const accepted = reply.request.headers['accept-encoding'];
  const encoding = accepted && negotiate(`${accepted}`.toLowerCase(), ENCODINGS);
  return encoding === 'br' || encoding === 'gzip' ? encoding : undefined;
}
