/** What had been done when somebody looked, so that it is told later what was done since. */
import { engineOf } from '../db/engine.ts';
import type { Db } from '../db/schema.ts';
import { unindexed } from '../db/unindexed.ts';
import { type ChangeOfSet, type ChangePlace, findChangesPast } from '../history/queries.ts';
import { isOfImport } from '../imports/apply.ts';
import { findUnfinishedJobs } from '../jobs/queries.ts';

/**
 * `growing`: sets that may change more users than they had by then, those after a number; `amid`: those among them of
 * which nobody knows whom they had changed by then.
 */
export type HistorySnapshot = {
  set: number;
  growing: readonly (readonly [set: number, afterUser: number])[];
  amid?: readonly number[];
};

/** Further back nobody is still writing one. */
const MOST_MISSING = 100;
const LAST = Number.MAX_SAFE_INTEGER;

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
  const amid = jobs.filter((job) => isOfImport(job) && job.cursor > 0).map(({ set_id }) => set_id);
  return { set, growing, amid };
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
  snapshot: HistorySnapshot,
  except: number,
): Promise<ReadonlyMap<number, number>> {
  const since = await findSince(db, users, snapshot, except);
  return new Map(since.toReversed().map(({ user_id, version }) => [user_id, version]));
}

/** All that was done to some users after a moment, of each the first version first. */
export async function findSince(
  db: Db,
  users: readonly number[],
  { set, growing }: HistorySnapshot,
  except = 0,
): Promise<ChangeOfSet[]> {
  if (users.length === 0) return [];
  const began = new Map(growing);
  const changes = await db
    .selectFrom('changes')
    .select(['user_id', 'version', 'set_id', 'fields'])
    .where('user_id', 'in', users)
    .where(({ eb, or }) => {
      const isLater = eb(unindexed('set_id'), '>', set);
      return began.size === 0 ? isLater : or([isLater, eb(unindexed('set_id'), 'in', [...began.keys()])]);
    })
    .where(unindexed('set_id'), '!=', except)
    .execute();
  const since = changes.filter(({ user_id, set_id }) => user_id > (began.get(set_id) ?? 0));
  return since.sort((one, other) => one.version - other.version);
}

/** All that was done after a moment, to whomever, batch by batch; without what nobody knows to be of before or of after it. */
export async function* changesSince(
  db: Db,
  { set, growing, amid = [] }: HistorySnapshot,
  limit: number,
): AsyncGenerator<ChangeOfSet[]> {
  const older = growing.filter(([own]) => own <= set && !amid.includes(own));
  for (const [own, user_id] of older.toSorted(([one], [other]) => one - other))
    yield* changesPast(db, { set_id: own, user_id, version: LAST }, limit, own);
  yield* changesPast(db, { set_id: set, user_id: LAST, version: LAST }, limit);
}

async function* changesPast(
  db: Db,
  start: ChangePlace,
  limit: number,
  set?: number,
): AsyncGenerator<ChangeOfSet[]> {
  for (let place: ChangePlace | undefined = start; place; ) {
    const past: ChangePlace = place;
    const changes = await engineOf(db).runBatch(() => findChangesPast(db, past, limit, set));
    if (changes.length > 0) yield changes;
    place = changes[limit - 1];
  }
}
