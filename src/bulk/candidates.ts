/** All who match a list, of whom something is to be done: found in time, or not at all. */
import type { Actor } from '../auth/actor.ts';
import { engineOf } from '../db/engine.ts';
import type { Db, User } from '../db/schema.ts';
import type { Condition } from '../db/search-index.ts';
import { usersByIds } from '../db/users-by-ids.ts';
import { noneIfTooBroad, TooBroadError } from '../errors.ts';
import type { Stopwatch } from '../lib/clock.ts';
import { Deadline } from '../lib/deadline.ts';
import { type FilterResult, resolveFilter } from '../users/list/filter-result.ts';
import {
  type Candidate,
  conditionOf,
  findAmong,
  findMatching,
  type Tally,
  tallyMatching,
} from '../users/list/matching.ts';
import type { ListState } from '../users/list/state.ts';
import { type Act, whyLeft } from './acts.ts';

/** In batches, between which others have their turn: on a busy machine a million take some 4 s. */
const PATIENCE_MS = 30_000;
const PATIENCE_FOR_INDEX_MS = 2_500;
const STEP_MS = 10;

/** `gone`: aborted once nobody waits to be shown it. */
export type Asking = { db: Db; actor: Actor; stopwatch: Stopwatch; gone?: AbortSignal };

/** `result`: undefined where an index does not tell soon who they are. */
export type Matching = {
  list: ListState;
  condition: Condition;
  result: FilterResult | undefined;
};

export async function match({ db, stopwatch, gone }: Asking, list: ListState): Promise<Matching> {
  const deadline = Deadline.in(PATIENCE_FOR_INDEX_MS, stopwatch, gone);
  const result = await resolveFilter(db, list, { deadline }).catch(noneIfTooBroad);
  return { list, condition: await conditionOf(db, list), result };
}

/** @throws TooBroadError */
export function tally({ db, stopwatch, gone }: Asking, { condition, result }: Matching): Promise<Tally[]> {
  return tallyMatching(db, condition, result?.ids, Deadline.in(PATIENCE_MS, stopwatch, gone));
}

export async function findOwn({ db, actor }: Asking, { condition }: Matching): Promise<User | undefined> {
  if (actor.user === undefined) return undefined;
  return usersByIds(db, [actor.user.id]).where(condition).selectAll('users').executeTakeFirst();
}

/** The first of them to whom it can be done. @throws TooBroadError */
export async function findCandidates(
  asking: Asking,
  act: Act,
  { condition, result }: Matching,
  limit: number,
): Promise<User[]> {
  const { db, actor } = asking;
  const isWanted = (user: Candidate) => whyLeft(actor, user, act) === undefined;
  const ids = result?.ids
    ? await findAmong(db, condition, result.ids, { limit, isWanted })
    : await goThrough(asking, condition, isWanted, limit);
  return usersByIds(db, ids).selectAll('users').orderBy('users.id').execute();
}

async function goThrough(
  { db, stopwatch, gone }: Asking,
  condition: Condition,
  isWanted: (user: Candidate) => boolean,
  limit: number,
): Promise<number[]> {
  const ids: number[] = [];
  const { runBatch, readLastId } = engineOf(db);
  const bounds = { after: 0, last: await readLastId(db) };
  const end = Deadline.in(PATIENCE_MS, stopwatch, gone);
  for (let isLast = false; !isLast && ids.length < limit; ) {
    if (end.isPast) throw new TooBroadError('Too many had to be looked through.');
    const found = await runBatch(() => {
      const deadline = Deadline.in(STEP_MS, stopwatch);
      return findMatching(db, condition, bounds, { limit: limit - ids.length, deadline, isWanted });
    });
    ids.push(...found.ids);
    bounds.after = found.cursor;
    isLast = found.isLast;
  }
  return ids;
}
