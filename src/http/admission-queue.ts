/** Whose request is begun next where not all can be at once, and who has waited for too long. */

/** From the first to the last. */
export const KINDS = ['signing in', 'reading', 'writing'] as const;
export type Kind = (typeof KINDS)[number];

/** Whoever has waited for so long, in milliseconds, is refused; sooner would only mean to be asked again sooner. */
export const LONGEST_WAIT = 300;

type Waiting<T> = { item: T; deadline: number };

/**
 * By kind, and within one first come, first served. But whoever has paused before asking comes before all who have not: a
 * crowd that never does holds up nobody else. All times are in milliseconds, as by `performance.now()`.
 */
export class AdmissionQueue<T> {
  /** In the order of their turns. */
  readonly #queues: Waiting<T>[][] = [[], [], [], [], [], []];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(item: T, kind: Kind, isHasty: boolean, now: number): void {
    const place = KINDS.indexOf(kind) + (isHasty ? KINDS.length : 0);
    this.#queues[place]?.push({ item, deadline: now + LONGEST_WAIT });
    this.#size++;
  }

  takeNext(): T | undefined {
    return this.#take(this.#queues.find((queue) => queue.length > 0));
  }

  /** Someone whose time was over then. */
  takeLate(then: number): T | undefined {
    return this.#take(this.#queues.find((queue) => Number(queue[0]?.deadline) <= then));
  }

  #take(queue: Waiting<T>[] | undefined): T | undefined {
    const first = queue?.shift();
    if (first) this.#size--;
    return first?.item;
  }
}
