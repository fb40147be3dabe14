/** A file that is read while it is still written: whoever reads slowly keeps nobody who writes it, and nothing in memory. */
import { randomUUID } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';

const READ_AT_ONCE = 64 * 1024;

export class Spool {
  readonly #file: FileHandle;
  #size = 0;
  #outcome: { error?: unknown } | undefined;
  #grown = Promise.withResolvers<void>();

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Nobody finds it there: its name is gone at once, and what it holds with the process. */
  static async make(folder: string): Promise<Spool> {
    const path = join(folder, `roster-${randomUUID()}.tmp`);
    const file = await open(path, 'ax+', 0o600);
    try {
      await unlink(path);
    } catch (error) {
      await file.close();
      throw error;
    }
    return new Spool(file);
  }

  get size(): number {
    return this.#size;
  }

  async write(text: string): Promise<void> {
    const bytes = Buffer.from(text);
    await this.#file.appendFile(bytes);
    this.#size += bytes.length;
    this.#wake();
  }

  /** @param outcome with an error where what is there is not all: whoever reads it meets that. The first counts. */
  end(outcome: { error?: unknown } = {}): void {
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
