/** Work on many users, batch by batch: each is one short transaction, after which another process can go on, and what fails is tried again. */
import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { type Actor, commandLine } from '../auth/actor.ts';
import { engineOf } from '../db/engine.ts';
import { LEASE } from '../db/lease.ts';
import type { Db, Trx, User } from '../db/schema.ts';
import { transact } from '../db/transact.ts';
import {
  DamagedError,
  DatabaseFailure,
  ForbiddenError,
  LastAdministratorError,
  NotFoundError,
  NotUniqueError,
} from '../errors.ts';
import { ACTORS } from '../history/kinds.ts';
import { findChangeSet } from '../history/queries.ts';
import { countInSet } from '../history/record.ts';
import type { Clock, Stopwatch } from '../lib/clock.ts';
import { Deadline } from '../lib/deadline.ts';
import type { Mutex } from '../lib/mutex.ts';
import { findUser, lockUsers } from '../users/queries.ts';
import {
  hasEndedEachTime,
  LONGEST_PAUSE,
  MOST_FAILURES_THAT_PASS,
  notedOf,
  pauseAfter,
  refuseEndedEachTime,
} from './failures.ts';
import { findActorOfBatch, lockBesideActor } from './job-actor.ts';
import { type Job, leaseJob, lockJob, saveJob, stopJob } from './queries.ts';

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

/** What is done to more users is a job, and not done while somebody waits. */
export const MOST_WITHOUT_JOB = 100;

/** So many users by one statement, before the deadline is looked at. */
export const DONE_TOGETHER = 250;

type Leased = { id: number; owner: string };

type Size = Pick<Turn, 'limit' | 'refusal'>;

export type Work = (trx: Trx, actor: Actor, job: Job, turn: Turn) => Promise<Batch>;

export type Kind = {
  via: Actor['via'];
  work: Work;
  /** Whatever whoever it is done for may by now. */
  isAlways?: boolean;
  /** Ends it where it would be stopped, and wait until somebody has it go on. */
  giveUp?: (trx: Trx, job: Job, now: number, error: unknown) => Promise<void>;
};

/** A batch takes as long, or does as many, and is not shrunk below `fewest` for being slow; then others have so long to begin. Times are in milliseconds. */
export type Pace = { batch: number; most: number; fewest: number; pause: number };

/** In a thread of their own pages do not wait for them; others who want to write look every millisecond whether they can. */
const PACE = { most: 2_000, pause: 15 };

export type Kinds = Readonly<Record<string, Kind>>;

const FIRST = 100;
export const MOST_NOTES = 100;
/** What is impossible for one user, and maybe because of another. */
const REFUSALS = [NotUniqueError, LastAdministratorError, ForbiddenError, NotFoundError];
/** In a row, over some 4 minutes: of what does not pass by itself. */
const MOST_FAILURES = 5;

/** Of this process, which goes on. */
const unnoted = new Map<number, string>();

type Named = Exclude<Actor['user'], undefined>;

/** `alone`: in the same thread nothing long is done amid a transaction, which would keep its locks meanwhile. */
export type JobRunner = {
  db: Db;
  alone: Mutex;
  kinds: Kinds;
  pace?: Pace;
  clock: Clock;
  stopwatch: Stopwatch;
  note: (job: number, by: Named | undefined, ...done: Parameters<Actor['note']>) => void;
  warn: (job: number, error: unknown) => void;
};

