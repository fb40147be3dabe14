/** A file that is open, and the path at which it lay then: it can be used without an error after it is there no more. */
import { type Stats, statSync } from 'node:fs';

export class PlacedFile {
  readonly path: string;
  whereabouts: 'in place' | 'gone' | 'replaced' = 'in place';
  /** Of what lies at the path, in bytes. */
  size = 0;
  /** What tells a file from any other, under whatever name. */
  readonly #device: number;
  readonly #node: number;

  constructor(path: string) {
    this.path = path;
    const { dev, ino, size } = statSync(path);
    this.#device = dev;
    this.#node = ino;
    this.size = size;
  }

  /** Finds out what lies at the path now. An empty file there is nobody's: SQLite makes one whenever it looks for a log. */
  look(): this {
    const now = statsOf(this.path);
    this.size = now?.size ?? 0;
    if (now?.ino === this.#node && now.dev === this.#device) this.whereabouts = 'in place';
    else this.whereabouts = now && !(now.isFile() && now.size === 0) ? 'replaced' : 'gone';
    return this;
  }
}

function statsOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
