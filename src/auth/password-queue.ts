/** Whose password is hashed next: each takes a core, and 19 MiB. */
import { availableParallelism } from 'node:os';
import { BusyError } from '../errors.ts';

/** How many may wait for their turn, of all and of one place; at some 30 ms each, the last of them for a few seconds. */
const MOST_WAITING = { all: 256, place: 64 };

/** As many work at once as there are cores. Places take turns: whoever fills one, such as a network, blocks no other. */
export class FairQueue {
  readonly #most: number;
  readonly #mostWaiting: typeof MOST_WAITING;
  #running = 0;
  /** In the order of their turns; a place where nobody waits is not here. */
  readonly #places = new Map<string, Waiting[]>();

  constructor(most = availableParallelism(), mostWaiting = MOST_WAITING) {
    this.#most = most;
    this.#mostWaiting = mostWaiting;
  }

  /** For one of so many processes of a Roster, of which each has its part of the cores. */
  static ofOne(processes: number): FairQueue {
    return new FairQueue(Math.ceil(availableParallelism() / processes));
  }

  /** @throws BusyError when too many wait already. */
  async run<T>(place: string, work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#most) this.#running++;
    else await this.#wait(place);
    try {
      return await work();
    } finally {
      const next = this.#takeNext();
      if (next) next.begin();
      else this.#running--;
    }
  }

  async #wait(place: string): Promise<void> {
    const own = this.#places.get(place) ?? [];
    if (own.length >= this.#mostWaiting.place) throw tooManyThere();
    if (this.#size() >= this.#mostWaiting.all) this.#turnAwayAtFullest(own.length);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    own.push({ begin: resolve, turnAway: reject });
    this.#places.set(place, own);
    await promise;
  }

  /** The last who came to the fullest place gives way to someone from a place where fewer wait. */
  #turnAwayAtFullest(fewer: number): void {
    const fullest = [...this.#places.values()].reduce((one, other) =>
      other.length > one.length ? other : one,
    );
    if (fullest.length <= fewer + 1) throw new BusyError('Too many wait.');
    fullest.pop()?.turnAway(tooManyThere());
  }

  #takeNext(): Waiting | undefined {
    for (const [place, [next, ...others]] of this.#places) {
      this.#places.delete(place);
      if (others.length > 0) this.#places.set(place, others);
      return next;
    }
    return undefined;
  }

  #size(): number {
    return [...this.#places.values()].reduce((sum, waiting) => sum + waiting.length, 0);
  }
}

type Waiting = { begin: () => void; turnAway: (error: Error) => void };

function tooManyThere(): BusyError {
  return new BusyError('Too many wait there.');
}
