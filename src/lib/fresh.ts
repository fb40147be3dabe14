/** An answer that stands for a while, however many ask, and that nobody waits for longer than they have patience. */
import { setTimeout } from 'node:timers/promises';
import { monotonicTime, type Stopwatch } from './clock.ts';
import { SingleFlight } from './single-flight.ts';

/** Both in milliseconds. `late` is the answer where there is none by then. */
type Terms<T> = { fresh: number; patience: number; late: T; stopwatch?: Stopwatch };

/** @param find what hangs is not begun a second time: it is waited for again */
export function keepFresh<T>(
  find: () => Promise<T>,
  { fresh, patience, late, stopwatch = monotonicTime }: Terms<T>,
): () => Promise<T> {
  const finding = new SingleFlight<T>();
  let answer: Promise<T> | undefined;
  let freshUntil = 0;
  return () => {
    const now = stopwatch();
    if (answer === undefined || now >= freshUntil) {
      freshUntil = now + fresh;
      answer = Promise.race([finding.run(find), setTimeout(patience, late, { ref: false })]);
    }
    return answer;
  };
}
