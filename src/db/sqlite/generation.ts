/** A file's generation, which each group of commits raises: `user_version` above its lowest 8 bits, the migration's. */

/** From 1 to this one, and then from 1 again; 0 is that of a file which no Roster of this kind has written to. */
const LAST = 2 ** 22 - 1;
/** A part of the first of all alone: a log in which it comes was begun beside a file of generation 0. */
const FIRST = 2 ** 22;

export function migrationOf(version: number): number {
  return version & 0xff;
}

export function generationOf(version: number): number {
  return version >>> 8;
}

export function withMigration(version: number, migration: number): number {
  return (version & ~0xff) | migration;
}

/** The first of all is at random, so that two files are unlikely to share a history by chance. */
export function nextVersion(version: number): number {
  const generation = generationOf(version);
  const next = generation === 0 ? FIRST + 1 + Math.floor(Math.random() * LAST) : (generation % LAST) + 1;
  return next * 256 + migrationOf(version);
}

/** A file's that takes the place of another one: no log of that one, and nobody who has it open, takes it for what comes next. */
export function distantVersion(version: number, other: number): number {
  const half = Math.ceil(LAST / 2);
  const steps = half + 1 + Math.floor((Math.random() * LAST) / 4);
  return (((generationOf(other) + steps - 1) % LAST) + 1) * 256 + migrationOf(version);
}

/** Whether a generation is one of those from `first` to `last`; where any of them is 0, nobody can tell. */
export function isBetween(generation: number, first: number, last: number): boolean {
  if (generation === 0 || first === 0 || last === 0) return true;
  return stepsFrom(first, generation) <= stepsFrom(first, last);
}

/** Whether a file is as a log has met it, or as a checkpoint of that log has left it. */
export function isOneHistory(generation: number, firstInLog: number, lastInLog: number): boolean {
  if (generation === 0) return firstInLog === 0 || firstInLog >= FIRST;
  if (firstInLog === 0) return lastInLog !== 0;
  // Another program may have put a file of generation 0 into this one.
  return lastInLog === 0 || stepsFrom(firstInLog - 1, generation) <= stepsFrom(firstInLog - 1, lastInLog);
}

// At most half of all generations, else none would be refused. From 0 on nobody can tell, and none leads back to it.
export function isReachable(generation: number, from: number, steps: number): boolean {
  return from === 0 || (generation !== 0 && stepsFrom(from, generation) <= Math.min(steps, LAST / 2));
}

/** FIRST is no multiple of LAST, but one more: the way goes on from the first of all as from any other. */
function stepsFrom(first: number, generation: number): number {
  return (generation - first + 3 * LAST) % LAST;
}
