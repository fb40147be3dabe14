/** Those of a change set who were changed since, page by page: about each of them it is decided, however many they are. */
import type { Actor } from '../auth/actor.ts';
import type { Db } from '../db/schema.ts';
import type { ChangeSet } from '../history/queries.ts';
import { idsWithUndos, isIntact } from '../history/undo-progress.ts';
import { findUndos, isStanding } from '../history/undos.ts';
import { MOST_NOTES } from '../jobs/batch.ts';
import { findJobsOfSets, findLastUndo } from '../jobs/queries.ts';
import type { Deadline } from '../lib/deadline.ts';
import { letTimersRun } from '../lib/progress.ts';
import { findChangesAfterUser, findChangesOf, findUsersOfChanges } from './changes.ts';
import { underWay } from './job.ts';
import { resolveSwaps } from './name-swaps.ts';
import { planSteps } from './plan.ts';
import { isConflict, isRefused, type Step } from './steps.ts';

/** A form may have 100 fields, and each of these may take seven. */
export const MOST_CONFLICTS = 12;
export const MOST_LEFT = 20;
/** As many as an undo has noted at most: of those nobody is passed over then. */
const BATCH = MOST_NOTES;

/** Some of a set; `cursor`: the last who was looked at, after whom it goes on; `hasRest`: others, before or after, can be put back unasked. */
export type Part = {
  users: readonly number[];
  cursor: number;
  isFirst: boolean;
  isLast: boolean;
  hasRest: boolean;
};
type ConflictPage = { steps: Step[] } & Omit<Part, 'users'>;

export async function findConflicts(
  db: Db,
  actor: Asker,
  set: ChangeSet,
  after: number,
  deadline: Deadline,
): Promise<ConflictPage> {
  const page: ConflictPage = {
    steps: [],
    cursor: after,
    isFirst: after === 0,
    isLast: false,
    hasRest: false,
  };
  for await (const { steps, isLast } of planAfter(db, actor, set, after)) {
    const last = steps.findIndex((step) => isFull(add(page, step)));
    page.isLast = isLast && (last === -1 || last === steps.length - 1);
    if (isFull(page) || deadline.isPast) break;
  }
  if (page.isLast && !page.hasRest) page.hasRest = await hasRestUpTo(db, actor, set, after, deadline);
  return { ...page, steps: resolveSwaps(page.steps) };
}

type Asker = Pick<Actor, 'role' | 'user'>;

/** Of whom somebody has decided by now, or who were passed over for not having been changed since: as far as there is time for it. */
async function hasRestUpTo(
  db: Db,
  actor: Asker,
  set: ChangeSet,
  last: number,
  deadline: Deadline,
): Promise<boolean> {
  if (last === 0) return false;
  for await (const { steps } of planAfter(db, actor, set, 0)) {
    if (steps.some((step) => step.id <= last && isRest(step))) return true;
    if (deadline.isPast || (steps.at(-1)?.id ?? last) >= last) break;
  }
  return false;
}

async function* planAfter(db: Db, actor: Asker, set: ChangeSet, after: number) {
  const noted = await findNoted(db, set);
  for (let [cursor, isLast] = [after, false]; !isLast; ) {
    const next = await findNext(db, set.id, cursor, noted);
    const steps = await planSteps(db, actor, next.changes, await findUsersOfChanges(db, next.changes));
    [cursor, isLast] = [steps.at(-1)?.id ?? cursor, next.isLast];
    yield { steps, isLast };
    await letTimersRun();
  }
}

/** It is decided before all of it is undone, or afterwards. @throws NotNowError */
export async function refuseWhileUnderWay(db: Db, { id, users }: ChangeSet): Promise<void> {
  const last = await findLastUndo(db, id, users);
  if (last && last.state !== 'done')
    throw underWay('Its undo is not done yet: decide about each once it is.', last.set_id);
}

function add(page: ConflictPage, step: Step): ConflictPage {
  page.cursor = step.id;
  if (isConflict(step) || isRefused(step)) page.steps.push(step);
  page.hasRest ||= isRest(step);
  return page;
}

function isRest(step: Step): boolean {
  return !isConflict(step) && !isRefused(step) && step.kind !== 'as before';
}

function isFull({ steps }: ConflictPage): boolean {
  const left = steps.filter(isRefused).length;
  return left >= MOST_LEFT || steps.length - left >= MOST_CONFLICTS;
}

type Noted = { ids: readonly number[]; isAll: boolean };

/** Whom the last undo of all of it has left, as far as it has noted them: so nobody else of very many has to be looked at. */
async function findNoted(db: Db, { id, users }: ChangeSet): Promise<Noted> {
  if (users <= BATCH) return { ids: [], isAll: false };
  const undos = (await findUndos(db, [id])).get(id) ?? [];
  const jobs = await findJobsOfSets(db, idsWithUndos(undos));
  const last = undos.findLast((undo) => isStanding(undo) && (jobs.get(undo.set.id)?.total ?? 0) >= users);
  const whole = last && isIntact(last, undos, jobs) ? jobs.get(last.set.id) : undefined;
  if (whole?.state !== 'done') return { ids: [], isAll: false };
  const ids = JSON.parse(whole.notes) as number[];
  return { ids, isAll: ids.length === whole.left_out };
}

async function findNext(db: Db, set: number, cursor: number, { ids, isAll }: Noted) {
  const next = ids.filter((id) => id > cursor).slice(0, BATCH);
  if (next.length === 0 && !isAll) return findChangesAfterUser(db, set, cursor, BATCH);
  return { changes: await findChangesOf(db, set, next), isLast: isAll };
}
