/** Undoing what was done to very many: begun at once, and done batch by batch. */
import type { Actor } from '../auth/actor.ts';
import type { Db, Trx } from '../db/schema.ts';
import { type ChangeSet, findChangesInSet } from '../history/queries.ts';
import { beginSet } from '../history/record.ts';
import { insertJob } from '../jobs/queries.ts';
import type { Work } from '../jobs/run.ts';
import type { Fields } from '../lib/forms.ts';
import { lockUsers } from '../users/queries.ts';
import { actOf, digestOf, isLeftOut, kindOf, perform } from './commands.ts';
import { choicesIn } from './form.ts';
import { isAsked, planSteps, type Step } from './steps.ts';

/** More users than that are not undone while somebody waits, nor looked through beforehand. */
export const MOST_AT_ONCE = 100;

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
  const steps = await planFirstSteps(trx, actor, undone);
  if (fields.seen !== digestOf(steps)) return { kind: 'asks', steps };
  const kind = kindOf(steps.map((step) => actOf(step, choicesIn(fields))));
  const set = await beginSet(trx, { ...actor, via: 'undo' }, { at: now, kind, undoes: undone.id });
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

export const undoBatch: Work = async (trx, actor, job, limit, deadline) => {
  const { undoes, fields, seen } = JSON.parse(job.params) as Params;
  const choices = choicesIn(fields);
  const { changes, isLast } = await findChangesOfUsers(trx, undoes, job.cursor, limit);
  await lockUsers(
    trx,
    changes.map(({ user_id }) => user_id),
  );
  const steps = await planSteps(trx, actor, changes);
  const batch = { cursor: job.cursor, seen: 0, users: 0, left: [] as string[] };
  for (const step of steps) {
    if (batch.seen > 0 && deadline.isPast) return { ...batch, isLast: false };
    // Changed again since it was decided about: then it is left.
    const isOther = step.id in seen && seen[step.id] !== digestOf([step]);
    const act = actOf(step, isOther ? undefined : choices);
    await perform(trx, actor, step.id, act, actor.changeSet?.at ?? 0);
    batch.cursor = step.id;
    batch.seen += 1;
    if (act) batch.users += 1;
    if (isLeftOut(step, act)) batch.left.push(step.username);
  }
  return { ...batch, isLast };
};

/** All that a set did to some users, of whom it may have changed one twice. */
async function findChangesOfUsers(db: Db, set: number, afterUser: number, limit: number) {
  const after = { user_id: afterUser, version: Number.MAX_SAFE_INTEGER };
  const found = await findChangesInSet(db, set, after, 2 * limit + 1);
  const users = [...new Set(found.map(({ user_id }) => user_id))];
  const whole = found.length > 2 * limit ? users.slice(0, -1) : users;
  const some = new Set(whole.slice(0, limit));
  const changes = found.filter(({ user_id }) => some.has(user_id));
  return { changes, isLast: changes.length === found.length };
}
