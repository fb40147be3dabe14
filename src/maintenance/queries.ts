/** Which backups and checks were made, and what became of them. */
import { hostname } from 'node:os';
import type { Selectable } from 'kysely';
import { announceAssignedId } from '../db/assigned-ids.ts';
import { executeCached } from '../db/cached-query.ts';
import { insertion } from '../db/many-rows.ts';
import type { Db, MaintenanceRunsTable, Trx } from '../db/schema.ts';

export type Run = Selectable<MaintenanceRunsTable>;
type Kind = Run['kind'];
type Ended = Pick<Run, 'outcome'> & Partial<Pick<Run, 'file' | 'size' | 'users' | 'problem'>>;

/** So many of a kind are kept, and what a check has found that still holds. */
const MOST_KEPT = 100;

export async function beginRun(trx: Trx, kind: Kind, now: number, isQuick = false): Promise<number> {
  await forgetOld(trx, kind);
  const run = { kind, begun_at: now, host: hostname(), is_quick: isQuick };
  const { id } = await trx
    .insertInto('maintenance_runs')
    .values(run)
    .returning('id')
    .executeTakeFirstOrThrow();
  await announceAssignedId(trx, 'maintenance_runs', id);
  return id;
}

async function forgetOld(trx: Trx, kind: Kind): Promise<void> {
  const old = trx
    .selectFrom('maintenance_runs')
    .select('id')
    .where('kind', '=', kind)
    .orderBy('id', 'desc')
    .limit(1)
    .offset(MOST_KEPT);
  const finding = await findFinding(trx);
  await trx
    .deleteFrom('maintenance_runs')
    .where('kind', '=', kind)
    .where('id', '<=', old)
    .where('id', '!=', finding?.id ?? 0)
    .execute();
}

export async function endRun(trx: Trx, id: number, ended: Ended, now: number): Promise<void> {
  await trx
    .updateTable('maintenance_runs')
    .set({ ...ended, ended_at: now })
    .where('id', '=', id)
    .execute();
}

/** Where whoever made it has not said how it ended, as after a kill. @returns what has become of it */
export async function closeRun(trx: Trx, id: number, ended: Ended, now: number): Promise<Run> {
  const run = trx.selectFrom('maintenance_runs').selectAll().where('id', '=', id);
  const { ended_at } = await run.forUpdate().executeTakeFirstOrThrow();
  if (ended_at === null) await endRun(trx, id, ended, now);
  return run.executeTakeFirstOrThrow();
}

/** @param outcome the last of any, where none is given; by numbers, for clocks are set back */
export async function findLastRun(db: Db, kind: Kind, outcome?: Run['outcome']): Promise<Run | undefined> {
  const [run] = await executeCached(db, 'last run', { kind, outcome }, (given) => {
    const runs = db.selectFrom('maintenance_runs').selectAll().where('kind', '=', given.kind);
    const ended = given.outcome === undefined ? runs : runs.where('outcome', '=', given.outcome);
    return ended.orderBy('id', 'desc').limit(1);
  });
  return run;
}

/** `bad`: since the good one. */
export async function findLastBackups(db: Db): Promise<{ good: Run | undefined; bad: Run | undefined }> {
  const good = await findLastRun(db, 'backup', 'good');
  const bad = await findLastRun(db, 'backup', 'bad');
  return { good, bad: bad && bad.id > (good?.id ?? 0) ? bad : undefined };
}

/** What the last whole check has found, or else the last of any: a quick one that finds nothing has not looked there. */
export async function findFinding(db: Db): Promise<Run | undefined> {
  const whole = await findLastCheck(db, false);
  const last = await findLastCheck(db);
  return [whole, last].find((run) => run?.outcome === 'bad');
}

async function findLastCheck(db: Db, isQuick?: boolean): Promise<Run | undefined> {
  const [run] = await executeCached(db, 'last check', { isQuick }, (given) => {
    const checks = db
      .selectFrom('maintenance_runs')
      .selectAll()
      .where('kind', '=', 'check')
      .where('outcome', 'is not', null);
    const looked = given.isQuick === undefined ? checks : checks.where('is_quick', '=', given.isQuick);
    return looked.orderBy('id', 'desc').limit(1);
  });
  return run;
}

export async function findRuns(db: Db, kind: Kind): Promise<Run[]> {
  const runs = db.selectFrom('maintenance_runs').selectAll().where('kind', '=', kind);
  return runs.orderBy('id', 'desc').execute();
}

/** Where a backup is put back: they are of a database that has gone another way since. */
export async function forgetRuns(trx: Trx): Promise<void> {
  await trx.deleteFrom('maintenance_runs').execute();
}

export async function findRunsAfter(db: Db, id: number, limit: number): Promise<Run[]> {
  const after = db.selectFrom('maintenance_runs').selectAll().where('id', '>', id);
  return after.orderBy('id').limit(limit).execute();
}

export async function insertRuns(trx: Trx, rows: readonly Run[]): Promise<void> {
  await trx.executeQuery(insertion(trx, 'maintenance_runs', rows));
}
