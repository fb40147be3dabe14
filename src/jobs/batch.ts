/** One batch of a job, in one short transaction: for whom it is done, what is done, and how far that is then. */
import { type Actor, commandLine } from '../auth/actor.ts';
import { LEASE } from '../db/lease.ts';
import type { Trx, User } from '../db/schema.ts';
import { ForbiddenError } from '../errors.ts';
import { ACTORS } from '../history/kinds.ts';
import { findChangeSet } from '../history/queries.ts';
import { countInSet } from '../history/record.ts';
import type { Clock, Stopwatch } from '../lib/clock.ts';
import { Deadline } from '../lib/deadline.ts';
import { findUser, lockUsers } from '../users/queries.ts';
import { findActorOfBatch, lockBesideActor } from './job-actor.ts';
import { type Job, lockJob, saveJob, stopJob } from './queries.ts';

/** What a batch has done: to how many, and whom it has left out, with why. `cursor`: where the next one begins. */
export type Batch = { cursor: number; seen: number; users: number; left: readonly number[]; isLast: boolean };

export type Turn = {
  /** To be called once, before anybody is changed or created: it keeps whoever acts what they are. */
  lock: (ids: readonly number[]) => Promise<User[]>;
  /** Of users; fewer where the deadline comes first. */
  limit: number;
  deadline: Deadline;
  now: number;
  /** Why the next user cannot be done, who is not tried again. */
  refusal: Error | undefined;
};

/** So many users by one statement, before the deadline is looked at. */
export const DONE_TOGETHER = 250;

export type Leased = { id: number; owner: string };

export type Size = Pick<Turn, 'limit' | 'refusal'>;

export type Work = (trx: Trx, actor: Actor, job: Job, turn: Turn) => Promise<Batch>;

export type Kind = {
  via: Actor['via'];
  work: Work;
  /** Whatever whoever it is done for may by now. */
  isAlways?: boolean;
  /** Ends it where it would be stopped, and wait until somebody has it go on. */
  giveUp?: (trx: Trx, job: Job, now: number, error: unknown) => Promise<void>;
};

export type Kinds = Readonly<Record<string, Kind>>;

export const MOST_NOTES = 100;

type Named = Exclude<Actor['user'], undefined>;

export type BatchRunner = {
  kinds: Kinds;
  clock: Clock;
  stopwatch: Stopwatch;
  note: (job: number, by: Named | undefined, ...done: Parameters<Actor['note']>) => void;
};

/** @param longest in milliseconds @returns whether there is more to do */
export async function runBatch(
  trx: Trx,
  runner: BatchRunner,
  { id, owner }: Leased,
  { longest, ...size }: Size & { longest: number },
): Promise<boolean> {
  const job = await lockJob(trx, id, owner);
  if (job === undefined) return false;
  const kind = runner.kinds[job.kind];
  const actor = kind && (await actorOf(trx, runner, job, kind));
  if (kind === undefined || actor === undefined) {
    if (kind?.giveUp)
      await kind.giveUp(trx, job, runner.clock(), new ForbiddenError('those who may sign in'));
    else await stopJob(trx, job, { failures: 0 });
    return false;
  }
  const deadline = Deadline.in(longest, runner.stopwatch);
  // Whoever has begun it may have had a clock that is ahead: what is done for them does not come before that.
  const now = Math.max(runner.clock(), actor.changeSet?.at ?? 0);
  let isLocked = false;
  const lock = async (ids: readonly number[]) => {
    isLocked = true;
    return kind.isAlways ? lockUsers(trx, ids) : lockBesideActor(trx, actor, ids);
  };
  const turn = { ...size, deadline, now, lock };
  const { cursor, seen, users, left, isLast } = await kind.work(trx, actor, job, turn);
  if (users > 0 && !isLocked) throw new Error('Nothing has kept whoever acts what they are.');
  await countInSet(trx, job.set_id, users);
  const notes = [...(JSON.parse(job.notes) as number[]), ...left].slice(0, MOST_NOTES);
  await saveJob(trx, id, {
    cursor,
    done: job.done + seen - left.length,
    left_out: job.left_out + left.length,
    notes: JSON.stringify(notes),
    state: isLast ? 'done' : 'running',
    leased_until: runner.clock() + LEASE,
    failures: 0,
  });
  return !isLast;
}

async function actorOf(
  trx: Trx,
  { note }: BatchRunner,
  { id, actor_id, set_id }: Job,
  { via, isAlways = false }: Kind,
): Promise<Actor | undefined> {
  const changeSet = await findChangeSet(trx, set_id);
  if (changeSet === undefined) return undefined;
  if (actor_id === null && changeSet.actor_kind === ACTORS['command line'])
    return { ...commandLine, changeSet };
  const acting = isAlways
    ? { user: actor_id === null ? undefined : await findUser(trx, actor_id), role: 'admin' as const }
    : await findActorOfBatch(trx, actor_id);
  if (acting === undefined) return undefined;
  const { user } = acting;
  return {
    ...acting,
    via,
    address: undefined,
    changeSet,
    note: (...done) => note(id, user && { id: user.id, username: user.username }, ...done),
  };
}
