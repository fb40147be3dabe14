/** Notices that the file SQLite has open was removed, replaced or overwritten: SQLite would go on without an error. */
import { closeSync, openSync, realpathSync } from 'node:fs';
import { StartError } from '../../errors.ts';
import { monotonicTime, type Stopwatch } from '../../lib/clock.ts';
import { generationOf, isBetween, isReachable } from './generation.ts';
import { HEADER_SIZE, type Header, readHeader } from './header.ts';
import { PlacedFile } from './placed-file.ts';

const IDLE_INTERVAL_MS = 2_000;
const MOST_GENERATIONS_PER_MS = 20;

/** `isBeside`: another thread of this process has it open, too; it is then never closed by this one. */
export type HowOpened = { isReadOnly?: boolean; isBeside?: boolean; stopwatch?: Stopwatch | undefined };

// Closed after SQLite's connections: closing any descriptor of a file ends the process's locks on it (https://sqlite.org/howtocorrupt.html, 2.2).
export class OpenedFile {
  /** Why nothing may be read or written: a sentence; undefined while all is well. */
  problem: string | undefined;
  readonly #real: string;
  readonly #isBeside: boolean;
  readonly #stopwatch: Stopwatch;
  readonly descriptor: number;
  readonly #file: PlacedFile;
  #log: PlacedFile | undefined;
  #index: PlacedFile | undefined;
  #seenGeneration: number;
  #seenSize: number;
  #sizeByHeader = 0;
  #newest = { generation: 0, at: 0 };
  #readVersion = () => 0;
  #timer: NodeJS.Timeout | undefined;
  #isOverwritten = false;
  readonly #header = Buffer.alloc(HEADER_SIZE);

