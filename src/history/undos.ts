/** What has undone change sets, and what of that stands. */
import { engineOf } from '../db/engine.ts';
import type { ChangeSet, Db } from '../db/schema.ts';

/** Whoever reads of one reads of all that have undone it, and each other: for a page that is no more than these. */
const MOST_UNDONE = 100;

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

type Undoing = Pick<ChangeSet, 'id' | 'undoes'>;

/** Those that may not be undone: of all that belongs to them so much was. Parts count once they are undone themselves. */
export async function findUndoneTooOften(db: Db, sets: readonly Undoing[]): Promise<ReadonlySet<number>> {
  const firsts = await findFirsts(db, sets, MOST_UNDONE);
  const undos = await findUndos(db, [...new Set(firsts.values())]);
  const refused = [...firsts].filter(([, first]) => countUndone(undos.get(first) ?? []) >= MOST_UNDONE);
  return new Set(refused.map(([id]) => id));
}

/** By the number of each, what was there before any of it was undone; or what is so many steps before. */
async function findFirsts(db: Db, sets: readonly Undoing[], steps: number): Promise<Map<number, number>> {
  const undone = sets.flatMap(({ undoes }) => undoes ?? []);
  if (undone.length === 0 || steps === 0) return new Map(sets.map(({ id }) => [id, id]));
  const before = db.selectFrom('change_sets').select(['id', 'undoes']);
  const found = await before.where(engineOf(db).isOneOf('id', undone)).execute();
  const firsts = await findFirsts(db, found, steps - 1);
  return new Map(sets.map(({ id, undoes }) => [id, firsts.get(undoes ?? 0) ?? id]));
}

function countUndone(undos: readonly Undo[]): number {
  return undos.reduce((sum, undo) => sum + countUndone(undo.undos), undos.length > 0 ? 1 : 0);
}
