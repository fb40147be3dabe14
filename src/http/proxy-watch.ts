/** What requests tell of a proxy that was set up in the ways that people get wrong first. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type Config, isHttps } from '../config.ts';
import { NotFoundError } from '../errors.ts';
import { basePathOf } from '../lib/url-for.ts';
import { canonicalAddress, type IsTrusted } from './client-address.ts';
import { hostnameOf } from './host.ts';
import { linesToAdd, noteProxyProblem } from './proxy-problems.ts';
import { RefusedError } from './refused-error.ts';

const FORWARDING = ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'forwarded', 'via'];
const DOMAIN = /^[a-z\d-]+(\.[a-z\d-]+)+$/;
/** In the log and before administrators: what stands in a request may be a stranger's, and is repeated on its own page alone. */
const EXAMPLE = 'https://users.example.org';
const BELOW_A_PATH = `If people reach Roster below a path, start it with that in its ORIGIN: “ORIGIN=${EXAMPLE}/roster”.`;

export function addProxyWatch(app: FastifyInstance, isTrusted: IsTrusted): void {
  const { origin } = app.config;
  app.addHook('onRequest', (request, _reply, done) => {
    if (!request.routeOptions.config.isHealthCheck) {
      if (origin === undefined) watchForOrigin(request);
      else watchForTrust(request, origin, isTrusted);
    }
    // Before anyone is asked to sign in at an address that would lead elsewhere.
    const path = request.is404 ? unknownPath(request) : undefined;
    done(path === undefined ? undefined : new NotFoundError(`There is no page here. ${path}`));
  });
}

function watchForOrigin(request: FastifyRequest): void {
  if (publicOrigin(request) === undefined && !isForwarded(request)) return;
  const sentence = `A proxy passes requests on, and Roster does not know it, so cookies go without Secure. ${start(EXAMPLE, request)}`;
  noteProxyProblem(request, 'origin', sentence);
}

/** Whoever else can reach Roster may send the header, too. */
function watchForTrust(request: FastifyRequest, { hostname }: URL, isTrusted: IsTrusted): void {
  const { headers, socket } = request;
  const isOurs = headers['x-forwarded-for'] !== undefined && hostnameOf(headers.host) === hostname;
  if (!isOurs || isTrusted(socket.remoteAddress)) return;
  const peer = canonicalAddress(socket.remoteAddress);
  const sentence = `X-Forwarded-For from ${peer} is not believed, so all behind it count as one. If that is the proxy, add it to TRUST_PROXY: “${peer}”.`;
  noteProxyProblem(request, 'trust', sentence);
}

/** As a browser says it of its own page, or as Apache and Caddy do. */
function publicOrigin({ headers }: FastifyRequest): string | undefined {
  const isOwn = headers['sec-fetch-site'] === 'same-origin';
  const from = isOwn ? URL.parse(headers.origin ?? headers.referer ?? '') : null;
  if (from?.protocol === 'https:') return from.origin;
  const host = hostnameOf(`${headers['x-forwarded-host'] ?? ''}`);
  return DOMAIN.test(host) ? `https://${host}` : undefined;
}

function isForwarded({ headers }: FastifyRequest): boolean {
  return FORWARDING.some((name) => headers[name] !== undefined);
}

function start(origin: string, { socket, server }: FastifyRequest): string {
  const { trustProxy } = server.config;
  const trusted = trustProxy.length > 0 ? trustProxy.join(',') : canonicalAddress(socket.remoteAddress);
  return `Start it with “ORIGIN=${origin} TRUST_PROXY=${trusted}”.`;
}

/** @param host that is not ours: a stranger's, or what a proxy calls Roster, or where people reach it, which nobody has said */
export function strangeHost(request: FastifyRequest, host: string, isTrusted: IsTrusted): RefusedError {
  const mistake = `This is not ${host || 'a host without a name'}: the address leads here by mistake`;
  const cause = causeOf(request, host, `https://${host}`, isTrusted);
  if (cause === undefined) return new RefusedError(421, `${mistake}.`);
  const noted = causeOf(request, host, EXAMPLE, isTrusted);
  noteProxyProblem(
    request,
    'host',
    `Roster was asked for as another host: an address leads here by mistake, or ${noted}`,
  );
  return new RefusedError(421, `${mistake}, or ${cause}`);
}

function causeOf(
  request: FastifyRequest,
  host: string,
  there: string,
  isTrusted: IsTrusted,
): string | undefined {
  if (request.server.config.origin === undefined)
    return DOMAIN.test(host)
      ? `Roster does not know that people reach it there. ${start(there, request)}`
      : undefined;
  return isTrusted(request.socket.remoteAddress)
    ? `the proxy does not pass on which host was asked for. ${linesToAdd('host', request)}`
    : undefined;
}

/** What came by http where all is to come by https: its cookies would not be kept, and others can read it. */
export function plainHttp(request: FastifyRequest, isTrusted: IsTrusted): RefusedError | undefined {
  const { config } = request.server;
  if (config.origin === undefined || !cameByHttp(request, config, isTrusted)) return undefined;
  const sentence = `This came by http, which others can read on its way: open ${config.origin.href} instead. The proxy can send everyone there. ${linesToAdd('https', request)}`;
  noteProxyProblem(request, 'https', sentence);
  return new RefusedError(421, sentence);
}

function cameByHttp({ headers, socket }: FastifyRequest, config: Config, isTrusted: IsTrusted): boolean {
  // By http browsers do not send it (https://www.w3.org/TR/fetch-metadata/, 2), whatever a proxy before the proxy says.
  if (!isHttps(config) || headers['sec-fetch-site'] !== undefined) return false;
  const from = URL.parse(headers.origin ?? '');
  if (from?.protocol === 'http:' && from.hostname === config.origin?.hostname) return true;
  const isBrowser = headers['accept-language'] !== undefined;
  return isBrowser && headers['x-forwarded-proto'] === 'http' && isTrusted(socket.remoteAddress);
}

function unknownPath(request: FastifyRequest): string | undefined {
  const { config, rules } = request.server;
  const [, prefix = '', rest = ''] = /^(\/[\w.~-]+)(\/[^?]*)/.exec(request.url) ?? [];
  const isProxied = config.origin !== undefined || isForwarded(request);
  if (!isProxied || prefix === '' || prefix === basePathOf(config.origin)) return undefined;
  const firsts = new Set([...rules.keys()].map((rule) => rule.split('/')[1]));
  if (firsts.has(prefix.slice(1)) || !firsts.has(rest.split('/')[1])) return undefined;
  const origin = config.origin?.origin ?? `https://${hostnameOf(request.headers.host)}`;
  // Whoever looks for what other programs have asks for such addresses, too.
  if (rest !== '/') noteProxyProblem(request, 'path', BELOW_A_PATH);
  return `If people reach Roster below ${prefix}, start it with “ORIGIN=${origin}${prefix}”.`;
}
