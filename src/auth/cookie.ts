/** Roster's cookies: what each is called, and who may send it. */
import { hash } from 'node:crypto';
import type { CookieSerializeOptions } from '@fastify/cookie';
import type { FastifyRequest } from 'fastify';
import { type Config, isHttps } from '../config.ts';
import { urlFor } from '../lib/url-for.ts';
import { ENDED_SESSION_KEPT_FOR } from './sessions.ts';

export type Cookie = {
  name: string;
  /** Whoever was signed in before there were marks still is. */
  formerName: string;
  options: CookieSerializeOptions;
};

/** A Roster: those that share a database share its mark, and so their cookies. */
export type CookieIssuer<Settings extends keyof Config = 'origin'> = {
  config: Pick<Config, Settings>;
  cookieMark: string;
};

export function cookieOf(
  { config, cookieMark }: CookieIssuer,
  use: 'session' | 'device' | 'flash' | 'first_steps' | 'written',
  maxAge: number,
): Cookie {
  const secure = isHttps(config);
  const path = urlFor(config.origin, '/');
  // `__Host-`: only this host can set it, by https, for all of its paths (RFC 6265bis, 4.1.3). On plain HTTP Safari refuses `Secure`.
  const prefix = path === '/' ? '__Host-' : '__Secure-';
  const name = `${secure ? prefix : ''}roster_${use}`;
  return {
    // Browsers keep cookies apart by host, not by port.
    name: `${name}_${cookieMark}`,
    formerName: secure && use === 'session' ? '__Host-roster' : name,
    options: { path, httpOnly: true, sameSite: 'lax', secure, maxAge },
  };
}

export function sessionCookie(issuer: CookieIssuer<'origin' | 'sessionLasts'>): Cookie {
  // It outlives the session, so that who comes back too late with a form is known to have had one.
  return cookieOf(
    issuer,
    'session',
    Math.floor((issuer.config.sessionLasts + ENDED_SESSION_KEPT_FOR) / 1000),
  );
}

export function readCookie(
  { cookies }: Pick<FastifyRequest, 'cookies'>,
  { name, formerName }: Cookie,
): string | undefined {
  return cookies[name] ?? cookies[formerName];
}

/** @param databaseId stays when the key is changed, and so does everyone's session. */
export function cookieMarkOf(databaseId: string): string {
  return hash('sha256', `cookies ${databaseId}`).slice(0, 8);
}
