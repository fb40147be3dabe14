/** Jobs in the database. */
import type { Selectable } from 'kysely';
import type { Actor } from '../auth/actor.ts';
import { engineOf } from '../db/engine.ts';
import { FREE, isFree, type Lease } from '../db/lease.ts';
import { literal } from '../db/literal.ts';
import { insertion } from '../db/many-rows.ts';
import { tellNumber } from '../db/numbers.ts';
import { moveRevision } from '../db/revision.ts';
import type { Db, JobsTable, Trx } from '../db/schema.ts';
import { afterCommit } from '../db/transact.ts';
import type { ChangeSet } from '../history/queries.ts';
import { findUndoing } from '../history/undos.ts';
import { failuresOfLast, type Unnoted } from './failures.ts';

export type Job = Selectable<JobsTable>;

/** They have an index of their own. */
const RUNNING = literal('running');

/** What it was to do is known no more. */
export const FORGOTTEN = '{}';

type NewJob = Pick<Job, 'kind' | 'set_id' | 'actor_id' | 'params' | 'total'> & Partial<Job>;

export async function insertJob(trx: Trx, job: NewJob): Promise<number> {
  const begun = { state: 'running', cursor: 0, done: 0, left_out: 0, notes: '[]', leased_until: 0 } as const;
  const { id } = await trx
    .insertInto('jobs')
    .values({ ...begun, ...job })
    .returning('id')
    .executeTakeFirstOrThrow();
  await tellNumber(trx, 'jobs', id);
  return id;
}

/** So that the log leads from the request that began a job to what the job notes. */
export function noteBegun(trx: Trx, actor: Actor, job: number): void {
  afterCommit(trx, () => actor.note('job begun', undefined, { job }));
}

export async function findJobOfSet(db: Db, setId: number): Promise<Job | undefined> {
  return db.selectFrom('jobs').selectAll().where('set_id', '=', setId).executeTakeFirst();
}

export async function lockJobOfSet(trx: Trx, setId: number): Promise<Job | undefined> {
  return trx.selectFrom('jobs').selectAll().where('set_id', '=', setId).forUpdate().executeTakeFirst();
}

export async function findJobsOfSets(db: Db, setIds: readonly number[]): Promise<ReadonlyMap<number, Job>> {
  if (setIds.length === 0) return new Map();
  const ofSets = db.selectFrom('jobs').selectAll().where(engineOf(db).isOneOf('set_id', setIds));
  const jobs = await ofSets.execute();
  return new Map(jobs.map((job) => [job.set_id, job]));
}

export async function findRunningUndo(db: Db, undone: number): Promise<Job | undefined> {
  return db
    .selectFrom('jobs')
    .innerJoin('change_sets', 'change_sets.id', 'jobs.set_id')
    .selectAll('jobs')
    .where('change_sets.undoes', '=', undone)
    .where('jobs.state', '=', 'running')
    .executeTakeFirst();
}

/** What undoes all of a set, or has undone it last. @param users of the set: of fewer, it was a part */
export async function findLastUndo(db: Db, undone: number, users: number): Promise<Job | undefined> {
  return db
    .selectFrom('jobs')
    .innerJoin('change_sets', 'change_sets.id', 'jobs.set_id')
    .selectAll('jobs')
    .where('change_sets.undoes', '=', undone)
    .where('jobs.total', '>=', users)
    .orderBy('jobs.id', 'desc')
    .limit(1)
    .executeTakeFirst();
}

/** Neither while it is being undone, or once it is, nor while the same is undone anew; nor where nobody knows whom it was for. */
export async function mayGoOn(db: Db, { id, undoes }: ChangeSet, { params }: Job): Promise<boolean> {
  if (params === FORGOTTEN) return false;
  const running = (await findRunningUndo(db, id)) ?? (undoes ? await findRunningUndo(db, undoes) : undefined);
  if (running && running.set_id !== id) return false;
  return !(await findUndoing(db, [id])).has(id);
}

export async function findUnfinishedJobs(db: Db): Promise<Job[]> {
  return db.selectFrom('jobs').selectAll().where('state', '!=', 'done').execute();
}

export async function findRunningJobs(db: Db, limit: number): Promise<Job[]> {
  return db.selectFrom('jobs').selectAll().where('state', '=', RUNNING).orderBy('id').limit(limit).execute();
}

export async function countJobs(db: Db): Promise<Record<'running' | 'stopped', number>> {
  const running = db.selectFrom('jobs').where('state', '=', RUNNING);
  const { count } = await running
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  const last = await db.selectFrom('jobs').select('state').orderBy('id', 'desc').limit(100).execute();
  return { running: count, stopped: last.filter(({ state }) => state === 'stopped').length };
}

export async function isAnyRunning(db: Db): Promise<boolean> {
  const running = db.selectFrom('jobs').select('id').where('state', '=', RUNNING).limit(1);
  return (await running.executeTakeFirst()) !== undefined;
}

