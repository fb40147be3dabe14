/**
 * Work on many users, batch by batch: each is one short transaction, so that nobody waits for long, and says how far the job
 * has come. Whoever is killed has done whole batches; after the end of the lease another process, or the next start, goes on.
 * What fails is tried again after pauses that grow, and is then stopped, until somebody has it go on.
 */
import { randomUUID } from 'node:crypto';
import type { Actor } from '../auth/actor.ts';
import { hasAdministrator } from '../auth/administrators.ts';
import { maySignIn } from '../auth/policy.ts';
import { engineOf } from '../db/engine.ts';
import type { Db, Trx } from '../db/schema.ts';
import { transact } from '../db/transact.ts';
import { DamagedError, DatabaseFailure, LastAdministratorError, NotUniqueError } from '../errors.ts';
import { findChangeSet } from '../history/queries.ts';
import { countInSet } from '../history/record.ts';
import type { Clock } from '../lib/clock.ts';
import { Deadline, type Stopwatch } from '../lib/deadline.ts';
import { findUser } from '../users/queries.ts';
import { type Job, leaseJob, lockJob, saveJob } from './queries.ts';

/** What a batch has done: to how many, and whom it has left out, with why. `cursor`: where the next one begins. */
export type Batch = { cursor: number; seen: number; users: number; left: readonly number[]; isLast: boolean };

export type Turn = {
  /** Of users; fewer where the deadline comes first. */
  limit: number;
  deadline: Deadline;
  now: number;
  /** What cannot be done to the next user is not tried again. */
  isLeavingOut: boolean;
};

export type Work = (trx: Trx, actor: Actor, job: Job, turn: Turn) => Promise<Batch>;

/** `via`: how what it does came about, as the history says it. */
export type Kind = { via: Actor['via']; work: Work };

export type Kinds = Readonly<Record<string, Kind>>;

/** Of a process that has ended nobody hears: so long is waited. One that is only slow finds its job taken, and stops. */
export const LEASE = 15_000;
/** Others wait for the end of a batch, in which there are as many users as this allows. */
const BATCH_MS = 10;
const MOST = 100;
export const MOST_NOTES = 100;
const LONGEST_PAUSE = 10 * 60_000;
/** In a row: over some 4 minutes, and 2 hours where it may pass by itself, as a full disk does. */
const MOST_FAILURES = 5;
const MOST_FAILURES_THAT_PASS = 20;

type Named = Exclude<Actor['user'], undefined>;

/** `note` is told what was done for whom, `warn` each error that a job has met. */
type Runner = {
  db: Db;
  kinds: Kinds;
  clock: Clock;
  stopwatch: Stopwatch;
  note: (job: number, by: Named | undefined, ...done: Parameters<Actor['note']>) => void;
  warn: (job: number, error: unknown) => void;
};

/** Does all that is to be done, and nobody else is doing. @param isEnding asked between two batches */
export async function runJobs(runner: Runner, isEnding: () => boolean): Promise<void> {
  const owner = randomUUID();
  const kinds = Object.keys(runner.kinds);
  while (!isEnding()) {
    const now = runner.clock();
    const lease = { owner, now, until: now + LEASE, latest: now + LONGEST_PAUSE };
    const job = await transact(runner.db, (trx) => leaseJob(trx, kinds, lease));
    if (job === undefined) return;
    try {
      await runJob(runner, job.id, owner, isEnding);
    } catch (error) {
      runner.warn(job.id, error);
      // What cannot even be noted is tried again at the end of the lease.
      await transact(runner.db, (trx) => pauseJob(trx, runner, job.id, owner, error)).catch(() => {});
    }
  }
}

async function runJob(runner: Runner, id: number, owner: string, isEnding: () => boolean): Promise<void> {
  let size = { limit: MOST, isLeavingOut: false };
  let isRunning = true;
  while (isRunning && !isEnding()) {
    const began = runner.stopwatch();
    try {
      isRunning = await transact(runner.db, (trx) => runBatch(trx, runner, id, owner, size));
      size = { limit: limitAfter(size.limit, runner.stopwatch() - began), isLeavingOut: false };
    } catch (error) {
      const isRefused = error instanceof NotUniqueError || error instanceof LastAdministratorError;
      if (!isRefused) throw error;
      // What one user of a batch has made impossible for another is seen when they are done one by one.
      size = { limit: 1, isLeavingOut: size.limit === 1 };
    }
    await engineOf(runner.db).giveWay();
  }
  if (isEnding()) await transact(runner.db, (trx) => release(trx, id, owner));
}

async function pauseJob(
  trx: Trx,
  { clock }: Runner,
  id: number,
  owner: string,
  error: unknown,
): Promise<void> {
  const job = await lockJob(trx, id, owner);
  if (job === undefined) return;
  const failures = job.failures + 1;
  const passes = error instanceof DatabaseFailure && !(error instanceof DamagedError);
  const isOver = failures >= (passes ? MOST_FAILURES_THAT_PASS : MOST_FAILURES);
  const pause = Math.min(LEASE * 2 ** (failures - 1), LONGEST_PAUSE);
  const state = isOver ? 'stopped' : 'running';
  await saveJob(trx, id, { state, failures, lease_owner: null, leased_until: clock() + pause });
}

/** Not many more than before: a batch that was quick may have had nothing to do. */
function limitAfter(limit: number, milliseconds: number): number {
  const fitting = Math.floor((limit * BATCH_MS) / Math.max(milliseconds, 1));
  return Math.max(1, Math.min(fitting, 2 * limit, MOST));
}

/** @returns whether there is more to do. */
async function runBatch(
  trx: Trx,
  runner: Runner,
  id: number,
  owner: string,
  size: Pick<Turn, 'limit' | 'isLeavingOut'>,
): Promise<boolean> {
  const job = await lockJob(trx, id, owner);
  if (job === undefined) return false;
  const kind = runner.kinds[job.kind];
  const actor = kind && (await actorOf(trx, runner, job, kind));
  if (kind === undefined || actor === undefined) {
    await saveJob(trx, id, { state: 'stopped', failures: 0, lease_owner: null });
    return false;
  }
  const deadline = Deadline.in(BATCH_MS, runner.stopwatch);
  const turn = { ...size, deadline, now: runner.clock() };
  const { cursor, seen, users, left, isLast } = await kind.work(trx, actor, job, turn);
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

async function release(trx: Trx, id: number, owner: string): Promise<void> {
  if (await lockJob(trx, id, owner)) await saveJob(trx, id, { lease_owner: null, leased_until: 0 });
}

/** Undefined where whoever it is done for may not act any more. */
async function actorOf(
  trx: Trx,
  { note }: Runner,
  { id, actor_id, set_id }: Job,
  { via }: Kind,
): Promise<Actor | undefined> {
  const changeSet = await findChangeSet(trx, set_id);
  const user = actor_id === null ? undefined : await findUser(trx, actor_id);
  const mayAct = actor_id === null ? !(await hasAdministrator(trx)) : user !== undefined && maySignIn(user);
  if (changeSet === undefined || !mayAct) return undefined;
  return {
    user,
    role: user?.role ?? 'editor',
    via,
    address: undefined,
    changeSet,
    note: (...done) => note(id, user, ...done),
  };
}
