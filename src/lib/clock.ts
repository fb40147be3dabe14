/** What time it is, and how much of it has passed; in milliseconds. */

/** The time of day, since 1970. It may be set back: waits in one process go by a stopwatch. */
export type Clock = () => number;

/** Since some moment, as of the start of the process: nobody sets it. */
export type Stopwatch = () => number;

export const monotonicTime: Stopwatch = () => performance.now();

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export function startOfMinute(time: number): number {
  return time - (time % MINUTE);
}

/** By so much, in milliseconds, the clocks of machines that share a database may differ. */
export const SKEW = MINUTE;

/** What began in the future is over: the clock has been set back since, and nobody knows for how long. */
export function isWithin(began: number, lasts: number, now: number): boolean {
  return began - SKEW <= now && now < began + lasts;
}
