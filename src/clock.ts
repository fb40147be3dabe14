/** What time it is, in milliseconds since 1970; tests move it. */
export type Clock = () => number;

/**
 * The machine's time, which does not go back while the process runs. A machine that was asleep has only the time of day
 * move on, one whose time of day is set back only the time since the start.
 */
export const systemClock: Clock = () =>
  Math.max(Date.now(), Math.floor(performance.timeOrigin + performance.now()));

/** How much the clocks of machines that share a database may differ, in milliseconds. */
export const SKEW = 60_000;

/**
 * Whether a time that began then, and lasts so long, is still on. One that begins in the future is over: the clock has been
 * set back since, and nobody knows for how long.
 */
export function isWithin(began: number, lasts: number, now: number): boolean {
  return began - SKEW <= now && now < began + lasts;
}
