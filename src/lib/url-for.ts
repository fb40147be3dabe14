/** Where Roster's paths are for a browser. */

/** What stands before all of them. A cookie called `__Host-` wants none (RFC 6265bis, 4.1.3.2). */
const BASE_PATH = '';

/**
 * What links, forms, redirects, files and cookies say for a path of Roster's: everywhere else paths are as the routes have
 * them. An address of another origin stays as it is.
 */
export function urlFor(path: string): string {
  return path.startsWith('/') ? BASE_PATH + path : path;
}
