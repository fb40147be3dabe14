/** An answer that stands for a while, however many ask, and that nobody waits for longer than a timeout. */
import { setTimeout } from 'node:timers/promises';
import { monotonicTime, type Stopwatch } from './clock.ts';
import { SingleFlight } from './single-flight.ts';

/** Both in milliseconds. `fallback`: the answer where there is none by then. */
type Options<T> = { ttl: number; timeout: number; fallback: T; stopwatch?: Stopwatch };

/** @param find what hangs is not begun a second time: it is waited for again */
export function cacheFor<T>(
  find: () => Promise<T>,
  { ttl, timeout, fallback, stopwatch = monotonicTime }: Options<T>,
): () => Promise<T> {
  const finding = new SingleFlight<T>();
  let answer: Promise<T> | undefined;
  let expiresAt = 0;
  return () => {
    const now = stopwatch();
    if (answer === undefined || now >= expiresAt) {
      expiresAt = now + ttl;
      answer = Promise.race([finding.run(find), setTimeout(timeout, fallback, { ref: false })]);
    }
    return answer;
  };
}
