/** What whoever runs Roster is to look after, of backups and of the check: what is worst first. */
import { DAY, isWithin } from '../lib/clock.ts';
import { ageOf } from './duration.ts';
import type { Run } from './queries.ts';

const LATE_AFTER = 2 * DAY;

type Facts = {
  finding: Run | undefined;
  backups: { good: Run | undefined; bad: Run | undefined };
  isSet: boolean;
  /** When this Roster was started: it makes its first backup soon after. */
  since: number;
};

/** `first` ends "Look first at". `notice`: a sentence, where it cannot wait until somebody looks at the status. */
export type Concern = { first: string; notice: string | undefined };

export function concernsOf(facts: Facts, now: number): Concern[] {
  return [concernOfCheck(facts), concernOfBackups(facts, now)].filter((concern) => concern !== undefined);
}

function concernOfCheck({ finding }: Facts): Concern | undefined {
  return (
    finding && {
      first: 'the check of the database: it has found something',
      notice: 'A check of the database has found something.',
    }
  );
}

/** None for whoever keeps the database in another way. */
function concernOfBackups({ backups: { good, bad }, isSet, since }: Facts, now: number): Concern | undefined {
  const isLate = (good || isSet) && !isWithin(good?.begun_at ?? since, LATE_AFTER, now);
  if (!isLate && bad === undefined) return undefined;
  if (good === undefined)
    return {
      first: `the backups: ${bad ? 'the last one failed, and ' : ''}there is no good one`,
      notice: 'There is no good backup yet.',
    };
  const age = ageOf(good.begun_at, now);
  return {
    first: `the backups: ${bad ? 'the last one failed' : `the last good one is ${age}`}`,
    notice: isLate ? `The last good backup is ${age}.` : undefined,
  };
}
