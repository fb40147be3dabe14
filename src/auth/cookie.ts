/** Roster's cookies: what each is called, and who may send it. */
import { hash } from 'node:crypto';
import type { CookieSerializeOptions } from '@fastify/cookie';
import { type Config, isHttps } from '../config.ts';
import { REMEMBERED } from './sessions.ts';

export type Cookie = { name: string; options: CookieSerializeOptions };

/** The Roster whose cookie it is. Those that share a database share its key, and so their cookies. */
export type Owner<Settings extends keyof Config = 'origin'> = {
  config: Pick<Config, Settings>;
  secretKey: Buffer;
};

/**
 * With https a name that no other host can set, nor a page that is not https (RFC 6265bis, 4.1.3.2); on plain HTTP, which is
 * for this machine, one without: Safari refuses `Secure` there. Browsers keep cookies apart by host, not by port, so
 * the name has a mark of this Roster in it: another one on the same host has its own.
 * @param maxAge seconds until the browser forgets it.
 */
export function cookieOf(
  { config, secretKey }: Owner,
  use: 'session' | 'device' | 'flash',
  maxAge: number,
): Cookie {
  const secure = isHttps(config);
  return {
    name: `${secure ? '__Host-' : ''}roster_${use}_${markOf(secretKey)}`,
    options: { path: '/', httpOnly: true, sameSite: 'lax', secure, maxAge },
  };
}

/** The one that a signed-in browser is known by. */
export function sessionCookie(owner: Owner<'origin' | 'sessionLasts'>): Cookie {
  // It outlives the session, so that who comes back too late with a form is known to have had one.
  return cookieOf(owner, 'session', Math.floor((owner.config.sessionLasts + REMEMBERED) / 1000));
}

const marks = new WeakMap<Buffer, string>();

/** Tells nothing of the key, which has 256 bits. */
function markOf(secretKey: Buffer): string {
  const mark = marks.get(secretKey) ?? hash('sha256', `cookies ${secretKey.toString('hex')}`).slice(0, 8);
  marks.set(secretKey, mark);
  return mark;
}
