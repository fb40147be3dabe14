/** How long something was, in words. */
import { MINUTE } from '../lib/clock.ts';
import { number } from '../lib/formats.ts';

const HOUR_MINUTES = 60;
const DAY_MINUTES = 24 * HOUR_MINUTES;

/** "3 days", "5 hours", "12 minutes" */
export function durationOf(passed: number): string {
  const minutes = Math.max(0, Math.floor(passed / MINUTE));
  if (minutes >= DAY_MINUTES) return several(Math.floor(minutes / DAY_MINUTES), 'day');
  if (minutes >= HOUR_MINUTES) return several(Math.floor(minutes / HOUR_MINUTES), 'hour');
  return several(minutes, 'minute');
}

export function several(count: number, what: string): string {
  return `${number.format(count)} ${what}${count === 1 ? '' : 's'}`;
}
