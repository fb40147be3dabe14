/** Who asks again and again without a pause. All times are in milliseconds, by a stopwatch. */

/** Whoever asks more often without such a pause is hasty. */
const BURST = 3;
const PAUSE = 1_000;

export type Asker<Who> = { who: Who; count: number; last: number };

export function isHasty(asker: Asker<unknown> | undefined): boolean {
  return asker !== undefined && asker.count > BURST;
}

/** Knows those who have asked within the last pause or the one before: whoever else asks has paused. */
export class Askers<Who> {
  #recent = new Map<Who, Asker<Who>>();
  #before = new Map<Who, Asker<Who>>();
  #since = 0;

  note(who: Who, now: number): Asker<Who> {
    const asker = this.#recent.get(who) ?? this.#before.get(who) ?? { who, count: 0, last: now };
    asker.count = now - asker.last < PAUSE ? asker.count + 1 : 1;
    this.keep(asker, now);
    return asker;
  }

  /** They have waited until now: that is no pause. */
  keep(asker: Asker<Who>, now: number): void {
    if (now - this.#since >= PAUSE) {
      this.#before = this.#recent;
      this.#recent = new Map();
      this.#since = now;
    }
    asker.last = now;
    this.#recent.set(asker.who, asker);
  }
}
