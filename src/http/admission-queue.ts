/** Whose request is begun next, and who has waited for too long; in milliseconds, as by `performance.now()`. */

/** In the order of their turns. */
export const KINDS = ['signing in', 'reading', 'writing', 'bulk'] as const;
export type Kind = (typeof KINDS)[number];

/** Who waits longer is refused; sooner would only mean to be asked again sooner. */
export const LONGEST_WAIT = 430;

type Waiting<T> = { item: T; deadline: number };

/** By kind. But whoever has paused before asking comes before all who have not: their crowd holds up nobody else. */
export class AdmissionQueue<T> {
  readonly #queues: Waiting<T>[][] = [...KINDS, ...KINDS].map(() => []);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(item: T, kind: Kind, isHasty: boolean, now: number): void {
    const place = KINDS.indexOf(kind) + (isHasty ? KINDS.length : 0);
    this.#queues[place]?.push({ item, deadline: now + LONGEST_WAIT });
    this.#size++;
  }

  /** @param kinds of which it may be */
  takeNext(kinds: readonly Kind[] = KINDS): T | undefined {
    const isWanted = (place: number) => kinds.some((kind) => place % KINDS.length === KINDS.indexOf(kind));
    return this.#take(this.#queues.find((queue, place) => queue.length > 0 && isWanted(place)));
  }

  takeOldest(then: number): T | undefined {
    const deadlineOf = (queue: Waiting<T>[]) => queue[0]?.deadline ?? Number.POSITIVE_INFINITY;
    const oldest = this.#queues.reduce((one, other) => (deadlineOf(other) < deadlineOf(one) ? other : one));
    return deadlineOf(oldest) <= then ? this.#take(oldest) : undefined;
  }

  #take(queue: Waiting<T>[] | undefined): T | undefined {
    const first = queue?.shift();
    if (first) this.#size--;
    return first?.item;
  }
}
