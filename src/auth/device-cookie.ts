/** The cookie of a browser in which people have signed in before: nobody who guesses elsewhere keeps it out. */
// https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies
import { randomBytes } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Cookie, type CookieIssuer, cookieOf, readCookie } from './cookie.ts';
import { open, seal } from './tokens.ts';

/** Seconds; browsers keep none longer (RFC 6265bis, 5.5). */
const MAX_AGE = 400 * 24 * 60 * 60;
const MOST_USERS = 10;

/** The one who has signed in last stands last, and who has only opened a link before all others. */
type Device = { id: string; users: readonly number[] };

export function deviceCookie(issuer: CookieIssuer): Cookie {
  return cookieOf(issuer, 'device', MAX_AGE);
}

export function findDevice(request: FastifyRequest, userId: number | undefined): string | undefined {
  const device = readDevice(request);
  return userId !== undefined && device?.users.includes(userId) ? `${device.id} ${userId}` : undefined;
}

export function rememberDevice(
  request: FastifyRequest,
  reply: FastifyReply,
  userId: number,
  { hasSignedIn } = { hasSignedIn: true },
): void {
  const { server } = request;
  const { id, users } = readDevice(request) ?? { id: randomBytes(16).toString('base64url'), users: [] };
  const others = users.filter((id) => id !== userId).slice(1 - MOST_USERS);
  const device: Device = { id, users: hasSignedIn ? [...others, userId] : [userId, ...others] };
  const { name, options } = deviceCookie(server);
  reply.setCookie(name, seal(server.secretKey, 'device', device), options);
}

export function lastUserOn(request: FastifyRequest): number | undefined {
  return readDevice(request)?.users.at(-1);
}

function readDevice(request: FastifyRequest): Device | undefined {
  const { server } = request;
  const sealed = readCookie(request, deviceCookie(server));
  return sealed === undefined ? undefined : (open(server.secretKey, 'device', sealed) as Device | undefined);
}
