/** Whose request is begun next, and who has waited for too long; in milliseconds, by a stopwatch. */

/** In the order of their turns. */
export const KINDS = ['signing in', 'reading', 'writing', 'bulk'] as const;
export type Kind = (typeof KINDS)[number];

/** Who waits longer is refused; sooner would only mean to be asked again sooner. */
export const LONGEST_WAIT = 450;
/** What takes longer is begun as late as what takes that long. */
const MOST_TAKEN = LONGEST_WAIT / 2;
/** One that takes long is half forgotten after some twenty that do not. */
const FORGOTTEN = 1 / 32;

type Waiting<T> = { item: T; deadline: number };

/** By kind. But whoever has paused before asking comes before all who have not, and last whoever tries passwords so: a crowd holds up nobody else. */
const PLACES: readonly Kind[] = [...KINDS, 'reading', 'writing', 'bulk', 'signing in'];

export class AdmissionQueue<T> {
  /** After all places come the same ones once more, of those who are too late to be answered in time. */
  readonly #queues: Waiting<T>[][] = [...PLACES, ...PLACES].map(() => []);
  /** What one of each kind has taken of late until it was answered. */
  readonly #taken: number[] = KINDS.map(() => 0);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(item: T, kind: Kind, isBursting: boolean, now: number): void {
    const place = isBursting ? PLACES.lastIndexOf(kind) : PLACES.indexOf(kind);
    this.#queues[place]?.push({ item, deadline: now + LONGEST_WAIT });
    this.#size++;
  }

  noteTaken(kind: Kind, time: number): void {
    const before = this.#taken[KINDS.indexOf(kind)] ?? 0;
    const now = Math.max(time, before + (time - before) * FORGOTTEN);
    this.#taken[KINDS.indexOf(kind)] = Math.min(now, MOST_TAKEN);
  }

  /** Who could no longer be answered in time lets everyone else go first. */
  setLateAside(now: number): void {
    for (const [place, kind] of PLACES.entries()) {
      const end = now + (this.#taken[KINDS.indexOf(kind)] ?? 0);
      const queue = this.#queues[place] ?? [];
      for (let first = queue[0]; first && first.deadline <= end; first = queue[0]) {
        this.#queues[place + PLACES.length]?.push(first);
        queue.shift();
      }
    }
  }

  takeNext(kinds: readonly Kind[] = KINDS): T | undefined {
    const isWanted = (place: number) => kinds.some((kind) => kind === PLACES[place % PLACES.length]);
    return this.#take(this.#queues.find((queue, place) => queue.length > 0 && isWanted(place)));
  }

  takeOldest(then: number): T | undefined {
    let oldest = this.#queues[0] ?? [];
    for (const queue of this.#queues) if (deadlineOf(queue) < deadlineOf(oldest)) oldest = queue;
    return deadlineOf(oldest) <= then ? this.#take(oldest) : undefined;
  }

  #take(queue: Waiting<T>[] | undefined): T | undefined {
    const first = queue?.shift();
    if (first) this.#size--;
    return first?.item;
  }
}

function deadlineOf<T>(queue: Waiting<T>[]): number {
  return queue[0]?.deadline ?? Number.POSITIVE_INFINITY;
}
