/** How long the database takes and what it lets wait: told to those who observe it, and not measured while nobody does. */

/** `statement`: at work, with its journey and locks of rows; `commit`: until it is saved; `pool`: until there was a connection; `lock`: until its turn to write. */
export type Part = 'statement' | 'commit' | 'pool' | 'lock';

type Observer = {
  /** Also of what failed, in the async context of whoever waits for it. */
  onPart(part: Part, ms: number): void;
  /** On SQLite: how many transactions were synced to the disk as one. */
  onGroup?(size: number): void;
};

export class Timing {
  readonly #observers = new Set<Observer>();

  observe(observer: Observer): () => void {
    this.#observers.add(observer);
    return () => void this.#observers.delete(observer);
  }

  /** @returns when something begins, for `end`: undefined while nobody wants to know. */
  begin(): number | undefined {
    return this.#observers.size > 0 ? performance.now() : undefined;
  }

  end(part: Part, since: number | undefined): void {
    if (since === undefined) return;
    const ms = performance.now() - since;
    for (const observer of this.#observers) observer.onPart(part, ms);
  }

  group(size: number): void {
    for (const observer of this.#observers) observer.onGroup?.(size);
  }
}
