/** Change sets with the names of who did it, and to whom. */
import type { Actor } from '../auth/actor.ts';
import { maySeeAccess, maySeeDeleted } from '../auth/policy.ts';
import type { Db } from '../db/schema.ts';
import { NotFoundError } from '../errors.ts';
import { findJobsOfSets, type Job } from '../jobs/queries.ts';
import { plainNumber } from '../lib/text.ts';
import { type FieldChanges, unpackSeenFields } from './fields.ts';
import { isAboutAccess, KINDS, nameOfCode } from './kinds.ts';
import { findOffered, type Offered } from './offered-undo.ts';
import { type ChangeOfSet, type ChangeSet, findChangeSet, findChangesOfSets, findNames } from './queries.ts';
import type { Entry } from './timeline.ts';
import { countLeft, idsWithUndos } from './undo-progress.ts';
import { findUndos, isStanding, type Undo } from './undos.ts';

export type Person = { id: number; name: string };

type SetContext = {
  who: Person | undefined;
  /** `left`: of how many users something is not undone, where that is known; `isOver`: whether nothing is under way. */
  undone: { set: ChangeSet; who: Person | undefined; left: number | undefined; isOver: boolean } | undefined;
  isOffered: boolean;
  state: Job['state'] | undefined;
};

export type DescribedSet = SetContext & {
  set: ChangeSet;
  whom: Person | undefined;
  fields: FieldChanges;
};

export type DescribedEntry = SetContext & Entry;

export type Visibility = {
  actor: Actor | undefined;
  seesAccessOf: (userId: number) => boolean;
  seesDeleted: boolean;
};

export function visibilityFor(actor: Actor | undefined): Visibility {
  return {
    actor,
    seesAccessOf: (userId) => actor !== undefined && maySeeAccess(actor, userId),
    seesDeleted: actor !== undefined && maySeeDeleted(actor),
  };
}

export async function describeSets(
  db: Db,
  sets: readonly ChangeSet[],
  visibility: Visibility,
): Promise<DescribedSet[]> {
  const single = sets.filter(({ users, event }) => users === 1 && event === null);
  const changes = await findChangesOfSets(
    db,
    single.map(({ id }) => id),
  );
  const changeOf = new Map<number, ChangeOfSet>(changes.map((change) => [change.set_id, change]));
  const whomOf = (set: ChangeSet) => set.subject_id ?? changeOf.get(set.id)?.user_id ?? null;
  const undos = await findUndos(db, sets.map(idOf));
  const names = await findNamesOf(db, sets, undos, visibility, sets.map(whomOf));
  const shown = sets.map((set) => {
    const change = changeOf.get(set.id);
    return { set, whom: whomOf(set), fields: change ? seenFields(change, names, visibility) : {} };
  });
  const contextOf = await findContext(db, shown, undos, names, visibility);
  return shown.map((one) => ({ ...one, ...contextOf(one.set), whom: personOf(one.whom, names) }));
}

export async function describeEntries(
  db: Db,
  entries: readonly Entry[],
  whom: number,
  visibility: Visibility,
): Promise<DescribedEntry[]> {
  const sets = entries.map(({ set }) => set);
  const undos = await findUndos(db, sets.map(idOf));
  const names = await findNamesOf(db, sets, undos, visibility);
  const shown = entries.map((entry) => ({ ...entry, whom }));
  const contextOf = await findContext(db, shown, undos, names, visibility);
  return entries.map((entry) => ({ ...entry, ...contextOf(entry.set) }));
}

type Undos = ReadonlyMap<number, readonly Undo[]>;

async function findNamesOf(
  db: Db,
  sets: readonly ChangeSet[],
  undos: Undos,
  { seesDeleted }: Visibility,
  others: (number | null)[] = [],
) {
  const undoing = [...undos.values()].flat().map(({ set }) => set);
  const actors = [...sets, ...undoing].map(({ actor_id }) => actor_id);
  return findNames(db, [...actors, ...others], seesDeleted);
}

async function findContext(
  db: Db,
  shown: readonly Offered[],
  undos: Undos,
  names: ReadonlyMap<number, string>,
  { actor }: Visibility,
): Promise<(set: ChangeSet) => SetContext> {
  const sets = [...shown.map(({ set }) => set.id), ...idsWithUndos([...undos.values()].flat())];
  const jobs = await findJobsOfSets(db, sets);
  const offered = await findOffered(db, actor, shown);
  return (set) => {
    const all = undos.get(set.id) ?? [];
    const last = all.findLast(isStanding)?.set;
    const left = countLeft(set.users, all, jobs);
    const state = jobs.get(set.id)?.state;
    const isOver = last === undefined || (jobs.get(last.id)?.state ?? 'done') === 'done';
    return {
      who: personOf(set.actor_id, names),
      undone: last && { set: last, who: personOf(last.actor_id, names), left, isOver },
      isOffered: offered.has(set.id) && state !== 'running',
      state,
    };
  };
}

function idOf({ id }: ChangeSet): number {
  return id;
}

/** @param typed the number, as it stands in an address. @throws NotFoundError also for what is not to be seen */
export async function getSeenSet(db: Db, typed: string, actor: Actor | undefined): Promise<DescribedSet> {
  const id = plainNumber(typed);
  const set = id === undefined ? undefined : await findChangeSet(db, id);
  const visibility = visibilityFor(actor);
  const [row] = set ? await describeSets(db, [set], visibility) : [];
  const kind = row && nameOfCode(KINDS, row.set.kind);
  if (row === undefined || (kind && isAboutAccess(kind) && !visibility.seesAccessOf(row.whom?.id ?? 0)))
    throw new NotFoundError('There is nothing with this number in the history.');
  return row;
}

/** Without a role, and without what someone was who is deleted, where that is not to be seen. */
export function seenFields(
  { user_id, fields: packed }: ChangeOfSet,
  names: ReadonlyMap<number, string>,
  { seesAccessOf, seesDeleted }: Visibility,
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
