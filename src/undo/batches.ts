/** Undoing what was done to very many: begun at once, and done batch by batch. */
import type { Actor } from '../auth/actor.ts';
import type { Trx } from '../db/schema.ts';
import { type ChangeSet, findChangesInSet } from '../history/queries.ts';
import { beginSet } from '../history/record.ts';
import { insertJob } from '../jobs/queries.ts';
import type { Work } from '../jobs/run.ts';
import type { Fields } from '../lib/forms.ts';
import { lockUsers } from '../users/queries.ts';
import { actOf, isLeftOut, kindOf, perform } from './commands.ts';
import { choicesIn } from './form.ts';
import { planSteps } from './steps.ts';

/** More than that is not done while somebody waits. */
export const MOST_AT_ONCE = 1_000;

type Params = { undoes: number; fields: Fields };

const FIRST = { user_id: 0, version: 0 };

/** @returns the change set that it fills. */
export async function beginUndo(
  trx: Trx,
  actor: Actor,
  undone: ChangeSet,
  fields: Fields,
  now: number,
): Promise<number> {
  const some = await findChangesInSet(trx, undone.id, FIRST, MOST_AT_ONCE);
  const steps = await planSteps(trx, actor, some);
  const kind = kindOf(steps.map((step) => actOf(step, choicesIn(fields))));
  const set = await beginSet(trx, { ...actor, via: 'undo' }, { at: now, kind, undoes: undone.id });
  const params: Params = { undoes: undone.id, fields };
  await insertJob(trx, {
    kind: 'undo',
    set_id: set,
    actor_id: actor.user?.id ?? null,
    params: JSON.stringify(params),
    total: undone.users,
  });
  return set;
}

export const undoBatch: Work = async (trx, actor, job, limit, deadline) => {
  const { undoes, fields } = JSON.parse(job.params) as Params;
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
    const act = actOf(step, choices);
    await perform(trx, actor, step.id, act, actor.changeSet?.at ?? 0);
    batch.cursor = step.id;
    batch.seen += 1;
    if (act) batch.users += 1;
    if (isLeftOut(step, act)) batch.left.push(step.username);
  }
  return { ...batch, isLast };
};

/** All that a set did to some users, of whom it may have changed one twice. */
async function findChangesOfUsers(trx: Trx, set: number, afterUser: number, limit: number) {
  const after = { user_id: afterUser, version: Number.MAX_SAFE_INTEGER };
  const found = await findChangesInSet(trx, set, after, 2 * limit + 1);
  const users = [...new Set(found.map(({ user_id }) => user_id))];
  const whole = found.length > 2 * limit ? users.slice(0, -1) : users;
  const some = new Set(whole.slice(0, limit));
  const changes = found.filter(({ user_id }) => some.has(user_id));
  return { changes, isLast: changes.length === found.length };
}
