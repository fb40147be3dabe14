/** A file that is read while it is still written: whoever reads slowly keeps nobody who writes it, and nothing in memory. */
import { randomUUID } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { NoRoomError } from '../errors.ts';
import { isFull, LOOK_AGAIN_AFTER_BYTES, NO_ROOM, refuseWithoutRoom } from '../lib/disk-space.ts';

const READ_AT_ONCE = 64 * 1024;

/** With an error where what is there is not all. */
export type Outcome = { error?: unknown };

export class Spool {
  readonly #file: FileHandle;
  readonly #folder: string;
  #size = 0;
  #looked = 0;
  #outcome: Outcome | undefined;
  #grown = Promise.withResolvers<void>();

  private constructor(file: FileHandle, folder: string) {
    this.#file = file;
    this.#folder = folder;
  }

  /** Nobody finds it there: its name is gone at once, and what it holds with the process. @throws NoRoomError */
  static async make(folder: string): Promise<Spool> {
    const path = join(folder, `roster-${randomUUID()}.tmp`);
    const file = await open(path, 'ax+', 0o600).catch(explain);
    try {
      await unlink(path);
    } catch (error) {
      await file.close();
      throw error;
    }
    return new Spool(file, folder);
  }

  get size(): number {
    return this.#size;
  }

  /** @throws NoRoomError where so much more would leave the disk without room */
  look(bytes = 0): void {
    this.#looked = this.#size;
    refuseWithoutRoom(this.#folder, bytes);
  }

  /** @throws NoRoomError */
  async write(text: string): Promise<void> {
    const bytes = Buffer.from(text);
    if (this.#size + bytes.length - this.#looked > LOOK_AGAIN_AFTER_BYTES) this.look(bytes.length);
    await this.#file.appendFile(bytes).catch(explain);
    this.#size += bytes.length;
    this.#wake();
  }

  /** Whoever reads it meets the error. The first counts. */
  end(outcome: Outcome = {}): void {
    this.#outcome ??= outcome;
    this.#wake();
  }

  /** Fulfilled once there is something to read, or all is there. @throws what went wrong before */
  async begun(): Promise<void> {
    while (this.#size === 0 && this.#outcome === undefined) await this.#grown.promise;
    if (this.#outcome?.error !== undefined && this.#size === 0) throw this.#outcome.error;
  }

  async *read(): AsyncGenerator<Buffer> {
    for (let position = 0; ; ) {
      const { promise } = this.#grown;
      if (position < this.#size) {
        const buffer = Buffer.allocUnsafe(Math.min(READ_AT_ONCE, this.#size - position));
        const { bytesRead } = await this.#file.read({ buffer, position });
        position += bytesRead;
        yield buffer.subarray(0, bytesRead);
      } else if (this.#outcome === undefined) await promise;
      else if (this.#outcome.error === undefined) return;
      else throw this.#outcome.error;
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  #wake(): void {
    this.#grown.resolve();
    this.#grown = Promise.withResolvers<void>();
  }
}

function explain(error: unknown): never {
  throw isFull(error) ? new NoRoomError(NO_ROOM, { cause: error }) : error;
}
