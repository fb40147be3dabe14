/** Beside which change sets an Undo is offered: where whoever looks could do something of it. */
import type { Actor } from '../auth/actor.ts';
import { isOwnEmail, mayChange, mayChangeOwn, mayEdit } from '../auth/policy.ts';
import type { Db, Role } from '../db/schema.ts';
import { usersByIds } from '../db/users-by-ids.ts';
import { findDeletedByIds } from './deleted-queries.ts';
import { type FieldChanges, unpackValues } from './fields.ts';
import { type ChangeSet, findUsersOfSets } from './queries.ts';
import { findUndoneTooOften } from './undos.ts';
import { isUndoable } from './words.ts';

/** Of what was done to more users it is not looked beforehand who they are. */
const MOST_LOOKED_AT = 100;

export type Offered = { set: ChangeSet; whom: number | null; fields: FieldChanges };

export async function findOffered(
  db: Db,
  actor: Actor | undefined,
  shown: readonly Offered[],
): Promise<ReadonlySet<number>> {
  if (actor === undefined) return new Set();
  const undoable = shown.filter((one) => isUndoable(one.set) && !isOwnEmailAlone(actor, one));
  const sets = undoable.map(({ set }) => set);
  const others = mayEdit(actor) ? await findChangeable(db, actor, sets) : [];
  const own = undoable.filter((one) => isOwn(actor, one)).map(({ set }) => set);
  const offered = [...others, ...own];
  const refused = await findUndoneTooOften(db, offered);
  return new Set(offered.map(({ id }) => id).filter((id) => !refused.has(id)));
}

/** Without those that were done to nobody but users who are erased, or whom the actor may not change. */
async function findChangeable(db: Db, actor: Actor, sets: readonly ChangeSet[]): Promise<ChangeSet[]> {
  const few = sets.filter(({ users }) => users <= MOST_LOOKED_AT);
  const pairs = await findUsersOfSets(
    db,
    few.map(({ id }) => id),
  );
  const roles = await findRoles(
    db,
    pairs.map(({ user_id }) => user_id),
  );
  const changeable = pairs.filter(({ user_id }) => {
    const role = roles.get(user_id);
    return role !== undefined && mayChange(actor, { role });
  });
  const ids = new Set(changeable.map(({ set_id }) => set_id));
  return sets.filter((set) => !few.includes(set) || ids.has(set.id));
}

async function findRoles(db: Db, ids: readonly number[]): Promise<ReadonlyMap<number, Role>> {
  const wanted = [...new Set(ids)];
  if (wanted.length === 0) return new Map();
  const there = await usersByIds(db, wanted).select(['users.id', 'users.role']).execute();
  const roles = new Map(there.map(({ id, role }) => [id, role]));
  const gone = wanted.filter((id) => !roles.has(id));
  for (const { id, fields } of await findDeletedByIds(db, gone)) roles.set(id, unpackValues(fields).role);
  return roles;
}

function isOwnEmailAlone(actor: Actor, { set, whom, fields }: Offered): boolean {
  const names = Object.keys(fields);
  return set.users === 1 && whom !== null && names.length === 1 && isOwnEmail(actor, whom, names);
}

function isOwn(actor: Actor, { set, whom, fields }: Offered): boolean {
  const names = Object.keys(fields);
  return set.users === 1 && whom !== null && names.length > 0 && mayChangeOwn(actor, whom, names);
}
