/** Whether those who were shown are still those to whom it would be done. */
import { readRevision } from '../db/revision.ts';
import type { Moment } from '../history/queries.ts';
import type { Selection } from '../users/list/selection.ts';
import { asksForSignIn } from '../users/list/sign-in-batches.ts';
import type { ListState } from '../users/list/state.ts';
import type { Act } from './acts.ts';
import { MOST_AT_ONCE } from './batches.ts';
import type { Target } from './commands.ts';
import { type Drift, findDrift, findTickedDrift } from './drift.ts';
import { type Asking, findUsers, planAll, readSeen, type Seen, type SeenAll } from './plan.ts';

export type Confirmed =
  | { kind: 'drifted'; drift: Drift }
  | { kind: 'few'; targets: readonly Target[] }
  /** `since`: what had been done when they were shown. */
  | { kind: 'many'; total: number; since: Moment };

export async function confirm(asking: Asking, act: Act, { list }: Selection, seen: Seen): Promise<Confirmed> {
  return seen.kind === 'all' ? confirmAll(asking, act, list, seen) : confirmTicked(asking, seen.targets);
}

async function confirmTicked({ db }: Asking, targets: readonly Target[]): Promise<Confirmed> {
  const names = await findTickedDrift(db, targets);
  const is = targets.length - names.went.length;
  if (is === targets.length && names.changed.length === 0) return { kind: 'few', targets };
  return { kind: 'drifted', drift: { was: targets.length, is, ...names } };
}

async function confirmAll(asking: Asking, act: Act, list: ListState, seen: SeenAll): Promise<Confirmed> {
  const { db } = asking;
  // Before it is looked whether they are the same: whoever is changed after that has another version.
  const users = await findUsers(asking, act, list, MOST_AT_ONCE + 1);
  // Who last signed in long ago changes at midnight, and by signing in, which move no revision.
  const isSame = !asksForSignIn(list) && (await readRevision(db)) === seen.revision;
  const now = isSame ? seen : await readSeen(asking, list);
  if (JSON.stringify(now.tallies) !== JSON.stringify(seen.tallies)) {
    const names = await findDrift(db, list, seen.moment.set);
    return { kind: 'drifted', drift: { was: countOf(seen), is: countOf(now), ...names } };
  }
  if (users.length <= MOST_AT_ONCE) return { kind: 'few', targets: users };
  const { total } = await planAll(asking, act, list, now);
  return { kind: 'many', total, since: seen.moment };
}

function countOf({ tallies }: SeenAll): number {
  return tallies.reduce((sum, { count }) => sum + count, 0);
}
