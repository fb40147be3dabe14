/** Addresses that people are sent to; someone else may have written them. */
import type { FastifyInstance } from 'fastify';
import { type Origin, urlFor } from '../lib/url-for.ts';

const HERE = 'http://here.invalid';

/** Bytes of an address that people are sent to: common proxies have 4 KiB for all the headers of an answer. */
const LONGEST = 2_000;

export function addSafeRedirects(app: FastifyInstance): void {
  const { origin } = app.config;
  app.addHook('onSend', (_request, reply, payload, done) => {
    const location = reply.getHeader('location');
    if (typeof location === 'string')
      reply.header('location', urlFor(origin, shortAddress(location, origin)));
    done(null, payload);
  });
}

export function isShort(address: string, origin: Origin): boolean {
  return urlFor(origin, address).length <= LONGEST;
}

export function shortAddress(address: string, origin: Origin): string {
  return [address, address.replace(/\?.*/s, '')].find((one) => isShort(one, origin)) ?? '/users';
}

/** An address of this origin, whatever is written there: a path with its query. */
export function localAddress(written: string | undefined, fallback = '/users'): string {
  const url = URL.parse(written ?? '', HERE);
  if (!written?.startsWith('/') || url?.origin !== HERE) return fallback;
  const address = url.pathname + url.search;
  // `/..//evil.example` is of this origin until it stands alone.
  return address.startsWith('//') ? fallback : address;
}
