/** What had been done when somebody looked, so that it is told later what was done since. */
import { engineOf } from '../db/engine.ts';
import type { Db } from '../db/schema.ts';
import { unindexed } from '../db/unindexed.ts';
import { isOfImport } from '../imports/apply.ts';
import { findUnfinishedJobs } from '../jobs/queries.ts';

/** `growing`: sets that may change more users than they had by then, those after a number. */
export type HistorySnapshot = {
  set: number;
  growing: readonly (readonly [set: number, afterUser: number])[];
};

/** Further back nobody is still writing one. */
const MOST_MISSING = 100;

/** To be read before what is looked at: what is done between counts as done since. */
export async function readHistorySnapshot(db: Db): Promise<HistorySnapshot> {
  const set = await engineOf(db).readLastId(db, 'change_sets');
  const missing = await findUnwrittenSets(db, set);
  // Last: of a job that begins meanwhile the set is either a later one, or among these.
  const jobs = await findUnfinishedJobs(db);
  const growing = [
    ...jobs.map((job) => [job.set_id, isOfImport(job) ? 0 : job.cursor] as const),
    ...missing.map((id) => [id, 0] as const),
  ];
  return { set, growing };
}

/** Of the numbers up to one, those last ones that no set has: it may still be written when later ones are there. */
export async function findUnwrittenSets(db: Db, last: number): Promise<number[]> {
  const numbers = Array.from({ length: Math.min(MOST_MISSING, last) }, (_, index) => last - index);
  const sets = db
    .selectFrom('change_sets')
    .select('id')
    .where('id', '>', last - MOST_MISSING);
  const there = await sets.where('id', '<=', last).execute();
  const ids = new Set(there.map(({ id }) => id));
  return numbers.filter((number) => !ids.has(number));
}

/** Of some users, the first version that others made after a moment, `except` for a set that came of it. */
export async function findFirstSince(
  db: Db,
  users: readonly number[],
  { set, growing }: HistorySnapshot,
  except: number,
): Promise<ReadonlyMap<number, number>> {
  if (users.length === 0) return new Map();
  const began = new Map(growing);
  const changes = await db
    .selectFrom('changes')
    .select(['user_id', 'version', 'set_id'])
    .where('user_id', 'in', users)
    .where(({ eb, or }) => {
      const isLater = eb(unindexed('set_id'), '>', set);
      return began.size === 0 ? isLater : or([isLater, eb(unindexed('set_id'), 'in', [...began.keys()])]);
    })
    .where(unindexed('set_id'), '!=', except)
    .execute();
  const since = changes.filter(({ user_id, set_id }) => user_id > (began.get(set_id) ?? 0));
  since.sort((one, other) => other.version - one.version);
  return new Map(since.map(({ user_id, version }) => [user_id, version]));
}
