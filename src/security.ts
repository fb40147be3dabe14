/** Who may talk to Roster, and what a browser may do with its pages. */
import { isIP } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { asset } from './assets.ts';
import type { Config } from './config.ts';
import { sessionCookie } from './sessions/cookie.ts';

/** On every answer, errors included. */
export const HEADERS = {
  'content-security-policy':
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'origin-agent-cluster': '?1',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  // Not `no-referrer`: browsers then send `Origin: null` with a form, which looks like another site.
  'referrer-policy': 'same-origin',
  'speculation-rules': `"${asset('speculation-rules.json')}"`,
  'x-content-type-options': 'nosniff',
  'x-dns-prefetch-control': 'off',
  'x-frame-options': 'DENY',
  'x-permitted-cross-domain-policies': 'none',
};

/** A request that is refused before anything reads it. */
export class RefusedError extends Error {
  override name = 'RefusedError';
  readonly statusCode: 403 | 421;

  constructor(statusCode: 403 | 421, message: string) {
    super(message);
    this.statusCode = statusCode;
  }
}

/** Sets the headers, and refuses a request for another host or, where it changes something, from another site. */
export function addSecurity(app: FastifyInstance, config: Config): void {
  const ours = [config.host, config.origin?.hostname, 'localhost'];
  const isHttps = config.origin?.protocol === 'https:';

  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(HEADERS);
    if (isHttps) reply.header('strict-transport-security', 'max-age=31536000');
    done(refusal(request));
  });

  function refusal(request: FastifyRequest): RefusedError | undefined {
    const host = hostnameOf(request.headers.host);
    // DNS rebinding: a page elsewhere may point its own name at this machine, and a browser would let it in.
    if (isIP(host) === 0 && !ours.includes(host)) {
      const name = host || 'a host without a name';
      return new RefusedError(421, `This is not ${name}: the address leads here by mistake.`);
    }
    if (!['GET', 'HEAD'].includes(request.method) && !isFromHere(request, config)) {
      return new RefusedError(403, 'This form was sent from another site, so it was not accepted.');
    }
    return undefined;
  }
}

// Fetch Metadata (https://www.w3.org/TR/fetch-metadata/) where the browser sends it, else the Origin header; a request
// with neither comes from no browser, unless it has a session's cookie.
function isFromHere({ headers }: FastifyRequest, config: Config): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  if (headers.origin === undefined) return !headers.cookie?.includes(`${sessionCookie(config).name}=`);
  const host = headers.host?.toLowerCase();
  const here = host === config.origin?.host ? config.origin?.origin : `http://${host}`;
  const origin = URL.parse(headers.origin)?.origin;
  return origin !== undefined && (origin === here || origin === config.origin?.origin);
}

function hostnameOf(host: string | undefined): string {
  // What a user, a path or a query would follow is no host; links are made of it.
  if (host === undefined || /[@/?#\\]/.test(host)) return '';
  const name = URL.parse(`http://${host}`)?.hostname ?? '';
  return name.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
}
