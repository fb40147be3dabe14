/** When it is time for the next backup. */
import { hostname, uptime } from 'node:os';
import { dirname } from 'node:path';
import { HOUR, isWithin } from '../lib/clock.ts';
import type { Run } from './queries.ts';

/** After one that has failed, or was killed and nobody said so; of several Rosters the others wait so long for one that makes it. */
const AGAIN_AFTER = HOUR;

/** `folder`: of those that count. `every`: in milliseconds. `since`: when this Roster was started. */
type Plan = { folder: string; every: number; since?: number };

/** @param runs the last first. @returns not after `now` where it is time */
export function nextBackupAt(
  runs: readonly Run[],
  { folder, every, since = performance.timeOrigin }: Plan,
  now: number,
): number {
  const good = runs.find((run) => run.outcome === 'good' && isInFolder(folder, run));
  if (good && isWithin(good.begun_at, every, now)) return good.begun_at + every;
  const [last] = runs;
  if (!last || last.outcome === 'good' || hasStopped(last, now)) return now;
  // What was in its way may be gone: that is why Roster was started again.
  const isOfBefore = last.outcome === 'bad' && last.begun_at < since;
  return isOfBefore || !isWithin(last.begun_at, AGAIN_AFTER, now) ? now : last.begun_at + AGAIN_AFTER;
}

export function isInFolder(folder: string, { file }: Pick<Run, 'file'>): boolean {
  return file !== null && dirname(file) === folder;
}

export function hasStopped({ ended_at, begun_at, host }: Run, now: number): boolean {
  if (ended_at !== null) return false;
  const isBeforeBoot = host === hostname() && begun_at < Date.now() - uptime() * 1_000;
  return isBeforeBoot || !isWithin(begun_at, AGAIN_AFTER, now);
}
