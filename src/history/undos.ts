/** What has undone change sets, and what of that stands. */
import { engineOf } from '../db/engine.ts';
import type { ChangeSet, Db } from '../db/schema.ts';
import { findChangeSet } from './queries.ts';

/** Whoever reads of one reads of all that have undone it, and each other: for a page that is no more than these. */
const MOST_UNDONE = 100;

/** What has undone a change set, and what has undone that in turn. */
export type Undo = { set: ChangeSet; undos: readonly Undo[] };

/** By the number of what they undo, the last at the end; those that stand, and those that were undone. */
export async function findUndos(db: Db, ids: readonly number[]): Promise<Map<number, Undo[]>> {
  if (ids.length === 0) return new Map();
  const undoing = db.selectFrom('change_sets').selectAll().where(engineOf(db).isOneOf('undoes', ids));
  // Put in order here: sorted in SQL they would be, too, whatever index finds them.
  const sets = (await undoing.where('users', '>', 0).execute()).sort((one, other) => one.id - other.id);
  const again = await findUndos(
    db,
    sets.map(({ id }) => id),
  );
  const undos = sets.map((set) => ({ set, undos: again.get(set.id) ?? [] }));
  return Map.groupBy(undos, ({ set }) => set.undoes ?? 0);
}

/** Whoever undoes an undo makes what that has undone stand again. */
export function isStanding({ undos }: Undo): boolean {
  return !undos.some(isStanding);
}

export async function findUndoing(db: Db, ids: readonly number[]): Promise<Map<number, ChangeSet[]>> {
  const undos = await findUndos(db, ids);
  const standing = [...undos.values()].flat().filter(isStanding);
  return Map.groupBy(
    standing.map(({ set }) => set),
    ({ undoes }) => undoes ?? 0,
  );
}

/** Whether so many of those that this one belongs to were undone. Parts of a large one are undone one by one, and count once that is undone, too. */
export async function isUndoneTooOften(db: Db, set: ChangeSet): Promise<boolean> {
  const first = await findFirst(db, set);
  const undos = (await findUndos(db, [first.id])).get(first.id) ?? [];
  return countUndone({ set: first, undos }) >= MOST_UNDONE;
}

/** What was done before anything of it was undone. */
async function findFirst(db: Db, set: ChangeSet): Promise<ChangeSet> {
  const before = set.undoes === null ? undefined : await findChangeSet(db, set.undoes);
  return before ? findFirst(db, before) : set;
}

function countUndone({ undos }: Undo): number {
  return undos.reduce((sum, undo) => sum + countUndone(undo), undos.length > 0 ? 1 : 0);
}
