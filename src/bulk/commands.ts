/** Doing one thing to many users: by the commands by which it is done to one, so that it is for those who could do each. */
import type { Actor } from '../auth/actor.ts';
import { maySeeDeleted } from '../auth/policy.ts';
import type { Trx, User } from '../db/schema.ts';
import { ForbiddenError, LastAdministratorError, NotFoundError } from '../errors.ts';
import { type Person, personOf } from '../history/descriptions.ts';
import { findNames } from '../history/queries.ts';
import { inOneSet } from '../history/record.ts';
import {
  type Changed,
  changeUser,
  changeUsers,
  type Deleted,
  deleteUser,
  deleteUsers,
} from '../users/commands.ts';
import { lockUsers } from '../users/queries.ts';
import { ACTS, type Act, changesOf, type Why } from './acts.ts';

export type Target = Pick<User, 'id' | 'version'>;

export type Left = { whom: Person; why: Why };

/** In one change set: undefined where nothing was done. Whatever cannot be done to somebody is left. */
export async function doToAll(
  trx: Trx,
  actor: Actor,
  act: Act,
  targets: readonly Target[],
  now: number,
): Promise<{ set: number | undefined; done: number; left: Left[] }> {
  const ids = targets.map(({ id }) => id);
  await lockUsers(trx, ids);
  // Before anything is written: whoever erases somebody waits for that, and this would wait for them.
  const names = await findNames(trx, ids, maySeeDeleted(actor));
  const { kind } = ACTS[act.do];
  // What was done to someone's role they find in their own history.
  const subject_id = kind === 'access' && targets.length === 1 ? (ids[0] ?? null) : null;
  const begun = { at: now, kind, subject_id };
  const { result, set } = await inOneSet(trx, { ...actor, via: 'bulk' }, begun, (acting) =>
    doToMany(trx, acting, act, targets, now),
  );
  const left = result.map(([id, why]) => ({ whom: personOf(id, names), why }));
  return { set, done: targets.length - left.length, left };
}

const WHY: Readonly<Record<Changed['kind'] | Deleted['kind'], Why | undefined>> = {
  changed: undefined,
  deleted: undefined,
  unchanged: 'already so',
  conflict: 'changed since',
  'changed since': 'changed since',
};

export async function doToMany(
  trx: Trx,
  actor: Actor,
  act: Act,
  targets: readonly Target[],
  now: number,
): Promise<[id: number, Why][]> {
  const done = await doTogether(trx, actor, act, targets, now);
  if (done) return targets.filter(({ id }) => !done.has(id)).map(({ id }) => [id, 'already so']);
  const left: [number, Why][] = [];
  for (const target of targets) {
    const why = await doTo(trx, actor, act, target, now);
    if (why) left.push([target.id, why]);
  }
  return left;
}

/** @returns those who were not so already; undefined where one of them is refused, before anything is written */
async function doTogether(
  trx: Trx,
  actor: Actor,
  act: Act,
  targets: readonly Target[],
  now: number,
): Promise<ReadonlySet<number> | undefined> {
  const changes = changesOf(act);
  try {
    const result = changes
      ? await changeUsers(
          trx,
          actor,
          targets.map(({ id, version }) => ({ id, version, changes })),
          now,
        )
      : await deleteUsers(trx, actor, targets, now);
    return result.kind === 'changed' ? new Set(result.users.map(({ id }) => id)) : undefined;
  } catch (error) {
    if (error instanceof ForbiddenError || error instanceof LastAdministratorError) return undefined;
    throw error;
  }
}

async function doTo(
  trx: Trx,
  actor: Actor,
  act: Act,
  { id, version }: Target,
  now: number,
): Promise<Why | undefined> {
  const changes = changesOf(act);
  try {
    const result = changes
      ? await changeUser(trx, actor, id, changes, now, version)
      : await deleteUser(trx, actor, id, now, version);
    return WHY[result.kind];
  } catch (error) {
    if (error instanceof NotFoundError) return 'gone';
    if (error instanceof ForbiddenError) return 'not allowed';
    if (error instanceof LastAdministratorError) return 'last administrator';
    throw error;
  }
}
