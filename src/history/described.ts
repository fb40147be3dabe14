/** Change sets with the names of who did it, and to whom. */
import type { Actor } from '../auth/actor.ts';
import { maySeeAccess, maySeeDeleted } from '../auth/policy.ts';
import type { Db } from '../db/schema.ts';
import { NotFoundError } from '../errors.ts';
import { findUnfinished } from '../jobs/queries.ts';
import { KINDS } from './codes.ts';
import { type FieldChanges, unpackSeenFields } from './fields.ts';
import {
  type ChangeOfSet,
  type ChangeSet,
  findChangeSet,
  findChangesOfSets,
  findNames,
  findUndoing,
} from './queries.ts';
import type { Entry } from './timeline.ts';

export type Person = { id: number; name: string };

type Doers = {
  /** Whom one can name. */
  who: Person | undefined;
  undone: { set: ChangeSet; who: Person | undefined; isWhole: boolean } | undefined;
};

export type Described = Doers & {
  set: ChangeSet;
  /** Where it was done to one user. */
  whom: Person | undefined;
  fields: FieldChanges;
};

export type DescribedEntry = Doers & Entry;

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
  const { names, doersOf } = await findDoers(db, sets, sight, sets.map(whomOf));
  return sets.map((set) => {
    const change = changeOf.get(set.id);
    const fields = change ? seenFields(change, names, sight) : {};
    return { set, ...doersOf(set), whom: personOf(whomOf(set), names), fields };
  });
}

/** The timeline of one user. */
export async function describeEntries(
  db: Db,
  entries: readonly Entry[],
  sight: Sight,
): Promise<DescribedEntry[]> {
  const sets = entries.map(({ set }) => set);
  const { doersOf } = await findDoers(db, sets, sight);
  return entries.map((entry) => ({ ...entry, ...doersOf(entry.set) }));
}

/** Who did it, and who has undone it. */
async function findDoers(db: Db, sets: readonly ChangeSet[], sight: Sight, others: (number | null)[] = []) {
  const undoing = await findUndoing(
    db,
    sets.map(({ id }) => id),
  );
  const unfinished = await findUnfinished(
    db,
    [...undoing.values()].map(({ id }) => id),
  );
  const actors = [...sets, ...undoing.values()].map(({ actor_id }) => actor_id);
  const names = await findNames(db, [...actors, ...others], sight.seesDeleted);
  const doersOf = (set: ChangeSet): Doers => {
    const undone = undoing.get(set.id);
    const by = undone && {
      set: undone,
      who: personOf(undone.actor_id, names),
      isWhole: !unfinished.has(undone.id),
    };
    return { who: personOf(set.actor_id, names), undone: by };
  };
  return { names, doersOf };
}

/** @param typed the number, as it stands in an address. @throws NotFoundError also for what is not to be seen */
export async function getSeenSet(db: Db, typed: string, actor: Actor | undefined): Promise<Described> {
  const set = /^[1-9]\d{0,14}$/.test(typed) ? await findChangeSet(db, Number(typed)) : undefined;
  const sight = sightOf(actor);
  const [row] = set ? await describeSets(db, [set], sight) : [];
  if (row === undefined || (row.set.kind === KINDS.access && !sight.seesAccessOf(row.whom?.id ?? 0)))
    throw new NotFoundError('There is nothing with this number in the history.');
  return row;
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
