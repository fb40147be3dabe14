/** A moment by which an answer has to be there. All times are in milliseconds. */

export type Stopwatch = () => number;

export class Deadline {
  readonly #moment: number;
  readonly #stopwatch: Stopwatch;

  private constructor(moment: number, stopwatch: Stopwatch) {
    this.#moment = moment;
    this.#stopwatch = stopwatch;
  }

  static in(milliseconds: number, stopwatch: Stopwatch = () => performance.now()): Deadline {
    return new Deadline(stopwatch() + milliseconds, stopwatch);
  }

  before(milliseconds: number): Deadline {
    return new Deadline(this.#moment - milliseconds, this.#stopwatch);
  }

  get left(): number {
    return this.#moment - this.#stopwatch();
  }

  get isPast(): boolean {
    return this.left < 0;
  }
}
