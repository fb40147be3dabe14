/** What had been done when somebody looked, so that it is told later what was done since. */
import { engineOf } from '../db/engine.ts';
import type { Db } from '../db/schema.ts';
import { unindexed } from '../db/unindexed.ts';
import { isOfImport } from '../imports/apply.ts';
import { findUnfinishedJobs } from '../jobs/queries.ts';

type Gap = readonly [first: number, last: number];

/** `growing`: sets that may change more users than they had by then, those after a number. `gaps`: numbers that no set had. */
export type HistorySnapshot = {
  set: number;
  growing: readonly (readonly [set: number, afterUser: number])[];
  /** Not of what an earlier Roster has begun. */
  gaps?: readonly Gap[];
};

/** In numbers: further back nobody is still writing one, though a batch that gives roles takes thousands. */
const LOOKED_BACK = 10_000;
/** Most are of what was refused, and stay. */
const MOST_GAPS = 100;

/** To be read before what is looked at: what is done between counts as done since. */
export async function readHistorySnapshot(db: Db): Promise<HistorySnapshot> {
  const set = await engineOf(db).readLastId(db, 'change_sets');
  const gaps = await findGaps(db, set);
  // Last: of a job that begins meanwhile the set is either a later one, or among these.
  const jobs = await findUnfinishedJobs(db);
  const growing = jobs.map((job) => [job.set_id, isOfImport(job) ? 0 : job.cursor] as const);
  return { set, growing, gaps };
}

/** Among the last numbers up to one: a set of these may still be written when later ones are there. */
export async function findGaps(db: Db, last: number): Promise<Gap[]> {
  const before = Math.max(last - LOOKED_BACK, 0);
  const sets = db.selectFrom('change_sets').select('id').where('id', '>', before);
  const there = await sets.where('id', '<=', last).orderBy('id').execute();
  const ids = [before, ...there.map(({ id }) => id), last + 1];
  const pairs = ids.slice(1).map((id, index) => [(ids[index] ?? 0) + 1, id - 1] as const);
  return pairs.filter(([first, last]) => first <= last).slice(-MOST_GAPS);
}

/** Of some users, the first version that others made after a moment, `except` for a set that came of it. */
export async function findFirstSince(
  db: Db,
  users: readonly number[],
  { set, growing, gaps = [] }: HistorySnapshot,
  except: number,
): Promise<ReadonlyMap<number, number>> {
  if (users.length === 0) return new Map();
  const began = new Map(growing);
  const changes = await db
    .selectFrom('changes')
    .select(['user_id', 'version', 'set_id'])
    .where('user_id', 'in', users)
    .where(({ eb, or }) => {
      const isSince = [
        eb(unindexed('set_id'), '>', set),
        ...gaps.map(([first, last]) => eb.between(unindexed('set_id'), first, last)),
      ];
      return or(began.size === 0 ? isSince : [...isSince, eb(unindexed('set_id'), 'in', [...began.keys()])]);
    })
    .where(unindexed('set_id'), '!=', except)
    .execute();
  const since = changes.filter(({ user_id, set_id }) => user_id > (began.get(set_id) ?? 0));
  since.sort((one, other) => other.version - one.version);
  return new Map(since.map(({ user_id, version }) => [user_id, version]));
}
