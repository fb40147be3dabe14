/** Looks, quickly, for pages that are missing in a database file, as after a copy that was not finished. */
import { fstatSync, readSync } from 'node:fs';
import type { Stopwatch } from '../../lib/clock.ts';
import { Deadline } from '../../lib/deadline.ts';
import { type Header, readHeader } from './header.ts';

const SAMPLED_PAGES = 256;
const SAMPLE_TIME_MS = 100;
const LEAST_PAGES = 64;
const WHOLE_TIME_MS = 500;
/** Multiples of it, without what is before the point, are spread evenly however many there are. */
const GOLDEN_RATIO = (1 + Math.sqrt(5)) / 2;
const STAT_BLOCK_BYTES = 512;

/** What is wrong with a file without a log, to go on after its name; undefined where nothing shows. */
export function findMissingPage(descriptor: number, stopwatch?: Stopwatch): string | undefined {
  const header = readHeader(descriptor);
  if (header?.pages === undefined) return undefined;
  const { size, blocks } = fstatSync(descriptor);
  const wanted = header.pages * header.pageSize;
  if (size < wanted) return `has ${size} bytes, where ${wanted} belong`;
  const isSparse = blocks * STAT_BLOCK_BYTES < size;
  const deadline = Deadline.in(isSparse ? WHOLE_TIME_MS : SAMPLE_TIME_MS, stopwatch);
  const nothing = Buffer.alloc(header.pageSize);
  let free: Set<number> | undefined;
  let seen = 0;
  for (const page of isSparse ? allOf(header.pages) : someOf(header.pages)) {
    if (seen++ >= LEAST_PAGES && deadline.isPast) return undefined;
    if (!readPage(descriptor, header, page).equals(nothing) || isLockPage(header, page)) continue;
    // A page that holds nothing any more may well be empty.
    free ??= freePages(descriptor, header, deadline);
    if (free && !free.has(page)) return `has a hole: its page ${page} of ${header.pages} is empty`;
  }
  return undefined;
}

/** From the end: there is what a copy has not come to. */
function* allOf(pages: number): Iterable<number> {
  for (let page = pages; page >= 1; page--) yield page;
}

function* someOf(pages: number): Iterable<number> {
  if (pages <= SAMPLED_PAGES) return yield* allOf(pages);
  for (let turn = 0; turn < SAMPLED_PAGES; turn++)
    yield pages - Math.floor(((turn * GOLDEN_RATIO) % 1) * pages);
}

/** https://sqlite.org/fileformat2.html#the_freelist; undefined where it is too long to be gone through. */
function freePages(descriptor: number, header: Header, deadline: Deadline): Set<number> | undefined {
  const free = new Set<number>();
  for (let trunk = header.firstFree; trunk !== 0 && !free.has(trunk); ) {
    if (deadline.isPast) return undefined;
    free.add(trunk);
    const list = readPage(descriptor, header, trunk);
    const length = Math.min(list.readUInt32BE(4), header.pageSize / 4 - 2);
    for (let entry = 0; entry < length; entry++) free.add(list.readUInt32BE(8 + 4 * entry));
    trunk = list.readUInt32BE(0);
  }
  return free;
}

function readPage(descriptor: number, { pageSize }: Header, page: number): Buffer {
  const bytes = Buffer.alloc(pageSize);
  readSync(descriptor, bytes, 0, pageSize, (page - 1) * pageSize);
  return bytes;
}

/** The one page that is never written: https://sqlite.org/fileformat2.html#the_lock_byte_page */
function isLockPage({ pageSize }: Header, page: number): boolean {
  return page === Math.floor(2 ** 30 / pageSize) + 1;
}
