/** Whether all is well, in a line: what whoever runs Roster is to look at first, or nothing. */
import { concernsOf } from './concerns.ts';
import { ageOf } from './duration.ts';
import type { Run } from './queries.ts';
import type { Status } from './status.ts';

type Facts = Pick<Status, 'backup' | 'check' | 'since'>;

export function verdictOf(status: Facts, now: number): { isWell: boolean; said: string } {
  const { backup, check, since } = status;
  const facts = { finding: check.finding, backups: backup, isSet: backup.folder !== undefined, since };
  const [worst] = concernsOf(facts, now);
  return worst === undefined
    ? { isWell: true, said: wellOf(status, now) }
    : { isWell: false, said: `Look first at ${worst.first}.` };
}

function wellOf({ backup: { good, folder }, check: { last } }: Facts, now: number): string {
  const checks = last === undefined ? 'no check was made yet' : checked(last);
  if (good) return `All is well: the last backup is ${ageOf(good.begun_at, now)}, ${checks}.`;
  return folder === undefined
    ? `Nothing is known to be wrong; but Roster has made no backup of its own, and ${checks}.`
    : `All is well: the first backup is made within ten minutes, ${checks}.`;
}

function checked({ outcome, is_quick }: Run): string {
  if (outcome !== 'good') return 'the last check did not come to its end';
  return is_quick ? 'the last check, a quick one, found nothing' : 'the last check found nothing';
}
