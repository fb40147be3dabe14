/** So many exports at a time; others wait for their turn, in the order in which they have come, and ask for it again and again. */
import type { Stopwatch } from '../lib/clock.ts';

/** `written`: at once. `open`: of those, too, that are written and still being read; of them so many of one person. */
export type Most = { written: number; open: number; ofOne: number };

/** Each of these may be called again. */
export type Slot = { endWriting(): void; endReading(): void };

/** Where several processes answer, their parent has them. */
export type TakeSlot = (who: string) => Promise<Slot | undefined>;

export const MOST: Most = { written: 2, open: 10, ofOne: 2 };

const GONE_AFTER_MS = 10_000;

export class Slots {
  readonly #most: Most;
  readonly #stopwatch: Stopwatch;
  readonly #waiting = new Map<string, number>();
  readonly #open: string[] = [];
  #writing = 0;

  constructor(most: Most, stopwatch: Stopwatch) {
    this.#most = most;
    this.#stopwatch = stopwatch;
  }

  take(who: string): Slot | undefined {
    const { written, open, ofOne } = this.#most;
    // They wait for themselves, and hold up nobody else.
    if (this.#open.filter((one) => one === who).length >= ofOne) return undefined;
    const now = this.#stopwatch();
    for (const [other, asked] of this.#waiting) if (now - asked > GONE_AFTER_MS) this.#waiting.delete(other);
    this.#waiting.set(who, now);
    const before = [...this.#waiting.keys()].indexOf(who);
    if (this.#open.length + before >= open || this.#writing + before >= written) return undefined;
    this.#waiting.delete(who);
    return this.#begin(who);
  }

  #begin(who: string): Slot {
    this.#writing++;
    this.#open.push(who);
    return {
      endWriting: once(() => this.#writing--),
      endReading: once(() => this.#open.splice(this.#open.indexOf(who), 1)),
    };
  }
}

/** Of a Roster that is one process. */
export function ownSlots(stopwatch: Stopwatch): TakeSlot {
  const slots = new Slots(MOST, stopwatch);
  return async (who) => slots.take(who);
}

function once(end: () => unknown): () => void {
  let isOver = false;
  return () => {
    if (!isOver) end();
    isOver = true;
  };
}
