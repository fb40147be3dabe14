/** What Roster says at start while there is no administrator, and on its pages as an example. */
import { urlFor } from '../lib/url-for.ts';

export function setupLine(origin: string, token: string): string {
  return `No administrator yet: make one at ${origin}${urlFor(`/setup/${token}`)}`;
}
