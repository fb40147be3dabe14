/** The cookie that a signed-in browser is known by, and what cookies of Roster's are called. */
import type { CookieSerializeOptions } from '@fastify/cookie';
import type { Config } from '../config.ts';
import { REMEMBERED } from './queries.ts';

/**
 * With https a name that no other host can set, nor a page that is not https (RFC 6265bis, 4.1.3.2); on plain HTTP, which is
 * for this machine, one without: Safari refuses `Secure` there.
 */
export function cookieName(name: 'session' | 'device' | 'flash', isSecure: boolean): string {
  if (isSecure) return name === 'session' ? '__Host-roster' : `__Host-roster_${name}`;
  return `roster_${name}`;
}

export function sessionCookie({ origin, sessionLasts }: Pick<Config, 'origin' | 'sessionLasts'>): {
  name: string;
  options: CookieSerializeOptions;
} {
  const secure = origin?.protocol === 'https:';
  // It outlives the session, so that who comes back too late with a form is known to have had one.
  const maxAge = Math.floor((sessionLasts + REMEMBERED) / 1000);
  return {
    name: cookieName('session', secure),
    options: { path: '/', httpOnly: true, sameSite: 'lax', secure, maxAge },
  };
}
