/** Roster's cookies: what each is called, and who may send it. */
import { hash } from 'node:crypto';
import type { CookieSerializeOptions } from '@fastify/cookie';
import type { FastifyRequest } from 'fastify';
import { type Config, isHttps } from '../config.ts';
import { urlFor } from '../lib/url-for.ts';
import { REMEMBERED } from './sessions.ts';

export type Cookie = {
  name: string;
  /** What it was called before there were marks: whoever was signed in then still is. */
  formerName: string;
  options: CookieSerializeOptions;
};

/** The Roster whose cookie it is. Those that share a database share its mark, and so their cookies. */
export type Owner<Settings extends keyof Config = 'origin'> = {
  config: Pick<Config, Settings>;
  /** As `cookieMarkOf` a database. */
  cookieMark: string;
};

/**
 * With https a name that no other host can set, nor a page that is not https (RFC 6265bis, 4.1.3.2); on plain HTTP, which is
 * for this machine, one without: Safari refuses `Secure` there. Browsers keep cookies apart by host, not by port, so
 * the name has a mark of the database in it: another one on the same host has its own.
 * @param maxAge seconds until the browser forgets it.
 */
export function cookieOf(
  { config, cookieMark }: Owner,
  use: 'session' | 'device' | 'flash',
  maxAge: number,
): Cookie {
  const secure = isHttps(config);
  const name = `${secure ? '__Host-' : ''}roster_${use}`;
  return {
    name: `${name}_${cookieMark}`,
    formerName: secure && use === 'session' ? '__Host-roster' : name,
    options: { path: urlFor('/'), httpOnly: true, sameSite: 'lax', secure, maxAge },
  };
}

/** The one that a signed-in browser is known by. */
export function sessionCookie(owner: Owner<'origin' | 'sessionLasts'>): Cookie {
  // It outlives the session, so that who comes back too late with a form is known to have had one.
  return cookieOf(owner, 'session', Math.floor((owner.config.sessionLasts + REMEMBERED) / 1000));
}

/** What a browser has sent as a cookie, by whichever of its names. */
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
