/** By what processes, and threads, see that others wait to write: SQLite has no queue, and whoever goes on at once would leave them none. */
import { statSync, utimesSync } from 'node:fs';

/** The times of the index beside the log: nobody else looks at them, and there is nothing to clear away after a kill. */
export class WaitingSign {
  readonly #path: string;
  #seen: number | undefined;

  /** @param path of the index */
  constructor(path: string) {
    this.#path = path;
  }

  show(): void {
    const now = new Date();
    try {
      utimesSync(this.#path, now, now);
    } catch {
      // Where it is gone, or the disk is read-only, the database says so.
    }
  }

  /** From here on others are meant: to be called by whoever waits no more. */
  forget(): void {
    this.#seen = this.#read();
  }

  isShown(): boolean {
    return this.#read() !== this.#seen;
  }

  #read(): number | undefined {
    try {
      return statSync(this.#path).mtimeMs;
    } catch {
      return this.#seen;
    }
  }
}
