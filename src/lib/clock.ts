/** The time of day: what is stored, and compared by all who share a database. */

/**
 * Milliseconds since 1970, by the machine's clock, which may be set while Roster runs: it goes back then, too. Tests move it.
 * What only waits inside one process goes by `performance.now()`, which nobody sets.
 */
export type Clock = () => number;

/** How much the clocks of machines that share a database may differ, in milliseconds. */
export const SKEW = 60_000;

/**
 * Whether a time that began then, and lasts so long, is still on. One that begins in the future is over: the clock has been
 * set back since, and nobody knows for how long.
 */
export function isWithin(began: number, lasts: number, now: number): boolean {
  return began - SKEW <= now && now < began + lasts;
}
