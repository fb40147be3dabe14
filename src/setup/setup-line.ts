/** What Roster says at start while there is no administrator, and on its pages as an example. */
import { addressFor, type Origin } from '../lib/url-for.ts';

export function setupLine(origin: Origin, host: string | undefined, token: string): string {
  return `No administrator yet: make one at ${addressFor(origin, host, `/setup/${token}`)}`;
}
