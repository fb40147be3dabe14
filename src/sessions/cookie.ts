/** Roster's cookies: what each is called, and who may send it. */
import type { CookieSerializeOptions } from '@fastify/cookie';
import { type Config, isHttps } from '../config.ts';
import { REMEMBERED } from './queries.ts';

export type Cookie = { name: string; options: CookieSerializeOptions };

/**
 * With https a name that no other host can set, nor a page that is not https (RFC 6265bis, 4.1.3.2); on plain HTTP, which is
 * for this machine, one without: Safari refuses `Secure` there.
 * @param maxAge seconds until the browser forgets it.
 */
export function cookieOf(
  config: Pick<Config, 'origin'>,
  use: 'session' | 'device' | 'flash',
  maxAge: number,
): Cookie {
  const secure = isHttps(config);
  const name = `roster_${use}`;
  return {
    name: secure ? `__Host-${use === 'session' ? 'roster' : name}` : name,
    options: { path: '/', httpOnly: true, sameSite: 'lax', secure, maxAge },
  };
}

/** The one that a signed-in browser is known by. */
export function sessionCookie(config: Pick<Config, 'origin' | 'sessionLasts'>): Cookie {
  // It outlives the session, so that who comes back too late with a form is known to have had one.
  return cookieOf(config, 'session', Math.floor((config.sessionLasts + REMEMBERED) / 1000));
}
