/** Addresses that someone else may have written, and that people are sent to. */

const HERE = 'http://here.invalid';

/** An address of this origin, whatever is written there: a path with its query. */
export function localAddress(written: string | undefined, fallback = '/users'): string {
  const url = URL.parse(written ?? '', HERE);
  if (!written?.startsWith('/') || url?.origin !== HERE) return fallback;
  const address = url.pathname + url.search;
  // `/..//evil.example` is of this origin until it stands alone.
  return address.startsWith('//') ? fallback : address;
}
