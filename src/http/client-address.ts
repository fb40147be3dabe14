/** Where a request comes from: one address, in one form, however a proxy writes it. */
import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, type Socket } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import ipaddr from 'ipaddr.js';
import type { Config } from '../config.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Of the client, as far as the proxies that are trusted tell it: in its canonical form, or `unknown`. */
    readonly address: string;
  }
}

/** How long a proxy that has left the header out is not believed, in milliseconds. */
const DISTRUSTED_FOR = 60 * 60_000;

/**
 * An address of IP without port, brackets and zone, IPv4 where it is mapped into IPv6 (RFC 4291, 2.5.5.2), in the form of
 * RFC 5952; `unknown` for whatever is none.
 */
export function canonicalAddress(written = ''): string {
  const inBrackets = /^\[(.*)\](?::\d+)?$/.exec(written)?.[1];
  const bare = inBrackets ?? written.replace(/^([\d.]+):\d+$/, '$1');
  const [address = ''] = bare.split('%');
  const version = isIP(address);
  if (version === 0) return 'unknown';
  // Of IPv4 there is one form that counts as one.
  return version === 4 ? address : ipaddr.process(address).toString();
}

/** Whether an address, as it is written in a request, is one of the proxies that are believed. */
export function trustOf({ trustProxy }: Config): (address: string | undefined) => boolean {
  const trusted = new BlockList();
  for (const network of trustProxy) {
    const [, address = '', prefix] = /^([^%/]+)[^/]*\/?(\d*)$/.exec(network) ?? [];
    trusted.addSubnet(address, Number(prefix || (isIP(address) === 4 ? 32 : 128)), familyOf(address));
  }
  return (written) => {
    const address = canonicalAddress(written);
    return isIP(address) !== 0 && trusted.check(address, familyOf(address));
  };
}

/**
 * Who asks, before there is a request of Fastify's: a connection is one client's, but those of a proxy are everyone's, and
 * there it is the address that the proxy forwards; undefined where it tells none.
 */
export function askerOf(
  { socket, headers }: IncomingMessage,
  isTrusted: ReturnType<typeof trustOf>,
): Socket | string | undefined {
  if (!isTrusted(socket.remoteAddress)) return socket;
  const chain = `${headers['x-forwarded-for'] ?? ''}`.split(',').map((address) => address.trim());
  const client = chain.findLast((address) => !isTrusted(address)) ?? chain[0];
  return client ? canonicalAddress(client) : undefined;
}

/**
 * Gives each request its `address`. A proxy that does not say who asks hands on what clients say of themselves: they
 * count as one, and the log says what is missing.
 */
export function addClientAddress(app: FastifyInstance, isTrusted: ReturnType<typeof trustOf>): void {
  const distrusted = new Map<string, number>();
  const known = new WeakMap<FastifyRequest['raw'], string>();

  app.decorateRequest('address', {
    getter(this: FastifyRequest) {
      const address = known.get(this.raw) ?? addressOf(this);
      known.set(this.raw, address);
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

  function distrust({ log }: FastifyRequest, proxy: string | undefined): void {
    const address = canonicalAddress(proxy);
    if (!distrusted.has(address)) log.warn(silence(address));
    distrusted.set(address, performance.now());
  }

  function addressOf({ ip, socket }: FastifyRequest): string {
    const peer = canonicalAddress(socket.remoteAddress);
    const since = distrusted.get(peer);
    const isDistrusted = since !== undefined && performance.now() < since + DISTRUSTED_FOR;
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
  return `The proxy ${proxy} has sent a browser's request without X-Forwarded-For: whoever is behind it counts as one until it has sent it for an hour. For nginx, add: proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;`;
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 4 ? 'ipv4' : 'ipv6';
}
