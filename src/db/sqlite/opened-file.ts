/**
 * Whether the database that SQLite has open is still the one that lies at its path: a file that was removed, or that
 * another was put in the place of, takes every change without an error, and gives none of them back.
 */
import { closeSync, openSync, realpathSync, statSync } from 'node:fs';
import { generationOf, isBetween, isWithin } from './generation.ts';
import { HEADER_SIZE, type Header, readHeader } from './header.ts';

/** How often it is looked at where nothing is written, in milliseconds. */
const INTERVAL = 2_000;
/** More generations than all processes together make in a millisecond. */
const MOST_STEPS = 100;

/**
 * Made before SQLite opens the file, and closed after all of SQLite's connections: with any descriptor of a file that is
 * closed, POSIX takes away all of the process's locks on it (https://sqlite.org/howtocorrupt.html, 2.2).
 */
export class OpenedFile {
  /** Why nothing may be read or written: a sentence; undefined while all is well. */
  problem: string | undefined;
  readonly #path: string;
  readonly #real: string;
  readonly #descriptor: number;
  /** The path and the identity of each file that is a part of it. */
  readonly #parts: { path: string; identity: string }[] = [];
  /** What the file on disk was like when it was looked at last. */
  #generation: number;
  #size: number;
  /** What SQLite says, log and all, and when it did. */
  #newest = { generation: 0, at: 0 };
  #readVersion = () => 0;
  #timer: NodeJS.Timeout | undefined;
  #isForGood = false;
  readonly #header = Buffer.alloc(HEADER_SIZE);

  constructor(path: string, isReadOnly: boolean) {
    this.#path = path;
    this.#real = realpathSync(path);
    // Some file systems in layers make another file of it as soon as it is opened to write.
    this.#descriptor = openSync(this.#real, isReadOnly ? 'r' : 'r+');
    this.#generation = generationOf(readHeader(this.#descriptor)?.version ?? 0);
    this.#size = statSync(path).size;
    this.#add(path);
  }

  /**
   * From when SQLite has opened it.
   * @param readVersion asks SQLite for what its header says, log and all.
   */
  watch(readVersion: () => number): void {
    this.#readVersion = readVersion;
    // It makes the other two files when it reads for the first time.
    this.#newest = { generation: generationOf(readVersion()), at: performance.now() };
    this.#add(`${this.#real}-wal`);
    this.#add(`${this.#real}-shm`);
    this.#timer = setInterval(() => this.look(), INTERVAL).unref();
  }

  /** Looks at the file, and logs what has happened to it, once; returns `problem`. */
  look(): string | undefined {
    if (this.#isForGood) return this.problem;
    const found = this.#findAtPaths();
    if (found !== this.problem) console.error(found ?? `${this.#path} is back: Roster goes on with it.`);
    this.problem = found;
    // Twice: between two steps of one look another process may have done its work.
    if (!found && !this.#isAsWritten() && !this.#isAsWritten()) this.#giveUp();
    return this.problem;
  }

  /**
   * The same for what SQLite reads: is it a version that comes after the last one?
   * @param version of the header, as of this moment.
   */
  follow(version: number): string | undefined {
    const generation = generationOf(version);
    if (!this.#mayFollow(generation)) this.#giveUp();
    this.#newest = { generation, at: performance.now() };
    return this.problem;
  }

  close(): void {
    clearInterval(this.#timer);
    closeSync(this.#descriptor);
  }

  /** Nobody closes the database: that would remove what lies at its paths now, and write into it. */
  leave(): void {
    clearInterval(this.#timer);
    // At the end of the process better-sqlite3 would close it, unless the process ends at once.
    process.off('exit', endAtOnce).once('exit', endAtOnce);
  }

  #add(path: string): void {
    const identity = identityOf(path);
    if (identity) this.#parts.push({ path, identity });
  }

  #findAtPaths(): string | undefined {
    for (const { path, identity } of this.#parts) {
      const now = identityOf(path);
      if (now === undefined)
        return `${path} is gone while Roster had it open: nothing is read or written until it is back.`;
      if (now !== identity)
        return `${path} is not what Roster has opened, but another file in its place: nothing is read or written until the first one is back.`;
    }
    return undefined;
  }

  /** What has been read of another file is in memory: putting the right one back does not help by itself. */
  #giveUp(): void {
    if (this.#isForGood) return;
    this.#isForGood = true;
    this.problem = `${this.#path} was overwritten while Roster had it open: stop Roster, put the right file back without ${this.#real}-wal and ${this.#real}-shm, and start it again.`;
    console.error(this.problem);
  }

  #isAsWritten(): boolean {
    try {
      const { size } = statSync(this.#path);
      const header = readHeader(this.#descriptor, this.#header);
      if (!header || !this.#isOfOneHistory(header) || this.#isShortened(size, header)) return false;
      this.#generation = generationOf(header.version);
      this.#size = size;
      return true;
    } catch {
      // What cannot be read at all is no other file: SQLite says what it is.
      return true;
    }
  }

  /** It was there before, or SQLite has written it since. */
  #isOfOneHistory({ version }: Header): boolean {
    const generation = generationOf(version);
    if (generation === this.#generation) return true;
    if (isBetween(generation, this.#generation, this.#newest.generation)) return true;
    try {
      if (this.follow(this.#readVersion())) return false;
    } catch {
      // As while another process recovers the log: it may have come so far.
      return this.#mayFollow(generation);
    }
    return isBetween(generation, this.#generation, this.#newest.generation);
  }

  #mayFollow(generation: number): boolean {
    const steps = MOST_STEPS * (1 + performance.now() - this.#newest.at);
    return isWithin(generation, this.#newest.generation, steps);
  }

  /** Not so where SQLite has made it smaller, and says so in the header first. */
  #isShortened(size: number, { pages = 0, pageSize }: Header): boolean {
    return size < this.#size && size < pages * pageSize;
  }
}

function endAtOnce(): void {
  process.exit();
}

/** What tells a file from any other, under whatever name; undefined where there is none to be seen. */
function identityOf(path: string): string | undefined {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    return stats && `${stats.dev} ${stats.ino}`;
  } catch {
    return undefined;
  }
}
