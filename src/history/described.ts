/** Change sets with the names of who did it, and to whom. */
import type { Actor } from '../auth/actor.ts';
import { maySeeAccess, maySeeDeleted } from '../auth/policy.ts';
import type { Db } from '../db/schema.ts';
import { type FieldChanges, unpackSeenFields } from './fields.ts';
import { type ChangeOfSet, type ChangeSet, findChangesOfSets, findNames } from './queries.ts';

export type Person = { id: number; name: string };

export type Described = {
  set: ChangeSet;
  /** Whom one can name. */
  who: Person | undefined;
  /** Where it was done to one user. */
  whom: Person | undefined;
  fields: FieldChanges;
};

/** What whoever asks may see beyond what all who read may. */
export type Sight = { seesAccessOf: (userId: number) => boolean; seesDeleted: boolean };

export function sightOf(actor: Actor | undefined): Sight {
  return {
    seesAccessOf: (userId) => actor !== undefined && maySeeAccess(actor, userId),
    seesDeleted: actor !== undefined && maySeeDeleted(actor),
  };
}

export async function describeSets(db: Db, sets: readonly ChangeSet[], sight: Sight): Promise<Described[]> {
  const single = sets.filter(({ users, event }) => users === 1 && event === null);
  const changes = await findChangesOfSets(
    db,
    single.map(({ id }) => id),
  );
  const changeOf = new Map<number, ChangeOfSet>(changes.map((change) => [change.set_id, change]));
  const whomOf = (set: ChangeSet) => set.subject_id ?? changeOf.get(set.id)?.user_id ?? null;
  const ids = sets.flatMap((set) => [set.actor_id, whomOf(set)]);
  const names = await findNames(db, ids, sight.seesDeleted);
  return sets.map((set) => {
    const change = changeOf.get(set.id);
    return {
      set,
      who: personOf(set.actor_id, names),
      whom: personOf(whomOf(set), names),
      fields: change ? seenFields(change, names, sight) : {},
    };
  });
}

/** Without a role, and without what someone was who is deleted, where that is not to be seen. */
export function seenFields(
  { user_id, fields: packed }: ChangeOfSet,
  names: ReadonlyMap<number, string>,
  { seesAccessOf, seesDeleted }: Sight,
): FieldChanges {
  return seesDeleted || names.has(user_id) ? unpackSeenFields(packed, seesAccessOf(user_id)) : {};
}

export function personOf<I extends number | null>(
  id: I,
  names: ReadonlyMap<number, string>,
): Person | (I extends null ? undefined : never);
export function personOf(id: number | null, names: ReadonlyMap<number, string>): Person | undefined {
  return id === null ? undefined : { id, name: names.get(id) ?? `user ${id}` };
}
