/** Whether those who were shown are still those to whom it would be done. */
import { readRevision } from '../db/revision.ts';
import type { Db, Trx } from '../db/schema.ts';
import { absenceIn } from '../imports/absent-queries.ts';
import { findImport, lockImport } from '../imports/queries.ts';
import { MOST_WITHOUT_JOB } from '../jobs/run.ts';
import { isFleeting } from '../users/list/filter.ts';
import type { Selection } from '../users/list/selection.ts';
import type { ListState } from '../users/list/state.ts';
import type { Act } from './acts.ts';
import { type Asking, findCandidates, type Matching, match, tally } from './candidates.ts';
import type { Target } from './commands.ts';
import { type Drift, findDrift, findTickedDrift } from './drift.ts';
import type { HistorySnapshot } from './history-snapshot.ts';
import { judge, type Seen, type SeenAll } from './plan.ts';

export type Confirmed =
  | { kind: 'drifted'; drift: Drift }
  | { kind: 'few'; targets: readonly Target[] }
  /** `absence`: by which it is known who is not in a file. */
  | { kind: 'many'; total: number; since: HistorySnapshot; absence: number | undefined };

export async function confirm(asking: Asking, act: Act, { list }: Selection, seen: Seen): Promise<Confirmed> {
  return seen.kind === 'all' ? confirmAll(asking, act, list, seen) : confirmTicked(asking, seen.targets);
}

async function confirmTicked({ db }: Asking, targets: readonly Target[]): Promise<Confirmed> {
  const drift = await findTickedDrift(db, targets);
  if (drift.went.count === 0 && drift.changed.count === 0) return { kind: 'few', targets };
  return { kind: 'drifted', drift };
}

async function confirmAll(asking: Asking, act: Act, list: ListState, seen: SeenAll): Promise<Confirmed> {
  const absence = await absenceOf(asking.db, list);
  const matching = await match(asking, list);
  // Before it is looked whether they are the same: whoever is changed after that has another version.
  const targets = await findCandidates(asking, act, matching, MOST_WITHOUT_JOB + 1);
  if (!(await areSame(asking, matching, seen)))
    // They were shown before a role was chosen, which some of them may have.
    return { kind: 'drifted', drift: await findDrift(asking, { do: act.do }, list, seen) };
  if (targets.length <= MOST_WITHOUT_JOB) return { kind: 'few', targets };
  const { total } = await judge(asking, act, matching, seen.tallies);
  return { kind: 'many', total, since: seen.snapshot, absence };
}

/** Whoever has the file read differently waits until the end of the transaction, or is seen here: then others may be absent. */
export async function areSameAbsent(
  trx: Trx,
  list: ListState,
  absence: number | undefined,
): Promise<boolean> {
  if (list.absentFrom === undefined) return true;
  await lockImport(trx, list.absentFrom);
  return absence !== undefined && (await absenceOf(trx, list)) === absence;
}

async function absenceOf(db: Db, { absentFrom }: ListState): Promise<number | undefined> {
  return absentFrom === undefined ? undefined : absenceIn(await findImport(db, absentFrom));
}

async function areSame(asking: Asking, matching: Matching, seen: SeenAll): Promise<boolean> {
  if (!isFleeting(matching.list) && (await readRevision(asking.db)) === seen.revision) return true;
  return JSON.stringify(await tally(asking, matching)) === JSON.stringify(seen.tallies);
}
