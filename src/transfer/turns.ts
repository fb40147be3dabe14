/** So many at a time; others wait for their turn, in the order in which they have come, and ask for it again and again. */
import type { Clock } from '../lib/clock.ts';

/** Whoever has not asked for so long, in milliseconds, has gone. */
const PATIENCE = 10_000;

export class Turns {
  readonly #most: number;
  readonly #clock: Clock;
  readonly #waiting = new Map<string, number>();
  #running = 0;

  constructor(most: number, clock: Clock) {
    this.#most = most;
    this.#clock = clock;
  }

  /** @returns what ends the turn; undefined for whoever has to ask again. @param who as whom they ask again */
  take(who: string): (() => void) | undefined {
    const now = this.#clock();
    for (const [other, asked] of this.#waiting) if (now - asked > PATIENCE) this.#waiting.delete(other);
    this.#waiting.set(who, now);
    const before = [...this.#waiting.keys()].indexOf(who);
    if (this.#running + before >= this.#most) return undefined;
    this.#waiting.delete(who);
    this.#running++;
    return () => {
      this.#running--;
    };
  }
}
