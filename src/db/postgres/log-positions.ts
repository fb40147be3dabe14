/** How far the primary's log was at which times: by that it is known how old it may be what a replica shows. */

/** In milliseconds: a failover is over by then; for longer nobody knows whether only Roster does not reach the primary. */
const LONGEST_SILENCE = 60_000;

type Sample = { at: number; position: number };

export class LogPositions {
  readonly #kept: number;
  #samples: Sample[] = [];

  /** @param kept for how many milliseconds back it is to be known */
  constructor(kept: number) {
    this.#kept = kept;
  }

  /** @param position all that was saved before `at` is before it, or there */
  note(at: number, position: number): void {
    const firstKept = this.#samples.findLastIndex((sample) => sample.at <= at - this.#kept);
    this.#samples = [...this.#samples.slice(Math.max(0, firstKept)), { at, position }];
  }

  get last(): number {
    return this.#samples.at(-1)?.position ?? 0;
  }

  /** In milliseconds: 0 where all that is known of is there, also while nothing is written or the primary is silent for a while. */
  lagOf(position: number, now: number): number {
    const last = this.#samples.at(-1);
    if (last === undefined || now - last.at > LONGEST_SILENCE) return Number.POSITIVE_INFINITY;
    const reached = this.#samples.findLast((sample) => sample.position <= position);
    if (reached === undefined) return Number.POSITIVE_INFINITY;
    return reached === last ? 0 : now - reached.at;
  }
}
