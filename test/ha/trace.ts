/** For what somebody waited who waited long: each answer that they were given, and what the Rosters have logged meanwhile. */
import { basename } from 'node:path';
import { readLines } from './logs.ts';
import type { Wish } from './people.ts';

type Event = { at: number; what: string };

/** @param logs paths of the Rosters' @returns lines, each with the seconds since it was wished */
export function traceOf({ from, to, tries }: Wish, logs: readonly string[]): string[] {
  const answers: Event[] = tries.map(({ at, took, status }) => ({
    at,
    what: `${status ?? 'no answer'} after ${inHundredths(took)}`,
  }));
  return [...answers, ...logs.flatMap(readEvents)]
    .filter(({ at }) => at >= from && at <= to)
    .sort((one, other) => one.at - other.at)
    .map(({ at, what }) => `  +${inHundredths(at - from)} ${what}`);
}

function readEvents(path: string): Event[] {
  return readLines(path).map(({ time, msg, err }) => ({
    at: time - performance.timeOrigin,
    what: [basename(path, '.log'), msg, err?.message ?? []].flat().join(': '),
  }));
}

function inHundredths(milliseconds: number): string {
  return `${(milliseconds / 1_000).toFixed(2)} s`;
}
