/** How long something was, in words. */
import { DAY, HOUR, MINUTE, SKEW } from '../lib/clock.ts';
import { pluralize } from '../lib/formats.ts';

export const IN_FUTURE = 'dated in the future';

/** "3 days", "5 hours", "12 minutes" */
export function durationOf(passed: number): string {
  if (passed >= DAY) return pluralize(Math.floor(passed / DAY), 'day');
  if (passed >= HOUR) return pluralize(Math.floor(passed / HOUR), 'hour');
  return pluralize(Math.max(0, Math.floor(passed / MINUTE)), 'minute');
}

/** "3 days old", "3 days ago"; of what was made by a clock that was ahead nobody knows. */
export function ageOf(at: number, now: number, word: 'old' | 'ago' = 'old'): string {
  return isAhead(at, now) ? IN_FUTURE : `${durationOf(now - at)} ${word}`;
}

export function isAhead(at: number, now: number): boolean {
  return at > now + SKEW;
}
