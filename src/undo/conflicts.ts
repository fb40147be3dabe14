/** Those of a change set who were changed since, page by page: about each of them it is decided, however many they are. */
import type { Actor } from '../auth/actor.ts';
import type { Db } from '../db/schema.ts';
import type { ChangeSet } from '../history/queries.ts';
import { idsWithUndos, isIntact } from '../history/undo-progress.ts';
import { findUndos, isStanding } from '../history/undos.ts';
import { findJobsOfSets, findLastUndo } from '../jobs/queries.ts';
import { MOST_NOTES } from '../jobs/run.ts';
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

/** Some of a set; `cursor`: the last who was looked at, after whom it goes on; `hasRest`: others can be put back unasked. */
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
  actor: Pick<Actor, 'role' | 'user'>,
  set: ChangeSet,
  after: number,
  deadline: Deadline,
): Promise<ConflictPage> {
  const noted = await findNoted(db, set);
  const page: ConflictPage = {
    steps: [],
    cursor: after,
    isFirst: after === 0,
    isLast: false,
    hasRest: false,
  };
  do {
    const { changes, isLast } = await findNext(db, set.id, page.cursor, noted);
    const steps = await planSteps(db, actor, changes, await findUsersOfChanges(db, changes));
    const last = steps.findIndex((step) => isFull(add(page, step)));
    page.isLast = isLast && (last === -1 || last === steps.length - 1);
    await letTimersRun();
  } while (!page.isLast && !isFull(page) && !deadline.isPast);
  return { ...page, steps: resolveSwaps(page.steps) };
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
  else if (step.kind !== 'as before') page.hasRest = true;
  return page;
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
