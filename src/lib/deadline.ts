/** A moment by which an answer has to be there. All times are in milliseconds. */
import { monotonicTime, type Stopwatch } from './clock.ts';

export class Deadline {
  readonly #moment: number;
  readonly #stopwatch: Stopwatch;
  readonly #gone: AbortSignal | undefined;

  private constructor(moment: number, stopwatch: Stopwatch, gone: AbortSignal | undefined) {
    this.#moment = moment;
    this.#stopwatch = stopwatch;
    this.#gone = gone;
  }

  static in(milliseconds: number, stopwatch: Stopwatch = monotonicTime, gone?: AbortSignal): Deadline {
    return new Deadline(stopwatch() + milliseconds, stopwatch, gone);
  }

  before(milliseconds: number): Deadline {
    return new Deadline(this.#moment - milliseconds, this.#stopwatch, this.#gone);
  }

  get left(): number {
    return this.#gone?.aborted ? Number.NEGATIVE_INFINITY : this.#moment - this.#stopwatch();
  }

  get isPast(): boolean {
    return this.left < 0;
  }
}
