/** Long work in this process is done in batches, one after the other, with everyone else's turn in between. */
import { setImmediate } from 'node:timers/promises';
import { Deadline } from '../../lib/deadline.ts';

/** In milliseconds: a search that takes longer goes on in turns with what gives way to it. */
const LONGEST_WAY = 100;

/** So many searches share the time: with more, each of them would take too long. */
const MOST_AT_ONCE = 4;

let last: Promise<unknown> = Promise.resolve();
let waiting = 0;

/** @param work some milliseconds long. */
export async function runBatch<T>(work: () => Promise<T>): Promise<T> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const before = last;
  last = promise;
  waiting++;
  await before;
  await setImmediate();
  try {
    return await work();
  } finally {
    waiting--;
    resolve();
  }
}

export function isCrowded(): boolean {
  return waiting >= MOST_AT_ONCE;
}

/** For work that nobody waits for: where a page takes many batches, it would else be held up between any two of them. */
export async function giveWay(deadline = Deadline.in(LONGEST_WAY)): Promise<void> {
  do await setImmediate();
  while (waiting > 0 && !deadline.isPast);
}
