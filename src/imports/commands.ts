/** What is done about an import: it is begun, read differently, confirmed and discarded; the rest does `run.ts`. */
import { type Actor, authorize } from '../auth/actor.ts';
import { mayEdit, mayImport } from '../auth/policy.ts';
import { findBulkOfAbsent } from '../bulk/job.ts';
import { FREE } from '../db/lease.ts';
import type { Db, Trx } from '../db/schema.ts';
import { NotFoundError, NotNowError } from '../errors.ts';
import { type Job, lockJobOfSet } from '../jobs/queries.ts';
import { plainNumber } from '../lib/text.ts';
import { underWay } from '../undo/job.ts';
import type { Filter } from '../users/list/filter.ts';
import type { Folder } from './folder.ts';
import { earlierOf } from './json-columns.ts';
import {
  DISCARDABLE,
  discardedFor,
  findImport,
  type Import,
  insertImport,
  lockImport,
  saveImport,
} from './queries.ts';
import { takeBack } from './take-back.ts';
import type { Choices, KeptChoices } from './types.ts';

/** `file`: of `newName`; it lies in the folder, whole, as `filesOf` says. `name`: as it was called where it comes from. */
type BroughtFile = { file: string; name: string; size: number };

const MOST_OF_NAME = 200;
const ABSENT_IN_BULK =
  'All who are not in this file, as it was read, are being changed in bulk: have it read differently once that is done, or choose it again.';
const ABSENT_IN_STOPPED =
  'All who are not in this file, as it was read, were being changed in bulk. That has stopped, and may still go on: to have the file read differently, choose it again.';

/** It is read once `app.runJobs` is asked to. @param of the import whose refused rows it brings back @returns its number @throws ForbiddenError */
export async function beginImport(
  trx: Trx,
  actor: Actor,
  folder: Folder,
  { file, name, size }: BroughtFile,
  now: number,
  choices: Choices = {},
  of?: number,
): Promise<number> {
  authorize(actor, mayEdit);
  return insertImport(trx, {
    created_at: now,
    ...whoIs(actor),
    folder: folder.id,
    host: folder.host,
    file,
    file_name: name.slice(0, MOST_OF_NAME),
    size,
    judged: 0,
    ...anew({ ...choices, of }, now),
  });
}

/** @param typed the number, as it stands in an address. @throws NotFoundError also for what is somebody else's */
export async function getImport(
  db: Db,
  typed: string,
  actor: Pick<Actor, 'role' | 'user'> | undefined,
): Promise<Import> {
  const id = plainNumber(typed);
  return seen(id === undefined ? undefined : await findImport(db, id), actor);
}

/** Who is not in a file is a part of what it would do. @throws NotFoundError also where that is forgotten */
export async function refuseUnseenImport(
  db: Db,
  actor: Pick<Actor, 'role' | 'user'> | undefined,
  { absentFrom }: Pick<Filter, 'absentFrom'>,
): Promise<void> {
  if (absentFrom !== undefined) seen(await findImport(db, absentFrom), actor);
}

/** `too late`: by then it is confirmed, or over. @throws NotFoundError, ForbiddenError, NotNowError */
export async function readDifferently(
  trx: Trx,
  actor: Actor,
  id: number,
  choices: Choices,
  now: number,
): Promise<'reading' | 'too late'> {
  const found = await lockSeen(trx, actor, id);
  if (!['reading', 'checked', 'unreadable'].includes(found.state)) return 'too late';
  const bulk = await findBulkOfAbsent(trx, id);
  if (bulk !== undefined) throw bulkInTheWay(bulk);
  await saveImport(trx, id, anew({ ...choices, of: earlierOf(found) }, now));
  return 'reading';
}

function bulkInTheWay({ state, set_id }: Job): NotNowError {
  if (state === 'running') return underWay(ABSENT_IN_BULK, set_id);
  const link = { href: `/history/${set_id}`, text: 'Look at this change' };
  return new NotNowError('Stopped before its end', ABSENT_IN_STOPPED, link);
}

/** Whoever confirms it is who acts. `changed since`: it was judged again since it was shown. @throws NotFoundError, ForbiddenError */
export async function confirmImport(
  trx: Trx,
  actor: Actor,
  id: number,
  judged: number,
  now: number,
): Promise<'confirmed' | 'changed since' | 'too late'> {
  const found = await lockSeen(trx, actor, id);
  if (found.state !== 'checked') return 'too late';
  if (found.judged !== judged) return 'changed since';
  const who = whoIs(actor);
  // What it would do was judged by what another may do.
  const isSame = who.actor_id === found.actor_id && who.is_by_command === found.is_by_command;
  const revision = isSame ? found.revision : null;
  await saveImport(trx, id, { state: 'confirmed', ...who, revision, touched_at: now, failures: 0 });
  return 'confirmed';
}

/** Its files are gone a moment later. `taken back`: of what is applied by then nothing stays, wherever its file is. @throws NotFoundError, ForbiddenError */
export async function discardImport(
  trx: Trx,
  actor: Actor,
  id: number,
  now: number,
): Promise<'discarded' | 'taken back' | 'too late'> {
  const { set_id = null } = (await findImport(trx, id)) ?? {};
  // As who applies it does: the job first.
  const job = set_id === null ? undefined : await lockJobOfSet(trx, set_id);
  const { state } = await lockSeen(trx, actor, id);
  if (state === 'applying' && job) {
    await takeBack(trx, job, 'asked', now);
    return 'taken back';
  }
  if (state === 'discarded') return 'discarded';
  if (!DISCARDABLE.includes(state)) return 'too late';
  await saveImport(trx, id, { ...discardedFor('asked'), touched_at: now });
  return 'discarded';
}

async function lockSeen(trx: Trx, actor: Actor, id: number): Promise<Import> {
  authorize(actor, mayEdit);
  return seen(await lockImport(trx, id), actor);
}

function seen(found: Import | undefined, actor: Pick<Actor, 'role' | 'user'> | undefined): Import {
  const isSeen = found && actor && mayImport(actor, found.is_by_command ? -1 : found.actor_id);
  if (!isSeen) throw new NotFoundError('There is no such import: what was brought is kept for a day.');
  return found;
}

function whoIs({ user, via }: Actor) {
  return { actor_id: user?.id ?? null, is_by_command: via === 'command line' };
}

function anew(choices: KeptChoices, now: number) {
  const unknown = { reading: null, totals: null, problem: null, revision: null, set_id: null };
  return {
    state: 'reading',
    choices: JSON.stringify(choices),
    touched_at: now,
    ...unknown,
    ...FREE,
  } as const;
}
