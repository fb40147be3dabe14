/** Work on many users, batch by batch: each is one short transaction, after which another process can go on, and what fails is tried again. */
import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { engineOf } from '../db/engine.ts';
import { LEASE } from '../db/lease.ts';
import type { Db, Trx } from '../db/schema.ts';
import { transact } from '../db/transact.ts';
import {
  DamagedError,
  DatabaseFailure,
  ForbiddenError,
  LastAdministratorError,
  NotFoundError,
  NotUniqueError,
} from '../errors.ts';
import type { Mutex } from '../lib/mutex.ts';
import { type BatchRunner, type Leased, runBatch, type Size } from './batch.ts';
import {
  hasEndedEachTime,
  LONGEST_PAUSE,
  MOST_FAILURES_THAT_PASS,
  notedOf,
  pauseAfter,
  refuseEndedEachTime,
} from './failures.ts';
import { leaseJob, lockJob, saveJob, stopJob } from './queries.ts';

/** What is done to more users is a job, and not done while somebody waits. */
export const MOST_WITHOUT_JOB = 100;

/** A batch takes as long, or does as many, and is not shrunk below `fewest` for being slow; then others have so long to begin. Times are in milliseconds. */
export type Pace = { batch: number; most: number; fewest: number; pause: number };

/** In a thread of their own pages do not wait for them; others who want to write look every millisecond whether they can. */
const PACE = { most: 2_000, pause: 15 };

const FIRST = 100;
/** What is impossible for one user, and maybe because of another. */
const REFUSALS = [NotUniqueError, LastAdministratorError, ForbiddenError, NotFoundError];
/** In a row, over some 4 minutes: of what does not pass by itself. */
const MOST_FAILURES = 5;

/** Of this process, which goes on. */
const unnoted = new Map<number, string>();

/** `alone`: in the same thread nothing long is done amid a transaction, which would keep its locks meanwhile. */
export type JobRunner = BatchRunner & {
  db: Db;
  alone: Mutex;
  pace?: Pace;
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
        return transact(runner.db, (trx) => runBatch(trx, runner, leased, { ...size, longest: pace.batch }));
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

async function release(trx: Trx, { id, owner }: Leased): Promise<void> {
  if (await lockJob(trx, id, owner)) await saveJob(trx, id, { lease_owner: null, leased_until: 0 });
}
