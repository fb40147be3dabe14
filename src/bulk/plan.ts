/** To whom something would be done, as the page shows it before it is: how many, some of them, and who stays as they are, and why. */
import type { Actor } from '../auth/actor.ts';
import { engineOf } from '../db/engine.ts';
import { readRevision } from '../db/revision.ts';
import type { Db, User } from '../db/schema.ts';
import { usersByIds } from '../db/users-by-ids.ts';
import type { Moment } from '../history/queries.ts';
import { Deadline, type Stopwatch } from '../lib/deadline.ts';
import { conditionOf, findMatching, type Tally, tallyMatching } from '../users/list/matching.ts';
import { type Selection, selectedUsers } from '../users/list/selection.ts';
import type { ListState } from '../users/list/state.ts';
import { type Act, type Why, whyLeft } from './acts.ts';
import type { Target } from './commands.ts';
import { readMoment } from './moment.ts';

export const MOST_SHOWN = 10;
const PATIENCE_MS = 5_000;
const STEP_MS = 10;

/** What was there when it was shown: of those who were ticked each, of all who match what tells that they are the same. */
export type Seen = { kind: 'ticked'; targets: readonly Target[] } | SeenAll;
export type SeenAll = { kind: 'all'; tallies: readonly Tally[]; revision: number; moment: Moment };

type LeftOut = { why: Why; count: number; users: readonly User[] };

export type Plan = { act: Act; total: number; users: readonly User[]; left: readonly LeftOut[]; seen: Seen };

export type Asking = { db: Db; actor: Actor; stopwatch: Stopwatch };

/** @throws TooBroadError */
export async function planBulk(asking: Asking, act: Act, { list, ticked }: Selection): Promise<Plan> {
  return ticked
    ? planTicked(asking, act, { list, ticked })
    : planAll(asking, act, list, await readSeen(asking, list));
}

async function planTicked(
  { db, actor }: Asking,
  act: Act,
  { list, ticked }: { list: ListState; ticked: readonly number[] },
): Promise<Plan> {
  const users: User[] = [];
  for await (const batch of selectedUsers(db, { list, ticked })) users.push(...batch);
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

export async function planAll(asking: Asking, act: Act, list: ListState, seen: SeenAll): Promise<Plan> {
  const { total, left } = await judge(asking, act, list, seen.tallies);
  const users = await findUsers(asking, act, list, Math.min(total, MOST_SHOWN));
  return { act, total, users, left, seen };
}

/** How many it can be done to, and who is left. */
export async function judge(
  asking: Asking,
  act: Act,
  list: ListState,
  tallies: readonly Tally[],
): Promise<Pick<Plan, 'total' | 'left'>> {
  const { actor } = asking;
  const own = await findOwn(asking, list);
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

/** What was first there is read last: whatever is changed between is then seen to have been. */
export async function readSeen({ db, stopwatch }: Asking, list: ListState): Promise<SeenAll> {
  const revision = await readRevision(db);
  const moment = await readMoment(db);
  const tallies = await tallyMatching(db, list, Deadline.in(PATIENCE_MS, stopwatch));
  return { kind: 'all', tallies, revision, moment };
}

async function findOwn({ db, actor }: Asking, list: ListState): Promise<User | undefined> {
  if (actor.user === undefined) return undefined;
  const condition = await conditionOf(db, list);
  return usersByIds(db, [actor.user.id]).where(condition).selectAll('users').executeTakeFirst();
}

/** The first of all who match and to whom it can be done. */
export async function findUsers(
  { db, actor, stopwatch }: Asking,
  act: Act,
  list: ListState,
  limit: number,
): Promise<User[]> {
  const condition = await conditionOf(db, list);
  const isWanted = (user: Pick<User, 'id' | 'is_active' | 'role'>) => whyLeft(actor, user, act) === undefined;
  const ids: number[] = [];
  const { runBatch, readLastId } = engineOf(db);
  const bounds = { after: 0, last: await readLastId(db) };
  for (let isLast = false; !isLast && ids.length < limit; ) {
    const found = await runBatch(() => {
      const deadline = Deadline.in(STEP_MS, stopwatch);
      return findMatching(db, condition, bounds, { limit: limit - ids.length, deadline, isWanted });
    });
    ids.push(...found.ids);
    bounds.after = found.cursor;
    isLast = found.isLast;
  }
  return usersByIds(db, ids).selectAll('users').orderBy('users.id').execute();
}
