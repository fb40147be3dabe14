/** How much of a change set is left once it was undone, as far as what was kept of that says it for certain. */
import type { Job } from '../jobs/queries.ts';
import { isStanding, type Undo } from './undos.ts';

export type Jobs = ReadonlyMap<number, Pick<Job, 'total' | 'done'>>;

/** @param users of the set @returns of how many something is left; undefined where it was undone in several parts */
export function countLeft(users: number, undos: readonly Undo[], jobs: Jobs): number | undefined {
  const last = undos.findLast(isStanding);
  if (last === undefined) return users;
  const { total, done } = jobs.get(last.set.id) ?? { total: users, done: users };
  const later = undos.filter(({ set }) => set.id > last.set.id);
  const isKnown = total >= users && isIntact(last, undos, jobs) && leaveNothing(later, jobs);
  return isKnown ? users - done : undefined;
}

/** Whether all that it has undone is so still: nothing before it was undone, or done again, after it, nor while others held. */
export function isIntact(undo: Undo, all: readonly Undo[], jobs: Jobs): boolean {
  const { set, undos } = undo;
  const earlier = all.filter((other) => other.set.id < set.id);
  const later = all.filter((other) => other.set.id > set.id);
  return (
    earlier.every((other) => lastOf(other) < set.id) &&
    later.every((other) => isApart(other, undo)) &&
    leaveNothing(undos, jobs)
  );
}

/** Whoever was as before by the one while the other was done again was passed over, and is not once the one is undone. */
function isApart(other: Undo, undo: Undo): boolean {
  const last = lastOf(other);
  return idsWithUndos([undo]).every((id) => id < other.set.id || id > last);
}

function leaveNothing(undos: readonly Undo[], jobs: Jobs): boolean {
  return undos.every((undo) => countLeft(undo.set.users, undo.undos, jobs) === 0);
}

function lastOf({ set, undos }: Undo): number {
  return Math.max(set.id, ...undos.map(lastOf));
}

export function idsWithUndos(undos: readonly Undo[]): number[] {
  return undos.flatMap(({ set, undos }) => [set.id, ...idsWithUndos(undos)]);
}
