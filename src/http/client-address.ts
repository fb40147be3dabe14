/** Where a request comes from: one address, in one form, however a proxy writes it. */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { BlockList, isIP, type Socket } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import ipaddr from 'ipaddr.js';
import { largestNetworkOf } from '../auth/networks.ts';
import type { Config } from '../config.ts';
import { HOUR } from '../lib/clock.ts';
import type { Kind } from './admission-queue.ts';
import { linesToAdd, noteProxyProblem } from './proxy-problems.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Canonical, or `unknown`: of the client, as far as trusted proxies tell it. */
    readonly address: string;
  }
}

const DISTRUSTED_FOR = HOUR;
const MOST_KNOWN = 1_000;

/** Without port, brackets and zone; mapped IPv4 as IPv4 (RFC 4291, 2.5.5.2), IPv6 as in RFC 5952; or `unknown`. */
export function canonicalAddress(written = ''): string {
  const inBrackets = /^\[(.*)\](?::\d+)?$/.exec(written)?.[1];
  const bare = inBrackets ?? written.replace(/^([\d.]+):\d+$/, '$1');
  const [address = ''] = bare.split('%');
  const version = isIP(address);
  if (version === 0) return 'unknown';
  return version === 4 ? address : ipaddr.process(address).toString();
}

export type IsTrusted = (address: string | undefined) => boolean;

export function trustOf({ trustProxy }: Config): IsTrusted {
  const trusted = new BlockList();
  for (const network of trustProxy) {
    const [, address = '', prefix] = /^([^%/]+)[^/]*\/?(\d*)$/.exec(network) ?? [];
    trusted.addSubnet(address, Number(prefix || (isIP(address) === 4 ? 32 : 128)), familyOf(address));
  }
  const isInside = (written: string | undefined) => {
    const address = canonicalAddress(written);
    return isIP(address) !== 0 && trusted.check(address, familyOf(address));
  };
  const known = new Map<string | undefined, boolean>();
  return (written) => {
    const found = known.get(written);
    if (found !== undefined) return found;
    // Each request asks several times; but anyone may write addresses without an end.
    if (known.size >= MOST_KNOWN) known.clear();
    const isTrusted = isInside(written);
    known.set(written, isTrusted);
    return isTrusted;
  };
}

/** A connection is one client's, but those of a proxy are everyone's: then the address that it forwards, if it does. Whoever signs in is a network: passwords may be tried each on a new connection. */
export function askerOf(
  { socket, headers }: IncomingMessage,
  kind: Kind,
  isTrusted: IsTrusted,
): Socket | string | undefined {
  const isProxy = isTrusted(socket.remoteAddress);
  if (kind !== 'signing in') return isProxy ? forwardedBy(headers, isTrusted) : socket;
  const address = isProxy ? forwardedBy(headers, isTrusted) : canonicalAddress(socket.remoteAddress);
  return address && largestNetworkOf(address);
}

/** Of what is answered without having become a request of Fastify's. @param peer who has sent it */
export function clientOf(
  peer: string | undefined,
  headers: IncomingHttpHeaders,
  isTrusted: IsTrusted,
): string {
  return (isTrusted(peer) && forwardedBy(headers, isTrusted)) || canonicalAddress(peer);
}

function forwardedBy(headers: IncomingHttpHeaders, isTrusted: IsTrusted): string | undefined {
  const chain = `${headers['x-forwarded-for'] ?? ''}`.split(',').map((address) => address.trim());
  const client = chain.findLast((address) => !isTrusted(address)) ?? chain[0];
  return client ? canonicalAddress(client) : undefined;
}

/** A proxy that does not say who asks hands on what clients say of themselves: all behind it count as one. */
export function addClientAddress(app: FastifyInstance, isTrusted: IsTrusted): void {
  const { stopwatch } = app;
  const distrusted = new Map<string, number>();
  const addresses = new WeakMap<FastifyRequest['raw'], string>();

  app.decorateRequest('address', {
    getter(this: FastifyRequest) {
      const address = addresses.get(this.raw) ?? addressOf(this);
      addresses.set(this.raw, address);
      return address;
    },
  });
  app.addHook('onRequest', (request, _reply, done) => {
    const proxy = request.socket.remoteAddress;
    if (isSilent(request) && isFromBrowser(request) && isTrusted(proxy)) distrust(request, proxy);
    // Now: a connection that has been closed has no address any more.
    void request.address;
    done();
  });

  function distrust(request: FastifyRequest, proxy: string | undefined): void {
    const address = canonicalAddress(proxy);
    noteProxyProblem(request, `client ${address}`, `${silence(address)} ${linesToAdd('client', request)}`);
    distrusted.set(address, stopwatch());
  }

  function addressOf({ ip, socket }: FastifyRequest): string {
    const peer = canonicalAddress(socket.remoteAddress);
    const since = distrusted.get(peer);
    const isDistrusted = since !== undefined && stopwatch() < since + DISTRUSTED_FOR;
    return isDistrusted ? peer : canonicalAddress(ip);
  }
}

function isSilent({ headers }: FastifyRequest): boolean {
  return !/[^\s,]/.test(`${headers['x-forwarded-for'] ?? ''}`);
}

/** Browsers say what language they want; what checks on Roster from the machine itself, past any proxy, hardly does. */
function isFromBrowser({ headers, routeOptions }: FastifyRequest): boolean {
  return headers['accept-language'] !== undefined && !routeOptions.config.isHealthCheck;
}

function silence(proxy: string): string {
  return `The proxy ${proxy} has sent a browser’s request without X-Forwarded-For: whoever is behind it counts as one until it has sent it for an hour.`;
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 4 ? 'ipv4' : 'ipv6';
}
