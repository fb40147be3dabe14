/** To whom something would be done, as the page shows it before it is: how many, some of them, and who stays as they are, and why. */
import { readRevision } from '../db/revision.ts';
import type { User } from '../db/schema.ts';
import { noneIfTooBroad } from '../errors.ts';
import { Deadline } from '../lib/deadline.ts';
import type { Tally } from '../users/list/matching.ts';
import { findTicked, type Selection } from '../users/list/selection.ts';
import type { ListState } from '../users/list/state.ts';
import { walk } from '../users/list/walk.ts';
import { type Act, type Why, whyLeft } from './acts.ts';
import { type Asking, findCandidates, findOwn, type Matching, match, tally } from './candidates.ts';
import type { Target } from './commands.ts';
import { type HistorySnapshot, readHistorySnapshot } from './history-snapshot.ts';

const MOST_SHOWN = 10;
const PATIENCE_FOR_ORDER_MS = 1_000;

/** What was there when it was shown: each of those who were ticked, of all who match what tells that they are the same. */
export type Seen = { kind: 'ticked'; targets: readonly Target[] } | SeenAll;
export type SeenAll = {
  kind: 'all';
  total: number;
  tallies: readonly Tally[];
  revision: number;
  snapshot: HistorySnapshot;
};

type LeftOut = { why: Why; count: number; users: readonly User[] };

export type Plan = { act: Act; total: number; users: readonly User[]; left: readonly LeftOut[]; seen: Seen };

/** @throws TooBroadError */
export async function planBulk(asking: Asking, act: Act, { list, ticked }: Selection): Promise<Plan> {
  return ticked ? planTicked(asking, act, { list, ticked }) : planAll(asking, act, list);
}

async function planTicked(
  { db, actor }: Asking,
  act: Act,
  { list, ticked }: { list: ListState; ticked: readonly number[] },
): Promise<Plan> {
  const users = await findTicked(db, ticked, list.sort);
  const byWhy = Map.groupBy(users, (user) => whyLeft(actor, user, act));
  const left: LeftOut[] = [...byWhy].flatMap(([why, some]) =>
    why ? { why, count: some.length, users: some } : [],
  );
  const gone = ticked.length - users.length;
  if (gone > 0) left.push({ why: 'gone', count: gone, users: [] });
  const chosen = byWhy.get(undefined) ?? [];
  const targets = chosen.map(({ id, version }) => ({ id, version }));
  return {
    act,
    total: chosen.length,
    users: chosen.slice(0, MOST_SHOWN),
    left,
    seen: { kind: 'ticked', targets },
  };
}

/** What was first there is read last: whatever is changed between is then seen to have been. */
async function planAll(asking: Asking, act: Act, list: ListState): Promise<Plan> {
  const revision = await readRevision(asking.db);
  const snapshot = await readHistorySnapshot(asking.db);
  const matching = await match(asking, list);
  const tallies = await tally(asking, matching);
  const { total, left } = await judge(asking, act, matching, tallies);
  const users = await findFirst(asking, act, matching, Math.min(total, MOST_SHOWN));
  const seen: SeenAll = { kind: 'all', total, tallies, revision, snapshot };
  return { act, total, users, left, seen };
}

/** Of the list, in its order; where that would take long, by number. @throws TooBroadError */
export async function findFirst(
  asking: Asking,
  act: Act,
  matching: Matching,
  count: number,
): Promise<User[]> {
  const { db, actor, stopwatch, gone } = asking;
  const { list, result } = matching;
  if (count === 0) return [];
  if (result === undefined) return findCandidates(asking, act, matching, count);
  const deadline = Deadline.in(PATIENCE_FOR_ORDER_MS, stopwatch, gone);
  const first: User[] = [];
  try {
    for await (const users of walk(db, list, { ...result, deadline })) {
      first.push(...users.filter((user) => whyLeft(actor, user, act) === undefined));
      if (first.length >= count) return first.slice(0, count);
      if (deadline.isPast) break;
    }
  } catch (error) {
    noneIfTooBroad(error);
  }
  return findCandidates(asking, act, matching, count);
}

export async function judge(
  asking: Asking,
  act: Act,
  matching: Matching,
  tallies: readonly Tally[],
): Promise<Pick<Plan, 'total' | 'left'>> {
  const { actor } = asking;
  const own = await findOwn(asking, matching);
  const isLeft = own !== undefined && whyLeft(actor, own, act) === 'yourself';
  const others = isLeft ? tallies.map((tally) => without(tally, own)) : tallies;
  const counts = new Map<Why | undefined, number>();
  for (const tally of others) {
    const why = whyLeft(actor, { id: 0, ...tally }, act);
    counts.set(why, (counts.get(why) ?? 0) + tally.count);
  }
  const left: LeftOut[] = [...counts].flatMap(([why, count]) =>
    why && count > 0 ? { why, count, users: [] } : [],
  );
  if (isLeft) left.push({ why: 'yourself', count: 1, users: [own] });
  return { total: counts.get(undefined) ?? 0, left };
}

function without(tally: Tally, { role, is_active }: User): Tally {
  return tally.role === role && tally.is_active === is_active ? { ...tally, count: tally.count - 1 } : tally;
}
