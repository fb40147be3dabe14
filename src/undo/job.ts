/** Undoing what was done to very many: begun at once, and done batch by batch. */
import type { Actor } from '../auth/actor.ts';
import type { Db, Trx } from '../db/schema.ts';
import { NotNowError } from '../errors.ts';
import { type ChangeSet, lockChangeSet } from '../history/queries.ts';
import { beginSet } from '../history/record.ts';
import { undoDetailOf, undoKindOf } from '../history/undo-kind.ts';
import { DONE_TOGETHER, type Work } from '../jobs/batch.ts';
import { findJobOfSet, findRunningUndo, insertJob, noteBegun } from '../jobs/queries.ts';
import { chunksOf } from '../lib/chunks.ts';
import { findChangesAfterUser, usersIn } from './changes.ts';
import { actOf, isLeftOut, performAll } from './commands.ts';
import { planSteps } from './plan.ts';

/** Until the end of the transaction nobody else begins to undo it, nor has it go on. @throws NotNowError */
export async function lockUndoable(trx: Trx, set: number): Promise<void> {
  await lockChangeSet(trx, set);
  await refuseUnfinished(trx, set);
}

/** @throws NotNowError */
export async function refuseUnfinished(db: Db, set: number): Promise<void> {
  const job = await findJobOfSet(db, set);
  if (job?.state === 'running') throw underWay('This is still under way.', set);
}

export function underWay(sentence: string, set: number): NotNowError {
  return new NotNowError('Still under way', sentence, { href: `/history/${set}`, text: 'See how far it is' });
}

/** The kind of job that undoes what Roster itself has begun, and not ended: nobody in particular has to be allowed to. */
export const TAKE_BACK = 'take back';

type Params = { undoes: number };

/** @returns the change set, of whoever has begun first */
export async function beginUndo(
  trx: Trx,
  actor: Actor,
  undone: ChangeSet,
  now: number,
  kindOfJob: 'undo' | typeof TAKE_BACK = 'undo',
): Promise<number> {
  await lockUndoable(trx, undone.id);
  const running = await findRunningUndo(trx, undone.id);
  if (running) return running.set_id;
  const [kind, detail] = [undoKindOf(undone), undoDetailOf(undone)];
  const via = actor.via === 'command line' ? actor.via : 'undo';
  const set = await beginSet(trx, { ...actor, via }, { at: now, kind, detail, undoes: undone.id });
  const params: Params = { undoes: undone.id };
  const job = await insertJob(trx, {
    kind: kindOfJob,
    set_id: set,
    actor_id: actor.user?.id ?? null,
    params: JSON.stringify(params),
    total: undone.users,
  });
  noteBegun(trx, actor, job);
  return set;
}

/** Leaves whoever was changed since: about them it is decided afterwards. */
export const undoBatch: Work = async (trx, actor, job, { lock, limit, deadline, now, refusal }) => {
  const { undoes } = JSON.parse(job.params) as Params;
  const { changes, isLast } = await findChangesAfterUser(trx, undoes, job.cursor, limit);
  const there = await lock(usersIn(changes));
  const asker = job.kind === TAKE_BACK ? { role: 'admin' as const, user: undefined } : actor;
  const steps = await planSteps(trx, asker, changes, there);
  const batch = { cursor: job.cursor, seen: 0, users: 0, left: [] as number[] };
  for (const some of chunksOf(steps, DONE_TOGETHER)) {
    if (batch.seen > 0 && deadline.isPast) return { ...batch, isLast: false };
    const acts = some.map((step) => ({ step, act: refusal ? undefined : actOf(step, undefined) }));
    await performAll(trx, actor, acts, now);
    batch.cursor = some.at(-1)?.id ?? batch.cursor;
    batch.seen += some.length;
    batch.users += acts.filter(({ act }) => act).length;
    batch.left.push(...acts.filter(({ step, act }) => isLeftOut(step, act)).map(({ step }) => step.id));
  }
  return { ...batch, isLast };
};
