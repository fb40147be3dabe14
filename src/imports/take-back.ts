/** What cannot be done whole is not done at all: what was done of it is undone, whatever whoever confirmed it may by now. */
import type { Db, Trx } from '../db/schema.ts';
import { ForbiddenError, LastAdministratorError, NotFoundError, NotUniqueError } from '../errors.ts';
import { findChangeSet } from '../history/queries.ts';
import { findLastUndo, type Job, saveJob } from '../jobs/queries.ts';
import { beginUndo, TAKE_BACK } from '../undo/job.ts';
import { whoConfirmed } from './import-actor.ts';
import { findImport, type Import, saveImport } from './queries.ts';

const CAUSES = {
  taken: 'Somebody else has been given the same username or email address meanwhile.',
  'changed since': 'Somebody else has changed the same users meanwhile, or deleted them.',
  'not allowed': 'Whoever applied it may not do all of this any more.',
  'last administrator': 'It would have left no administrator.',
  'file gone': 'Its file is gone from the disk, or damaged.',
  'put back': 'A backup was put back that was made while it was applied.',
  unattended: 'For an hour no Roster that has its file has gone on with it.',
  failed: 'Roster has met the same error again and again: its log says which.',
  asked: 'Somebody has had it taken back while it was applied.',
} as const;

export type Cause = keyof typeof CAUSES;

type Params = { import: number };

export function paramsOf(id: number): string {
  const params: Params = { import: id };
  return JSON.stringify(params);
}

export function importIdOf({ params }: Pick<Job, 'params'>): number {
  return (JSON.parse(params) as Params).import;
}

/** @param job that applies it, and does nothing more from then on */
export async function takeBack(trx: Trx, job: Job, cause: Cause, now: number): Promise<void> {
  const ended = { state: 'done', lease_owner: null, failures: 0 } as const;
  await saveJob(trx, job.id, ended);
  const imported = await findImport(trx, importIdOf(job));
  if (imported === undefined) return;
  await saveImport(trx, imported.id, { state: 'taken back', problem: CAUSES[cause], touched_at: now });
  const set = await findChangeSet(trx, job.set_id);
  if (set && set.users > 0) await beginUndo(trx, whoConfirmed(imported), set, now, TAKE_BACK);
}

/** What undoes what was done of it; undefined where nothing was. */
export async function findTakingBack(
  db: Db,
  { state, set_id }: Pick<Import, 'state' | 'set_id'>,
): Promise<Job | undefined> {
  const set = state === 'taken back' && set_id !== null ? await findChangeSet(db, set_id) : undefined;
  return set && findLastUndo(db, set.id, set.users);
}

export function causeOf(error: unknown): Cause {
  if (error instanceof NotUniqueError) return 'taken';
  if (error instanceof NotFoundError) return 'changed since';
  if (error instanceof ForbiddenError) return 'not allowed';
  return error instanceof LastAdministratorError ? 'last administrator' : 'failed';
}