/** Does all that is to be done, and nobody else is doing. @param isEnding asked between two batches @returns whether there was anything */
export async function runJobs(runner: JobRunner, isEnding: () => boolean): Promise<boolean> {
  const owner = randomUUID();
  const kinds = Object.keys(runner.kinds);
  const save = savingOf(runner);
  let isAny = false;
  while (!isEnding()) {
    const now = runner.clock();
    const lease = { owner, now, until: now + LEASE, latest: now + LONGEST_PAUSE };
    const job = await save((trx) => leaseJob(trx, kinds, lease, unnoted));
    if (job === undefined) break;
    isAny = true;
    const leased = { id: job.id, owner };
    try {
      // What it met was noted each time where somebody was left to note it.
      refuseEndedEachTime(job.failures);
      await runJob(runner, leased, isEnding);
    } catch (error) {
      runner.warn(job.id, error);
      // What cannot even be noted is tried again at the end of the lease.
      const paused = save((trx) => pauseJob(trx, runner, leased, error));
      await paused.catch(() => void unnoted.set(job.id, owner));
    }
  }
  return isAny;
}

function savingOf({ db, alone }: JobRunner) {
  return <T>(work: (trx: Trx) => Promise<T>) => alone.run(() => transact(db, work));
}

async function runJob(runner: JobRunner, leased: Leased, isEnding: () => boolean): Promise<void> {
  const save = savingOf(runner);
  const pace = paceOf(runner);
  let size: Size = { limit: Math.min(pace.most, FIRST), refusal: undefined };
  let isRunning = true;
  while (isRunning && !isEnding()) {
    let began = runner.stopwatch();
    try {
      isRunning = await runner.alone.run(() => {
        began = runner.stopwatch();
        return transact(runner.db, (trx) => runBatch(trx, runner, leased, size));
      });
      size = { limit: limitAfter(pace, size.limit, runner.stopwatch() - began), refusal: undefined };
    } catch (error) {
      if (!isRefusal(error) || size.refusal) throw error;
      // What one user of a batch has made impossible for another is seen when they are done one by one.
      size = { limit: 1, refusal: size.limit === 1 ? error : undefined };
    }
    await engineOf(runner.db).giveWay();
    if (pace.pause > 0) await setTimeout(pace.pause);
  }
  if (isEnding()) await save((trx) => release(trx, leased));
}

function paceOf({ db, pace }: JobRunner): Pace {
  const { longestBatch: batch, fewestInBatch: fewest } = engineOf(db);
  return pace ?? { ...PACE, batch, fewest };
}

function isRefusal(error: unknown): error is Error {
  return REFUSALS.some((kind) => error instanceof kind);
}

async function pauseJob(
  trx: Trx,
  { clock, kinds }: JobRunner,
  { id, owner }: Leased,
  error: unknown,
): Promise<void> {
  const job = await lockJob(trx, id, owner);
  if (job === undefined) return;
  const failures = job.failures + 1;
  const passes = error instanceof DatabaseFailure && !(error instanceof DamagedError);
  const noted = notedOf(failures);
  const most = passes ? MOST_FAILURES_THAT_PASS : MOST_FAILURES;
  const isOver = hasEndedEachTime(failures) || noted >= most;
  const { giveUp } = kinds[job.kind] ?? {};
  if (isOver && giveUp) return giveUp(trx, job, clock(), error);
  const paused = { failures, leased_until: clock() + pauseAfter(noted) };
  if (isOver) return stopJob(trx, job, paused);
  await saveJob(trx, id, { ...paused, lease_owner: null });
}

/** Not many more than before: a batch that was quick may have had nothing to do. */
function limitAfter({ batch, most, fewest }: Pace, limit: number, milliseconds: number): number {
  const fitting = Math.floor((limit * batch) / Math.max(milliseconds, 1));
  return Math.min(Math.max(fitting, Math.min(fewest, limit)), 2 * limit, most);
}

async function runBatch(trx: Trx, runner: JobRunner, { id, owner }: Leased, size: Size): Promise<boolean> {
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
  const deadline = Deadline.in(paceOf(runner).batch, runner.stopwatch);
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

async function release(trx: Trx, { id, owner }: Leased): Promise<void> {
  if (await lockJob(trx, id, owner)) await saveJob(trx, id, { lease_owner: null, leased_until: 0 });
}

async function actorOf(
  trx: Trx,
  { note }: JobRunner,
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
