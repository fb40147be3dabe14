/** The write-ahead log beside a database file, read as it lies there: https://sqlite.org/walformat.html */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { generationOf } from './generation.ts';

const HEADER_SIZE = 32;
const FRAME_HEADER_SIZE = 24;
const VERSION_IN_FIRST_PAGE = 60;
const MAGIC_WITHOUT_LOWEST_BIT = 0x377f0682;

export type Log = {
  /** Other than those of whatever log was there before, or comes after, under the same name. */
  salts: string;
  /** The generations that its first and its last transaction with one have made; undefined without one. */
  first: number | undefined;
  last: number | undefined;
  /** Whether its first transaction has written every page, so that nothing of the file is left. */
  isWhole: boolean;
};

export function readSalts(path: string): string | undefined {
  const descriptor = openIfThere(path);
  if (descriptor === undefined) return undefined;
  const header = read(descriptor, 0, HEADER_SIZE);
  closeSync(descriptor);
  return header && saltsAt(header, 16);
}

/** What of a log SQLite would replay; undefined where there is nothing. */
export function readLog(path: string): Log | undefined {
  const descriptor = openIfThere(path);
  if (descriptor === undefined) return undefined;
  try {
    const header = read(descriptor, 0, HEADER_SIZE);
    const start = header && checkHeader(header);
    return start && readTransactions(descriptor, header, start);
  } finally {
    closeSync(descriptor);
  }
}

function openIfThere(path: string): number | undefined {
  try {
    return statSync(path).isFile() ? openSync(path, 'r') : undefined;
  } catch {
    // Where it is there and cannot be read, SQLite says so.
    return undefined;
  }
}

function checkHeader(header: DataView): Checksum | undefined {
  if ((header.getUint32(0) & ~1) !== MAGIC_WITHOUT_LOWEST_BIT) return undefined;
  const sum = new Checksum((header.getUint32(0) & 1) === 0);
  sum.add(header, 0, 24);
  return sum.isAt(header, 24) ? sum : undefined;
}

function readTransactions(descriptor: number, header: DataView, sum: Checksum): Log {
  const salts = saltsAt(header, 16);
  const frameSize = FRAME_HEADER_SIZE + header.getUint32(8);
  const pages = new Set<number>();
  const log: Log = { salts, first: undefined, last: undefined, isWhole: false };
  let generation: number | undefined;
  let isFirst = true;
  for (let at = HEADER_SIZE; ; at += frameSize) {
    const frame = read(descriptor, at, frameSize);
    if (frame === undefined || saltsAt(frame, 8) !== salts) return log;
    sum.add(frame, 0, 8);
    sum.add(frame, FRAME_HEADER_SIZE, frameSize);
    // What follows the last transaction was written before, or not whole.
    if (!sum.isAt(frame, 16)) return log;
    const [page, pagesAfterwards] = [frame.getUint32(0), frame.getUint32(4)];
    if (isFirst) pages.add(page);
    if (page === 1) generation = generationOf(frame.getInt32(FRAME_HEADER_SIZE + VERSION_IN_FIRST_PAGE));
    if (pagesAfterwards === 0) continue;
    // It ends a transaction. One page is never written: https://sqlite.org/fileformat2.html#the_lock_byte_page
    if (isFirst) log.isWhole = pages.size >= pagesAfterwards - 1;
    isFirst = false;
    log.first ??= generation;
    log.last = generation;
  }
}

function read(descriptor: number, from: number, length: number): DataView | undefined {
  const bytes = new Uint8Array(length);
  return readSync(descriptor, bytes, 0, length, from) === length ? new DataView(bytes.buffer) : undefined;
}

function saltsAt(bytes: DataView, offset: number): string {
  return `${bytes.getUint32(offset)} ${bytes.getUint32(offset + 4)}`;
}

/** Goes on from frame to frame: https://sqlite.org/fileformat2.html#checksum_algorithm */
class Checksum {
  readonly #isLittleEndian: boolean;
  #one = 0;
  #other = 0;

  constructor(isLittleEndian: boolean) {
    this.#isLittleEndian = isLittleEndian;
  }

  add(bytes: DataView, from: number, end: number): void {
    for (let at = from; at < end; at += 8) {
      this.#one = (this.#one + bytes.getInt32(at, this.#isLittleEndian) + this.#other) | 0;
      this.#other = (this.#other + bytes.getInt32(at + 4, this.#isLittleEndian) + this.#one) | 0;
    }
  }

  isAt(bytes: DataView, offset: number): boolean {
    return bytes.getInt32(offset) === this.#one && bytes.getInt32(offset + 4) === this.#other;
  }
}
