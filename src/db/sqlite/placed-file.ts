/** A file that is open, and the path at which it lay then: it can be used without an error when it is there no more. */
import { existsSync, type Stats, statSync } from 'node:fs';

export class PlacedFile {
  readonly path: string;
  whereabouts: 'in place' | 'gone' | 'replaced' = 'in place';
  size = 0;
  readonly #device: number;
  readonly #inode: number;

  constructor(path: string) {
    this.path = path;
    const { dev, ino, size } = statSync(path);
    this.#device = dev;
    this.#inode = ino;
    this.size = size;
  }

  static at(path: string): PlacedFile | undefined {
    return existsSync(path) ? new PlacedFile(path) : undefined;
  }

  /** An empty file at the path is nobody's: SQLite makes one whenever it looks for a log. */
  look(): this {
    const now = statsOf(this.path);
    this.size = now?.size ?? 0;
    if (now?.ino === this.#inode && now.dev === this.#device) this.whereabouts = 'in place';
    else this.whereabouts = now && !(now.isFile() && now.size === 0) ? 'replaced' : 'gone';
    return this;
  }

  /** What has become of it as of the last look, and until when nothing goes on; undefined where it is in place. */
  describe(untilWhen: string): string | undefined {
    if (this.whereabouts === 'in place') return undefined;
    return this.whereabouts === 'gone'
      ? `${this.path} is gone while Roster had it open: nothing is read or written ${untilWhen}.`
      : `${this.path} is not what Roster has opened, but another file in its place: nothing is read or written until the first one is back.`;
  }
}

function statsOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
