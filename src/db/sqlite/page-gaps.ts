/** The gap of a page (https://sqlite.org/fileformat2.html#b_tree_pages): SQLite leaves copies of rows there, which `secure_delete` never clears. */
import { fsyncSync, readSync, statSync, writeSync } from 'node:fs';
import { emptyLog } from './checkpoint.ts';
import { nextVersion } from './generation.ts';
import { readHeader } from './header.ts';
import { readUserVersion, type Statements } from './statements.ts';

/** In bytes: some milliseconds, also where the disk has to be asked. */
const READ_AT_ONCE = 2 ** 20;
/** By its first byte: the length of its header. Other pages begin with the number of a page, which is below 2 ** 25. */
const HEADER_SIZES = new Map([
  [2, 12],
  [5, 12],
  [10, 8],
  [13, 8],
]);
const MOST_PAGES = 2 ** 25;
const FILE_HEADER_SIZE = 100;

type OpenFile = { descriptor: number; logPath: string };

/** In the file itself, while nobody else writes. @param from in bytes @returns where to go on, Infinity at the end; `kept` where there are too many pages */
export function clearGaps(writer: Statements, file: OpenFile, from: number): number | 'held up' | 'kept' {
  if (!emptyLog(writer)) return 'held up';
  // From here on no page is newer in the log, or in the memory of whoever writes next.
  writer.run('begin immediate');
  try {
    const header = readHeader(file.descriptor);
    const isWithoutLog = statSync(file.logPath).size === 0;
    if (!isWithoutLog) return 'held up';
    if (header?.pages === undefined || header.pages >= MOST_PAGES) return 'kept';
    if (clearSome(file.descriptor, header.pageSize, from)) {
      fsyncSync(file.descriptor);
      // Other processes read anew what they know of pages.
      writer.execute(`pragma user_version = ${nextVersion(readUserVersion(writer))}`);
      writer.run('commit');
      writer.execute('pragma shrink_memory');
    }
    return from + READ_AT_ONCE < header.pages * header.pageSize ? from + READ_AT_ONCE : Infinity;
  } finally {
    if (writer.db.inTransaction) writer.run('rollback');
  }
}

function clearSome(descriptor: number, pageSize: number, from: number): boolean {
  const bytes = Buffer.alloc(READ_AT_ONCE);
  const length = readSync(descriptor, bytes, 0, READ_AT_ONCE, from);
  const zeros = Buffer.alloc(pageSize);
  let isAnyCleared = false;
  for (let at = 0; at + pageSize <= length; at += pageSize) {
    const page = bytes.subarray(at, at + pageSize);
    const { start, end } = gapOf(page, from + at === 0 ? FILE_HEADER_SIZE : 0);
    if (start >= end || page.subarray(start, end).equals(zeros.subarray(0, end - start))) continue;
    writeSync(descriptor, zeros, 0, end - start, from + at + start);
    isAnyCleared = true;
  }
  return isAnyCleared;
}

function gapOf(page: Buffer, at: number): { start: number; end: number } {
  const headerSize = HEADER_SIZES.get(page.readUInt8(at));
  if (headerSize === undefined) return { start: 0, end: 0 };
  const start = at + headerSize + 2 * page.readUInt16BE(at + 3);
  // What does not fit into two bytes is written as 0.
  return { start, end: Math.min(page.readUInt16BE(at + 5) || page.length, page.length) };
}
