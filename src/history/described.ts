/** Change sets with the names of who did it, and to whom. */
import type { Db } from '../db/schema.ts';
import { type FieldChanges, unpackFields } from './fields.ts';
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

export async function describeSets(
  db: Db,
  sets: readonly ChangeSet[],
  seesAccess: boolean,
): Promise<Described[]> {
  const single = sets.filter(({ users, subject_id }) => users === 1 && subject_id === null);
  const changes = await findChangesOfSets(
    db,
    single.map(({ id }) => id),
  );
  const changeOf = new Map<number, ChangeOfSet>(changes.map((change) => [change.set_id, change]));
  const whomOf = (set: ChangeSet) => set.subject_id ?? changeOf.get(set.id)?.user_id ?? null;
  const names = await findNames(
    db,
    sets.flatMap((set) => [set.actor_id, whomOf(set)]),
  );
  return sets.map((set) => {
    const { role, ...fields } = unpackFields(changeOf.get(set.id)?.fields ?? null);
    return {
      set,
      who: personOf(set.actor_id, names),
      whom: personOf(whomOf(set), names),
      fields: seesAccess && role ? { ...fields, role } : fields,
    };
  });
}

export function personOf<I extends number | null>(
  id: I,
  names: ReadonlyMap<number, string>,
): Person | (I extends null ? undefined : never);
export function personOf(id: number | null, names: ReadonlyMap<number, string>): Person | undefined {
  return id === null ? undefined : { id, name: names.get(id) ?? `user ${id}` };
}
