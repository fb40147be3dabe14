/** Undoing what was done to very many: begun at once, and done batch by batch. */
import type { Actor } from '../auth/actor.ts';
import type { Db, Trx } from '../db/schema.ts';
import { KINDS, type Kind } from '../history/codes.ts';
import { type ChangeSet, findChangesInSet, lockChangeSet } from '../history/queries.ts';
import { beginSet } from '../history/record.ts';
import { findRunningUndo, insertJob } from '../jobs/queries.ts';
import type { Work } from '../jobs/run.ts';
import type { Fields } from '../lib/forms.ts';
import { lockUsers } from '../users/queries.ts';
import { actOf, digestOf, isLeftOut, perform } from './commands.ts';
import { choicesIn } from './form.ts';
import { isAsked, planSteps, type Step } from './steps.ts';

/** More users than that are not undone while somebody waits, nor looked through beforehand. */
export const MOST_AT_ONCE = 100;

/** What is done to users by undoing what was done to them. */
const UNDOING: Readonly<Partial<Record<number, Kind>>> = {
  [KINDS.created]: 'deleted',
  [KINDS.deleted]: 'restored',
  [KINDS.restored]: 'deleted',
  [KINDS.activated]: 'deactivated',
  [KINDS.deactivated]: 'activated',
  [KINDS.access]: 'access',
};

/** `seen`: as it was shown, what was decided about one by one. */
type Params = { undoes: number; fields: Fields; seen: Record<number, string> };

export type Begun = { kind: 'begun'; set: number } | { kind: 'asks'; steps: Step[] };

export async function planFirstSteps(
  db: Db,
  actor: Pick<Actor, 'role' | 'user'>,
  { id }: ChangeSet,
): Promise<Step[]> {
  return planSteps(db, actor, (await findChangesOfUsers(db, id, 0, MOST_AT_ONCE)).changes);
}

/** Not before what can be seen beforehand was looked at. */
export async function beginUndo(
  trx: Trx,
  actor: Actor,
  undone: ChangeSet,
  fields: Fields,
  now: number,
): Promise<Begun> {
  await lockChangeSet(trx, undone.id);
  const running = await findRunningUndo(trx, undone.id);
  if (running) return { kind: 'begun', set: running.set_id };
  const steps = await planFirstSteps(trx, actor, undone);
  if (fields.seen !== digestOf(steps)) return { kind: 'asks', steps };
  const begun = { at: now, kind: UNDOING[undone.kind] ?? 'changed', undoes: undone.id } as const;
  const set = await beginSet(trx, { ...actor, via: 'undo' }, begun);
  const seen = steps.filter(isAsked).map((step) => [step.id, digestOf([step])]);
  const params: Params = { undoes: undone.id, fields, seen: Object.fromEntries(seen) };
  await insertJob(trx, {
    kind: 'undo',
    set_id: set,
    actor_id: actor.user?.id ?? null,
    params: JSON.stringify(params),
    total: undone.users,
  });
  return { kind: 'begun', set };
}

export const undoBatch: Work = async (trx, actor, job, { limit, deadline, now, isLeavingOut }) => {
  const { undoes, fields, seen } = JSON.parse(job.params) as Params;
  const choices = choicesIn(fields);
  const { changes, isLast } = await findChangesOfUsers(trx, undoes, job.cursor, limit);
  await lockUsers(
    trx,
    changes.map(({ user_id }) => user_id),
  );
  const steps = await planSteps(trx, actor, changes);
  const batch = { cursor: job.cursor, seen: 0, users: 0, left: [] as number[] };
  for (const step of steps) {
    if (batch.seen > 0 && deadline.isPast) return { ...batch, isLast: false };
    // Changed again since it was decided about: then it is left.
    const isOther = step.id in seen && seen[step.id] !== digestOf([step]);
    const act = isLeavingOut ? undefined : actOf(step, isOther ? undefined : choices);
    await perform(trx, actor, step, act, now);
    batch.cursor = step.id;
    batch.seen += 1;
    if (act) batch.users += 1;
    if (isLeftOut(step, act)) batch.left.push(step.id);
  }
  return { ...batch, isLast };
};

/** All that a set did to some users, each of them whole. */
async function findChangesOfUsers(db: Db, set: number, afterUser: number, limit: number) {
  const after = { user_id: afterUser, version: Number.MAX_SAFE_INTEGER };
  for (let size = 2 * limit + 1; ; size *= 2) {
    const found = await findChangesInSet(db, set, after, size);
    const users = [...new Set(found.map(({ user_id }) => user_id))];
    const isAll = found.length < size;
    const some = new Set((isAll ? users : users.slice(0, -1)).slice(0, limit));
    const changes = found.filter(({ user_id }) => some.has(user_id));
    if (isAll || changes.length > 0) return { changes, isLast: isAll && changes.length === found.length };
  }
}
