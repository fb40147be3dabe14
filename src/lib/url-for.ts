/** Where Roster's paths are for a browser. */

/** A cookie called `__Host-` wants none (RFC 6265bis, 4.1.3.2). */
const BASE_PATH = '';

/** For links, forms, redirects, files and cookies: everywhere else paths are as the routes have them. */
export function urlFor(path: string): string {
  return path.startsWith('/') ? BASE_PATH + path : path;
}
