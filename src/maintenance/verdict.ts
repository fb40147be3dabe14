/** Whether all is well, in a line: what whoever runs Roster is to look at first, or nothing. */
import { DAY } from '../lib/clock.ts';
import { durationOf } from './duration.ts';
import type { Status } from './status.ts';

/** So old the last good backup is late. */
export const LATE_AFTER = 2 * DAY;

type Known = Pick<Status, 'backup' | 'check' | 'since'>;

export function verdictOf(status: Known, now: number): { isWell: boolean; said: string } {
  const worst = worstOf(status, now);
  return worst === undefined
    ? { isWell: true, said: wellOf(status, now) }
    : { isWell: false, said: `Look first at ${worst}.` };
}

/** Nothing of backups for whoever keeps the database in another way. */
function worstOf({ backup, check, since }: Known, now: number): string | undefined {
  const { good, bad, folder } = backup;
  if (check?.outcome === 'bad') return 'the last check: it has found something';
  if (bad) return `the backups: the last one failed${good ? '' : ', and there is no good one'}`;
  if (good && now - good.begun_at > LATE_AFTER)
    return `the backups: the last good one is ${durationOf(now - good.begun_at)} old`;
  return !good && folder !== undefined && now - since > LATE_AFTER
    ? 'the backups: there is no good one'
    : undefined;
}

function wellOf({ backup: { good, folder }, check }: Known, now: number): string {
  const checks = check?.outcome === 'good' ? 'the last check found nothing' : 'no check was made yet';
  if (good) return `All is well: the last backup is ${durationOf(now - good.begun_at)} old, ${checks}.`;
  return folder === undefined
    ? `Nothing is known to be wrong; but Roster has made no backup of its own, and ${checks}.`
    : `All is well: the first backup is made within ten minutes, ${checks}.`;
}
