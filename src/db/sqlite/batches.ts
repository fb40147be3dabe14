/** Long work in this process is done in batches, one after the other, with everyone else's turn in between. */
import { setImmediate } from 'node:timers/promises';

let last: Promise<unknown> = Promise.resolve();

/** @param work some milliseconds long. */
export async function runBatch<T>(work: () => Promise<T>): Promise<T> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const before = last;
  last = promise;
  await before;
  await setImmediate();
  try {
    return await work();
  } finally {
    resolve();
  }
}
