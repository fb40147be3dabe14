/** How often long work has failed in a row, as one number, and how long it is left alone then. */
import { LEASE } from '../db/lease.ts';
import { MINUTE } from '../lib/clock.ts';

/** Each counts one, also where it is noted later, and so much whoever was at it and ended without a word. */
export const ENDED = 1_000;
/** Who has met an error that could not even be noted, by the number of what they were at: they have not ended. */
export type Unnoted = ReadonlyMap<number, string>;

export const LONGEST_PAUSE = 10 * MINUTE;
/** In a row, over some 2 hours: of what may pass by itself, as a full disk does. */
export const MOST_FAILURES_THAT_PASS = 20;

/** In a row, of those who ended without a word. */
const MOST_ENDED = 5;

/** What the last one who was at it adds to them: nothing where nobody was, or has said how it went. */
export function failuresOfLast(
  { id, lease_owner }: { id: number; lease_owner: string | null },
  unnoted: Unnoted,
): number {
  if (lease_owner === null) return 0;
  return unnoted.get(id) === lease_owner ? 1 : ENDED;
}

export function notedOf(failures: number): number {
  return failures % ENDED;
}

export function hasEndedEachTime(failures: number): boolean {
  return Math.floor(failures / ENDED) >= MOST_ENDED;
}

export function refuseEndedEachTime(failures: number): void {
  if (hasEndedEachTime(failures)) throw new Error('Whoever was at it has ended each time.');
}

/** In milliseconds. @param noted one at least */
export function pauseAfter(noted: number): number {
  return Math.min(LEASE * 2 ** (noted - 1), LONGEST_PAUSE);
}
