/** Who may talk to Roster, and what a browser may do with its pages. */
import { isIP } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type Config, isHttps } from '../config.ts';
import { urlFor } from '../lib/url-for.ts';
import { assetPath } from './assets.ts';
import type { IsTrusted } from './client-address.ts';
import { hasTwoHosts, hostnameOf } from './host.ts';
import { plainHttp, strangeHost } from './proxy-watch.ts';
import { RefusedError } from './refused-error.ts';

export const HEADERS = {
  'content-security-policy':
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'origin-agent-cluster': '?1',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  // Not `no-referrer`: browsers then send `Origin: null` with a form, which looks like another site.
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'x-dns-prefetch-control': 'off',
  'x-frame-options': 'DENY',
  'x-permitted-cross-domain-policies': 'none',
};

export function securityHeaders(config: Pick<Config, 'origin'>): Readonly<Record<string, string>> {
  return {
    ...HEADERS,
    'speculation-rules': `"${urlFor(config.origin, assetPath('speculation-rules.json'))}"`,
    ...(isHttps(config) && { 'strict-transport-security': 'max-age=31536000' }),
  };
}

export function addSecurity(app: FastifyInstance, isTrusted: IsTrusted): void {
  const { config } = app;
  const headers = securityHeaders(config);
  const ours = [config.host, config.origin?.hostname, 'localhost'];

  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(headers);
    done(refusal(request));
  });

  function refusal(request: FastifyRequest): RefusedError | undefined {
    const { isHealthCheck, isForAnyHost } = request.routeOptions.config;
    // Proxies name any host in theirs, or none, and they tell nothing about anyone.
    if (isHealthCheck || isForAnyHost) return undefined;
    if (hasTwoHosts(request.raw)) {
      return new RefusedError(400, 'This request says twice which host it is for.');
    }
    const host = hostnameOf(request.headers.host);
    // DNS rebinding: a page elsewhere may point its own name at this machine, and a browser would let it in.
    if (isIP(host) === 0 && !ours.includes(host)) return strangeHost(request, host, isTrusted);
    return plainHttp(request, isTrusted);
  }
}
