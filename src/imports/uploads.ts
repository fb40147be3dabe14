/** Files that come in to be imported: how many and how large they may be, and whether there is room for them on the disk. */
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { FastifyRequest } from 'fastify';
import { readLongBody } from '../http/long-bodies.ts';
import { hasRoomFor, isFull, LOOK_AGAIN_AFTER_BYTES, NO_ROOM, SPARE } from '../lib/disk-space.ts';
import { number } from '../lib/formats.ts';
import { makeFolder } from './folder.ts';
import { type Received, receiveFile } from './multipart.ts';

const MB = 1024 * 1024;
const GB = 1024 * MB;

/** `staged`: imports of one person that are not at their end; `bytes` of one file, and `all` of all that are staged. */
export const LIMITS = { bytes: GB, all: 4 * GB, staged: 3, atOnce: 4, spare: SPARE };

/** What is read of a file, and who is made of it, take some times as much again. */
const TIMES = 3;
/** A file that nobody takes away is removed with what else is abandoned (`cleanup.ts`). */
const ENDING = '.upload';

export class RefusedUploadError extends Error {
  override name = 'RefusedUploadError';
  readonly statusCode: 413 | 422 | 503 | 507;

  constructor(statusCode: RefusedUploadError['statusCode'], message: string) {
    super(message);
    this.statusCode = statusCode;
  }
}

/** `own`: how many imports whoever sends it has under way; `bytes`: how large all files are that lie there. */
export type Staged = { own: number; bytes: number };

/** At `path`, for whoever takes it away; what is left there is removed by `discard`. */
export type Upload = Received & { path: string; discard(): Promise<void> };

export class Uploads {
  readonly #folder: string;
  readonly #limits: typeof LIMITS;
  readonly #under = new Set<{ who: string; bytes: number; ended: Promise<unknown> }>();

  constructor(folder: string, limits = LIMITS) {
    this.#folder = folder;
    this.#limits = limits;
  }

  /** Nothing of it is kept before it is known that it may come. @throws RefusedUploadError, BadSubmissionError */
  async take({ raw }: Pick<FastifyRequest, 'raw'>, who: string, staged: Staged): Promise<Upload> {
    const announced = Number(raw.headers['content-length'] ?? 0);
    this.#judge(announced, who, staged);
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    const upload = { who, bytes: announced, ended };
    this.#under.add(upload);
    const path = join(this.#folder, randomUUID() + ENDING);
    // It counts until it does as one that is staged.
    const discard = async () => {
      this.#under.delete(upload);
      end();
      await rm(path, { force: true });
    };
    try {
      // With its identity: what is abandoned in a folder without one would stay for ever.
      makeFolder(this.#folder);
      this.#look(announced);
      let [size, looked] = [0, 0];
      const admit = async (bytes: number) => {
        size += bytes;
        upload.bytes = Math.max(announced, size);
        if (size > this.#limits.bytes) throw tooLarge(this.#limits.bytes);
        if (staged.bytes + this.#coming() > this.#limits.all) throw noRoomHere();
        if (size - looked < LOOK_AGAIN_AFTER_BYTES) return;
        looked = size;
        this.#look(upload.bytes - size);
      };
      const received = await readLongBody(raw, (signal) => receiveFile({ raw, path, signal, admit }));
      return { ...received, path, discard };
    } catch (error) {
      await discard();
      throw isFull(error) ? noRoomOnDisk() : error;
    }
  }

  async ended(): Promise<void> {
    await Promise.all([...this.#under].map(({ ended }) => ended));
  }

  #judge(announced: number, who: string, { own, bytes }: Staged): void {
    const { bytes: most, all, staged, atOnce } = this.#limits;
    if (announced > most + MB) throw tooLarge(most);
    const theirs = [...this.#under].filter((one) => one.who === who).length;
    if (own + theirs >= staged) throw tooMany(staged);
    if (this.#under.size >= atOnce) throw tooBusy();
    if (bytes + this.#coming() + announced > all) throw noRoomHere();
  }

  #coming(): number {
    return [...this.#under].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** @throws RefusedUploadError where so much more would leave the disk without room */
  #look(bytes: number): void {
    if (!hasRoomFor(this.#folder, bytes * TIMES, this.#limits.spare)) throw noRoomOnDisk();
  }
}

const tooLarge = (bytes: number) =>
  new RefusedUploadError(
    413,
    `The file is too large: at most ${number.format(bytes / GB)} GB is taken. Split it into several.`,
  );
const tooMany = (count: number) =>
  new RefusedUploadError(
    422,
    `${count === 3 ? 'Three' : count} files wait here already. Apply or discard one.`,
  );
const tooBusy = () =>
  new RefusedUploadError(503, 'Others are sending files at this moment. Send yours again in a few minutes.');
const noRoomHere = () =>
  new RefusedUploadError(
    507,
    'Too much waits to be imported. Send the file again once others have applied or discarded theirs.',
  );
const noRoomOnDisk = () => new RefusedUploadError(507, NO_ROOM);