/** One that nobody is at work on. Whoever had it may have ended without a word, as a thread without memory does. */
export async function leaseJob(
  trx: Trx,
  kinds: readonly string[],
  lease: Lease,
  unnoted: Unnoted = new Map(),
): Promise<Job | undefined> {
  const free = await trx
    .selectFrom('jobs')
    .selectAll()
    .where('state', '=', RUNNING)
    .where(isFree(lease))
    .where('kind', 'in', kinds)
    .orderBy('leased_until')
    .limit(1)
    .forUpdate()
    .skipLocked()
    .executeTakeFirst();
  if (free === undefined) return undefined;
  const failures = free.failures + failuresOfLast(free, unnoted);
  await saveJob(trx, free.id, { lease_owner: lease.owner, leased_until: lease.until, failures });
  return { ...free, failures };
}

export async function lockJob(trx: Trx, id: number, owner: string): Promise<Job | undefined> {
  return trx
    .selectFrom('jobs')
    .selectAll()
    .where('id', '=', id)
    .where('lease_owner', '=', owner)
    .where('state', '=', RUNNING)
    .forUpdate()
    .executeTakeFirst();
}

/** By whoever does so, who acts from then on; nothing where it is not stopped any more. */
export async function goOnWithJob(trx: Trx, id: number, actorId: number | null): Promise<void> {
  moveRevision(trx);
  const goingOn = { state: 'running', failures: 0, leased_until: 0, actor_id: actorId } as const;
  await trx.updateTable('jobs').set(goingOn).where('id', '=', id).where('state', '=', 'stopped').execute();
}

/** In a database that is put back: what cannot stay half done goes on by itself, and with the rest whoever has it go on. @returns how many wait for that */
export async function stopJobs(trx: Trx): Promise<number> {
  await trx.updateTable('jobs').set(FREE).where('state', '=', RUNNING).execute();
  const running = trx.selectFrom('jobs').selectAll().where('state', '=', RUNNING);
  const stopped = await running.where('kind', 'in', ['undo', 'bulk']).execute();
  for (const job of stopped) await stopJob(trx, job, {});
  return stopped.length;
}

export async function saveJob(trx: Trx, id: number, job: Partial<Omit<Job, 'id'>>): Promise<void> {
  if (job.state !== undefined) moveRevision(trx);
  await trx.updateTable('jobs').set(job).where('id', '=', id).execute();
}

/** Jobs of an earlier Roster hold what was typed about a user, by names that begin with their number. */
export async function forgetParamsAbout(trx: Trx, userId: number): Promise<void> {
  const jobs = trx.selectFrom('jobs').select(['id', 'params']).where('params', 'like', `%"${userId}%`);
  const isTheirs = new RegExp(`^${userId}(?![0-9])`);
  for (const { id, params } of await jobs.forUpdate().execute()) {
    const kept = JSON.parse(params, (key, value) => (isTheirs.test(key) ? undefined : value));
    await saveJob(trx, id, { params: JSON.stringify(kept) });
  }
}

/** What is under way needs it until it ends. */
const FORGETS_WHEN_STOPPED = { forgetsWhenStopped: true };

/** Nobody knows whom the search names by which many are found: what is stopped cannot go on without it. */
export async function forgetSearches(trx: Trx): Promise<void> {
  const jobs = trx.selectFrom('jobs').select(['id', 'state', 'params']).where('kind', '=', 'bulk');
  for (const { id, state, params } of await jobs.where('params', '!=', FORGOTTEN).forUpdate().execute()) {
    const marked = JSON.stringify({ ...JSON.parse(params), ...FORGETS_WHEN_STOPPED });
    await saveJob(trx, id, { params: state === 'running' ? marked : FORGOTTEN });
  }
}

export async function isSearchKept(db: Db): Promise<boolean> {
  const running = db
    .selectFrom('jobs')
    .select('params')
    .where('kind', '=', 'bulk')
    .where('state', '=', RUNNING);
  return (await running.execute()).some(forgetsWhenStopped);
}

function forgetsWhenStopped({ params }: Pick<Job, 'params'>): boolean {
  return (JSON.parse(params) as Partial<typeof FORGETS_WHEN_STOPPED>).forgetsWhenStopped ?? false;
}

export async function stopJob(
  trx: Trx,
  { id, params }: Job,
  stopped: Partial<Omit<Job, 'id'>>,
): Promise<void> {
  const kept = forgetsWhenStopped({ params }) ? { params: FORGOTTEN } : {};
  await saveJob(trx, id, { ...stopped, ...kept, state: 'stopped', lease_owner: null });
}

export async function findJobsAfter(db: Db, id: number, limit: number): Promise<Job[]> {
  const after = db.selectFrom('jobs').selectAll().where('id', '>', id);
  return after.orderBy('id').limit(limit).execute();
}

export async function insertJobs(trx: Trx, rows: readonly Job[]): Promise<void> {
  await trx.executeQuery(insertion(trx, 'jobs', rows));
}
