/** Days as people type them, in UTC: `2026-01-31`. */
import { foldDigits } from './text.ts';

export function isoDate(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

/** @returns when it begins, in milliseconds since 1970. */
export function parseDay(typed: string): number | undefined {
  // Keyboards for full-width digits have a dash as wide.
  const day = foldDigits(typed).replaceAll('－', '-');
  const start = new Date(`${day}T00:00:00Z`);
  const isDay = start.getUTCFullYear() >= 1 && isoDate(start.getTime()) === day;
  return isDay ? start.getTime() : undefined;
}

export function readDay(typed: string): string | undefined {
  const start = parseDay(typed);
  return start === undefined ? undefined : isoDate(start);
}
