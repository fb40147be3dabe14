/** Whether it is time for the next backup. */
import { dirname } from 'node:path';
import { HOUR, isWithin } from '../lib/clock.ts';
import type { Run } from './queries.ts';

/** After one that has failed, or was killed and nobody said so; of several Rosters the others wait so long for one that makes it. */
const AGAIN_AFTER = HOUR;

/** @param runs the last first. @param folder of those that count. @param every in milliseconds */
export function isBackupDue(runs: readonly Run[], folder: string, every: number, now: number): boolean {
  const [last] = runs;
  const good = runs.find(
    ({ outcome, file }) => outcome === 'good' && file !== null && dirname(file) === folder,
  );
  if (good && isWithin(good.begun_at, every, now)) return false;
  return !last || last.outcome === 'good' || !isWithin(last.begun_at, AGAIN_AFTER, now);
}
