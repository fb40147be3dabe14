/** Doing what was shown: all rows in one change set, or none of them. */
import type { Actor } from '../auth/actor.ts';
import type { Trx } from '../db/schema.ts';
import { DAMAGED, openStageToRead, parseStaged, type StageFile } from '../db/stage-file.ts';
import type { ToDo } from '../db/stage-rows.ts';
import { detailOfImport } from '../history/import-counts.ts';
import { beginSet } from '../history/record.ts';
import type { Kinds, Turn, Work } from '../jobs/batch.ts';
import { insertJob, type Job } from '../jobs/queries.ts';
import { ignoreErrors } from '../lib/make-file.ts';
import { changeUsers, createUsers } from '../users/commands.ts';
import type { UserChanges } from '../users/validation.ts';
import { type Folder, filesOf } from './folder.ts';
import { whoConfirmed } from './import-actor.ts';
import { countToApply, MOST_IN_ONE, MOST_IN_ORDER } from './json-columns.ts';
import { newUserOf } from './judge-rows.ts';
import { findImport, type Import, saveImport } from './queries.ts';
import { type Cause, causeOf, importIdOf, paramsOf, takeBack } from './take-back.ts';
import { type Does, type Said, type Totals, VERDICTS } from './types.ts';

const LAST_VERDICT = VERDICTS.indexOf('changed');

const KIND = 'import ';

/** It goes by the places of rows, and not by the numbers of users. */
export function isOfImport({ kind }: Pick<Job, 'kind'>): boolean {
  return kind.startsWith(KIND);
}

/** It has ended before its last row: what was done of it was taken back. */
export function isCutOff(job: Pick<Job, 'kind' | 'state' | 'done' | 'total'>): boolean {
  return isOfImport(job) && job.state === 'done' && job.done < job.total;
}

/** Of jobs that only a process does which has a folder: another one, or any. */
export function isOfOtherFolder(job: Pick<Job, 'kind'>, folder: Pick<Folder, 'id'> | undefined): boolean {
  return isOfImport(job) && (folder === undefined || job.kind !== kindOf(folder));
}

export function importKinds(folder: Folder): Kinds {
  return { [kindOf(folder)]: { via: 'import', work: importWork(folder), giveUp } };
}

async function giveUp(trx: Trx, job: Job, now: number, error: unknown): Promise<void> {
  await takeBack(trx, job, causeOf(error), now);
}

function kindOf({ id }: Pick<Folder, 'id'>): string {
  return KIND + id;
}

/** Step by step. @param stage of which it is known what its rows do */
export function placeRows(stage: StageFile, totals: Totals): Generator<void> {
  const count = countToApply(totals);
  const order = count <= MOST_IN_ONE ? 'file' : count <= MOST_IN_ORDER ? 'people' : 'indexes';
  return stage.placeToDo(LAST_VERDICT, order);
}

export async function beginApplying(
  trx: Trx,
  folder: Folder,
  imported: Import,
  totals: Totals,
  now: number,
): Promise<void> {
  const { id, actor_id } = imported;
  const total = countToApply(totals);
  const known = { totals: JSON.stringify(totals), touched_at: now, failures: 0 };
  if (total === 0) return saveImport(trx, id, { ...known, state: 'done' });
  const begun = { at: now, kind: 'imported', detail: detailOfImport(totals) } as const;
  const set_id = await beginSet(trx, whoConfirmed(imported), begun);
  await insertJob(trx, { kind: kindOf(folder), set_id, actor_id, params: paramsOf(id), total });
  await saveImport(trx, id, { ...known, state: 'applying', set_id });
}

function importWork(folder: Folder): Work {
  return async (trx, actor, job, turn) => {
    const { limit, now, refusal } = turn;
    const imported = await findImport(trx, importIdOf(job));
    if (imported === undefined) throw new Error('There is no such import.');
    const atOnce = job.total <= MOST_IN_ONE ? MOST_IN_ONE : limit;
    const nothing = { cursor: job.cursor, seen: 0, users: 0, left: [], isLast: true };
    const isOver = async (cause: Cause) => takeBack(trx, job, cause, now).then(() => nothing);
    if (refusal) return isOver(causeOf(refusal));
    const rows = ignoreErrors(DAMAGED, () => rowsAfter(folder, imported, job.cursor, atOnce));
    const last = rows?.at(-1);
    if (rows === undefined || last === undefined) return isOver('file gone');
    if (!(await doAll(trx, actor, rows, turn))) return isOver('changed since');
    const isLast = job.done + rows.length >= job.total;
    // By that others know that somebody goes on with it: see `unattended-imports.ts`.
    await saveImport(trx, imported.id, { touched_at: now, ...(isLast && { state: 'done' }) });
    return { cursor: last.place, seen: rows.length, users: rows.length, left: [], isLast };
  };
}

type RowToDo = Pick<ToDo, 'place' | 'user' | 'version'> & { said: Said; does: Partial<Does> };

function rowsAfter(folder: Folder, { file }: Import, place: number, limit: number): RowToDo[] | undefined {
  const stage = openStageToRead(filesOf(folder, file).stage);
  try {
    return stage?.toDoAfter(place, limit).map(({ said, does, ...row }) => ({
      ...row,
      said: parseStaged(said),
      does: parseStaged(does ?? '{}'),
    }));
  } finally {
    stage?.close();
  }
}

/** @returns false where somebody was changed since, before anything is written */
async function doAll(
  trx: Trx,
  actor: Actor,
  rows: readonly RowToDo[],
  { lock, now }: Turn,
): Promise<boolean> {
  const changes = rows.flatMap(({ user, version, does }) =>
    user === null || version === null ? [] : [{ id: user, version, changes: changesOf(does) }],
  );
  // Whom two rows have come to be about since it was read, each found by another cell.
  if (new Set(changes.map(({ id }) => id)).size < changes.length) return false;
  await lock(changes.map(({ id }) => id));
  const changed = await changeUsers(trx, actor, changes, now);
  if (changed.kind !== 'changed') return false;
  const created = rows.filter(({ user }) => user === null).map(({ said }) => newUserOf(said));
  await createUsers(trx, actor, created, now);
  return true;
}

function changesOf({ fields }: Partial<Does>): UserChanges {
  return Object.fromEntries(Object.entries(fields ?? {}).map(([field, { became }]) => [field, became]));
}
