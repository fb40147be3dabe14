/** What had been done when somebody looked, so that it is told later what was done since. */
import { engineOf } from '../db/engine.ts';
import type { Db } from '../db/schema.ts';
import { unindexed } from '../db/unindexed.ts';
import { type ChangeOfSet, type ChangePlace, findChangesPast } from '../history/queries.ts';
import { isOfImport } from '../imports/apply.ts';
import { findUnfinishedJobs } from '../jobs/queries.ts';

type Gap = readonly [first: number, last: number];

/**
 * `growing`: sets that may change more users than they had by then, those after a number; `amid`: those among them of
 * which nobody knows whom they had changed by then. `gaps`: numbers that no set had.
 */
export type HistorySnapshot = {
  set: number;
  growing: readonly (readonly [set: number, afterUser: number])[];
  /** These two are not of what an earlier Roster has begun. */
  amid?: readonly number[];
  gaps?: readonly Gap[];
};

/** In numbers: further back nobody is still writing one, though a batch that gives roles takes thousands. */
const LOOKED_BACK = 10_000;
/** Most are of what was refused, and stay. */
const MOST_GAPS = 100;
const LAST = Number.MAX_SAFE_INTEGER;

/** To be read before what is looked at: what is done between counts as done since. */
export async function readHistorySnapshot(db: Db): Promise<HistorySnapshot> {
  const set = await engineOf(db).readLastId(db, 'change_sets');
  const gaps = await findGaps(db, set);
  // Last: of a job that begins meanwhile the set is either a later one, or among these.
  const jobs = await findUnfinishedJobs(db);
  const growing = jobs.map((job) => [job.set_id, isOfImport(job) ? 0 : job.cursor] as const);
  const amid = jobs.filter((job) => isOfImport(job) && job.cursor > 0).map(({ set_id }) => set_id);
  return { set, growing, amid, gaps };
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

/** Of some users, the first version that others made after a moment. */
export async function findFirstSince(
  db: Db,
  users: readonly number[],
  snapshot: HistorySnapshot,
): Promise<ReadonlyMap<number, number>> {
  const since = await findSince(db, users, snapshot);
  return new Map(since.toReversed().map(({ user_id, version }) => [user_id, version]));
}

/** All that was done to some users after a moment, of each the first version first. */
export async function findSince(
  db: Db,
  users: readonly number[],
  { set, growing, gaps = [] }: HistorySnapshot,
): Promise<ChangeOfSet[]> {
  if (users.length === 0) return [];
  const began = new Map(growing);
  const changes = await db
    .selectFrom('changes')
    .select(['user_id', 'version', 'set_id', 'fields'])
    .where('user_id', 'in', users)
    .where(({ eb, or }) => {
      const isSince = [
        eb(unindexed('set_id'), '>', set),
        ...gaps.map(([first, last]) => eb.between(unindexed('set_id'), first, last)),
      ];
      return or(began.size === 0 ? isSince : [...isSince, eb(unindexed('set_id'), 'in', [...began.keys()])]);
    })
    .execute();
  const since = changes.filter(({ user_id, set_id }) => user_id > (began.get(set_id) ?? 0));
  return since.sort((one, other) => one.version - other.version);
}

/** All that was done after a moment, to whomever, batch by batch; without what nobody knows to be of before or of after it. */
export async function* changesSince(
  db: Db,
  { set, growing, amid = [], gaps = [] }: HistorySnapshot,
  limit: number,
): AsyncGenerator<ChangeOfSet[]> {
  const known = growing.filter(([own]) => own <= set && !amid.includes(own));
  const older = [
    ...known.map(([own, user_id]) => ({ set_id: own, user_id, version: LAST, last: own })),
    ...gaps.map(([first, last]) => ({ set_id: first, user_id: 0, version: 0, last })),
  ].toSorted((one, other) => one.set_id - other.set_id);
  for (const { last, ...place } of older) yield* changesPast(db, place, limit, last);
  yield* changesPast(db, { set_id: set, user_id: LAST, version: LAST }, limit);
}

async function* changesPast(
  db: Db,
  start: ChangePlace,
  limit: number,
  last?: number,
): AsyncGenerator<ChangeOfSet[]> {
  for (let place: ChangePlace | undefined = start; place; ) {
    const past: ChangePlace = place;
    const changes = await engineOf(db).runBatch(() => findChangesPast(db, past, limit, last));
    if (changes.length > 0) yield changes;
    place = changes[limit - 1];
  }
}
