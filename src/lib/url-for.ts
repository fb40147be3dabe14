/** Where Roster’s paths are for a browser: in links, forms, redirects, files and cookies. */

/** The address at which people reach Roster: with a path before all others, if it has one. */
export type Origin = URL | undefined;

/** As it stands before each path: nothing, or `/roster`. */
export function basePathOf(origin: Origin): string {
  return origin?.pathname.replace(/\/$/, '') ?? '';
}

export function urlFor(origin: Origin, path: string): string {
  return urlMaker(origin)(path);
}

export function urlMaker(origin: Origin): (path: string) => string {
  const base = basePathOf(origin);
  return (path) => (path.startsWith('/') ? base + path : path);
}

/** For somebody elsewhere. @param host where no setting says it */
export function addressFor(origin: Origin, host: string | undefined, path: string): string {
  return (origin?.origin ?? `http://${host}`) + urlFor(origin, path);
}
