/** How long an access link is good. */
import { HOUR } from '../lib/clock.ts';

export const LINK_HOURS = 72;

const LINK_LASTS = LINK_HOURS * HOUR;

export function endOfLink(madeAt: number): number {
  return madeAt + LINK_LASTS;
}

/** One from the future, since the clock has been set right after it was made, is good, too: at most for twice as long. */
export function isInTime(madeAt: number, now: number): boolean {
  return Math.abs(now - madeAt) < LINK_LASTS;
}
