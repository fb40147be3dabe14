/** Days as people type them, in UTC: `2026-01-31`. */
import { foldDigits } from './text.ts';

/** @returns when it begins, in milliseconds since 1970. */
export function parseDay(typed: string): number | undefined {
  // Keyboards for full-width digits have a dash as wide.
  const day = foldDigits(typed).replaceAll('－', '-');
  const start = new Date(`${day}T00:00:00Z`);
  const isDay = start.getUTCFullYear() >= 1 && start.toISOString().slice(0, 10) === day;
  return isDay ? start.getTime() : undefined;
}
