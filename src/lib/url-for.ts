/** Where Roster's paths are for a browser: in links, forms, redirects, files and cookies. */

/** A cookie called `__Host-` wants none (RFC 6265bis, 4.1.3.2). */
const BASE_PATH = '';

export function urlFor(path: string): string {
  return path.startsWith('/') ? BASE_PATH + path : path;
}
