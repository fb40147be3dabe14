/** The time of day, in milliseconds since 1970. It may be set back: waits in one process go by `performance.now()`. */

export type Clock = () => number;

/** By so much, in milliseconds, the clocks of machines that share a database may differ. */
export const SKEW = 60_000;

/** What began in the future is over: the clock has been set back since, and nobody knows for how long. */
export function isWithin(began: number, lasts: number, now: number): boolean {
  return began - SKEW <= now && now < began + lasts;
}
