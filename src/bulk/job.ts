/** One thing done to very many users, batch by batch, each found by the filter that was confirmed. */
import type { Actor } from '../auth/actor.ts';
import { engineOf } from '../db/engine.ts';
import type { Db, Trx, User } from '../db/schema.ts';
import { usersByIds } from '../db/users-by-ids.ts';
import { beginSet } from '../history/record.ts';
import { valuesBeforeVersion } from '../history/state-at.ts';
import { DONE_TOGETHER, type Work } from '../jobs/batch.ts';
import { FORGOTTEN, findUnfinishedJobs, insertJob, type Job, noteBegun, saveJob } from '../jobs/queries.ts';
import { chunksOf } from '../lib/chunks.ts';
import { listQuery, parseFrom } from '../users/list/address.ts';
import type { Filter } from '../users/list/filter.ts';
import { type Candidate, conditionOf, findMatching } from '../users/list/matching.ts';
import type { ListState } from '../users/list/state.ts';
import { wouldMatch } from '../users/list/would-match.ts';
import { ACTS, type Act, type By, whyLeft } from './acts.ts';
import { doToMany } from './commands.ts';
import { findFirstSince, type HistorySnapshot } from './history-snapshot.ts';

/** `by`: who has confirmed it; `from`: the list as its address has it, as of `at`; `last`: the last user there was. */
type Params = { by: By; act: Act; from: string; at: number; last: number; since: HistorySnapshot };

/** `total`: how many they were when it was confirmed; `since`: what had been done when they were shown. */
export type Many = { list: ListState; total: number; since: HistorySnapshot };

export async function beginBulk(
  trx: Trx,
  actor: Actor,
  act: Act,
  { list, total, since }: Many,
  now: number,
): Promise<number> {
  const set = await beginSet(trx, { ...actor, via: 'bulk' }, { at: now, kind: ACTS[act.do].kind });
  const last = await engineOf(trx).readLastId(trx);
  const by = { role: actor.role, user: actor.user && { id: actor.user.id } };
  const params: Params = { by, act, from: listQuery(list), at: now, last, since };
  const actor_id = actor.user?.id ?? null;
  const job = { kind: 'bulk', set_id: set, actor_id, params: JSON.stringify(params), total };
  noteBegun(trx, actor, await insertJob(trx, job));
  return set;
}

/** What is to be done to all who are not in the file of an import: until its end these stay the same. */
export async function findBulkOfAbsent(db: Db, importId: number): Promise<Job | undefined> {
  const jobs = (await findUnfinishedJobs(db)).filter(({ kind }) => kind === 'bulk');
  return jobs.find((job) => absentIn(job) === importId);
}

function absentIn({ params }: Pick<Job, 'params'>): number | undefined {
  const { from, at = 0 } = JSON.parse(params) as Partial<Params>;
  return from === undefined ? undefined : parseFrom({ from }, at).absentFrom;
}

/** Leaves whom somebody else has changed since it was confirmed; who does not match any more is not among them. */
export const bulkBatch: Work = async (trx, actor, job, { lock, limit, deadline, now }) => {
  const { by, act, from, at, last, since } = JSON.parse(job.params) as Params;
  const list = parseFrom({ from }, at);
  const condition = await conditionOf(trx, list);
  // Somebody else may have it go on: those whom it was not confirmed for stay as they are.
  const isWanted = (user: Candidate) => [by, actor].every((one) => whyLeft(one, user, act) === undefined);
  const bounds = { after: job.cursor, last };
  const found = await findMatching(trx, condition, bounds, { limit, deadline, isWanted });
  await lock(found.ids);
  // As they are once nobody else can change them.
  const users = await usersByIds(trx, found.ids)
    .where(condition)
    .selectAll('users')
    .orderBy('users.id')
    .execute();
  // Nobody here was changed by this job, which goes on after the last one.
  const changed = await findFirstSince(trx, found.ids, since);
  const batch = { cursor: found.cursor, seen: 0, users: 0, left: [] as number[], isLast: found.isLast };
  let previous = job.cursor;
  for (const some of chunksOf(users.filter(isWanted), DONE_TOGETHER)) {
    if (batch.seen > 0 && deadline.isPast) return { ...batch, cursor: previous, isLast: false };
    previous = some.at(-1)?.id ?? previous;
    const asShown = some.filter(({ id }) => !changed.has(id));
    const left = (await doToMany(trx, actor, act, asShown, now)).map(([id]) => id);
    batch.users += asShown.length - left.length;
    for (const user of some) {
      const first = changed.get(user.id);
      if (first !== undefined && (await wasAmong(trx, list, user, first, isWanted))) left.push(user.id);
    }
    batch.left.push(...left.sort((one, other) => one - other));
    batch.seen = batch.users + batch.left.length;
  }
  // What was searched for is kept no longer than it is needed.
  if (batch.isLast) await saveJob(trx, job.id, { params: FORGOTTEN });
  return batch;
};

/** Whether they were among those who were confirmed, and not made so by what has changed them since. */
async function wasAmong(
  trx: Trx,
  filter: Filter,
  user: User,
  version: number,
  isWanted: (user: User) => boolean,
) {
  const before = await valuesBeforeVersion(trx, user, version);
  const matched = await wouldMatch(trx, filter, [user.id]);
  return before !== undefined && matched(user.id, before) && isWanted({ ...user, ...before });
}