  constructor(
    path: string,
    { isReadOnly = false, isBeside = false, stopwatch = monotonicTime }: HowOpened = {},
  ) {
    this.#isBeside = isBeside;
    this.#stopwatch = stopwatch;
    this.#real = realpathSync(path);
    // Some file systems in layers make another file of it as soon as it is opened to write.
    this.descriptor = openSync(this.#real, isReadOnly ? 'r' : 'r+');
    this.#file = new PlacedFile(path);
    this.#seenGeneration = generationOf(readHeader(this.descriptor)?.version ?? 0);
    this.#seenSize = this.#file.size;
  }

  /** While SQLite was waiting to open it, another one may have been put in its place, as by a restore. @throws StartError */
  refuseReplaced(): void {
    if (this.#file.look().whereabouts === 'replaced')
      throw new StartError(`${this.#file.path} was replaced while it was being opened: start again.`);
  }

  /** To be called once SQLite has opened it. `readVersion` asks SQLite for `user_version`, log and all. */
  watch(readVersion: () => number): void {
    this.#readVersion = readVersion;
    this.follow();
    // It makes the other two files when it reads for the first time.
    this.#log = PlacedFile.at(this.logPath);
    this.#index = PlacedFile.at(`${this.#real}-shm`);
    this.#timer = setInterval(() => this.#lookWhileIdle(), IDLE_INTERVAL_MS).unref();
  }

  get logPath(): string {
    return `${this.#real}-wal`;
  }

  look(): string | undefined {
    if (this.#isOverwritten) return this.problem;
    let found = this.#findAway();
    if (!this.#isAsWritten() || !this.#isWhole()) {
      // Once more: between two steps of one look another process may have done its work.
      found = this.#findAway();
      if (!this.#isAsWritten() || !this.#isWhole()) this.#giveUp();
    }
    if (!this.#isOverwritten && found !== this.problem) {
      this.#say(found ?? `${this.#file.path} is back: Roster goes on with it.`);
      this.problem = found;
    }
    return this.problem;
  }

  /** The half that belongs before a commit, for SQLite may write into the file as a part of it: was it overwritten? */
  lookInside(): string | undefined {
    return this.problem ?? (this.#isAsWritten() ? undefined : this.look());
  }

  /** The half that belongs between a commit and its answer: do the file and its log lie at their paths? */
  lookAtPaths(): string | undefined {
    const parts = [this.#file, this.#log];
    const isThere = parts.every((part) => part?.look().whereabouts === 'in place') && this.#isWhole();
    return isThere ? this.problem : this.look();
  }

  /** Asks SQLite for what it reads: is it a version that comes after the last one? Returns `problem`. */
  follow(readVersion = this.#readVersion): string | undefined {
    // From before it is read: this process may stand still then, while others go on.
    const at = this.#stopwatch();
    const generation = generationOf(readVersion());
    if (!this.#mayFollow(generation)) this.#giveUp();
    this.#newest = { generation, at };
    return this.problem;
  }

  /** Whether closing would write, or remove, another file. */
  get isAnother(): boolean {
    const [file, log, index] = [this.#file, this.#log, this.#index].map((part) => part?.whereabouts);
    // Who has made another index may have written into the log by it.
    const isWrittenElsewhere = log === 'replaced' || (log === 'in place' && index === 'replaced');
    return this.#isOverwritten || file === 'replaced' || isWrittenElsewhere;
  }

  get isWithoutLog(): boolean {
    const isGone = this.#log?.whereabouts === 'gone' && this.#index?.whereabouts !== 'replaced';
    return isGone && this.#file.whereabouts === 'in place';
  }

  close(): void {
    clearInterval(this.#timer);
    if (!this.#isBeside) closeSync(this.descriptor);
  }

  leaveOpen(): void {
    clearInterval(this.#timer);
    // At the end of the process better-sqlite3 would close it, unless the process ends at once.
    process.off('exit', endAtOnce).once('exit', endAtOnce);
  }

  #lookWhileIdle(): void {
    if (this.look() !== undefined) return;
    try {
      this.follow();
    } catch {
      // SQLite says so to whoever asks it for something.
    }
  }

  #findAway(): string | undefined {
    const file = this.#file.look().describe('until it is back; put it back before Roster is stopped');
    const stop = 'any more; stop Roster in order, which saves every change, and start it again';
    // All three, each time: what can be done with one depends on the others.
    const log = this.#log?.look().describe(stop);
    const index = this.#index?.look().describe(stop);
    return file ?? log ?? index;
  }

  /** What has been read of another file is in memory: putting the right one back does not help by itself. */
  #giveUp(): void {
    if (this.#isOverwritten) return;
    this.#isOverwritten = true;
    this.problem = `${this.#file.path} was overwritten while Roster had it open: stop Roster, put the right file back without ${this.#real}-wal and ${this.#real}-shm, and start it again.`;
    this.#say(this.problem);
  }

  /** Where another thread has it open, that one says so. */
  #say(line: string): void {
    if (!this.#isBeside) console.error(line);
  }

  #isAsWritten(): boolean {
    if (this.#file.whereabouts !== 'in place') return true;
    try {
      const header = readHeader(this.descriptor, this.#header);
      if (!header || !this.#isOfOneHistory(header)) return false;
      this.#seenGeneration = generationOf(header.version);
      this.#sizeByHeader = (header.pages ?? 0) * header.pageSize;
      return true;
    } catch {
      // What cannot be read at all is no other file: SQLite says what it is.
      return true;
    }
  }

  /** Where SQLite has made it smaller, it has said so in the header first. */
  #isWhole(): boolean {
    const { size, whereabouts } = this.#file;
    if (whereabouts !== 'in place') return true;
    if (size < this.#seenSize && size < this.#sizeByHeader) return false;
    this.#seenSize = size;
    return true;
  }

  #isOfOneHistory({ version }: Header): boolean {
    const generation = generationOf(version);
    if (generation === this.#seenGeneration) return true;
    if (isBetween(generation, this.#seenGeneration, this.#newest.generation)) return true;
    try {
      this.follow();
    } catch {
      // As while another process recovers the log: it may have come so far.
      return this.#mayFollow(generation);
    }
    return !this.#isOverwritten && isBetween(generation, this.#seenGeneration, this.#newest.generation);
  }

  #mayFollow(generation: number): boolean {
    const steps = MOST_GENERATIONS_PER_MS * (1 + this.#stopwatch() - this.#newest.at);
    return isReachable(generation, this.#newest.generation, steps);
  }
}

function endAtOnce(): void {
  process.exit();
}
