/** How long is waited before another process is begun in the place of one that has died. */

/** In milliseconds: twice as long each time, unless none has died for a while. Those who die in a pause wait for its end alone. */
const FIRST = 100;
const LONGEST = 60_000;
const FORGOTTEN_AFTER = 60_000;

export class RestartBackoff {
  #inARow = 0;
  #last = Number.NEGATIVE_INFINITY;

  next(now: number): number {
    const left = this.left(now);
    if (left > 0) return Math.ceil(left / FIRST) * FIRST;
    if (now - this.#last >= FORGOTTEN_AFTER) this.#inARow = 0;
    const pause = Math.min(FIRST * 2 ** this.#inARow++, LONGEST);
    this.#last = now + pause;
    return pause;
  }

  left(now: number): number {
    return Math.max(0, this.#last - now);
  }
}
