/** The first 100 bytes of a database file on disk: https://sqlite.org/fileformat2.html#the_database_header */
import { closeSync, openSync, readSync, statSync } from 'node:fs';

export const HEADER_SIZE = 100;

/** "Rost": the mark of Roster's files (https://sqlite.org/pragma.html#pragma_application_id). */
export const APPLICATION_ID = 0x526f7374;

const MAGIC = Buffer.from('SQLite format 3\0');

export type Header = {
  applicationId: number;
  /** `user_version`: see `generation.ts`. */
  version: number;
  hasLog: boolean;
  pageSize: number;
  /** Undefined where a SQLite that is older than 2010 has written it. */
  pages: number | undefined;
  /** The number of the first page with a list of free ones; 0 without one. */
  firstFree: number;
};

export function readHeader(descriptor: number, bytes = Buffer.alloc(HEADER_SIZE)): Header | undefined {
  if (readSync(descriptor, bytes, 0, HEADER_SIZE, 0) < HEADER_SIZE) return undefined;
  if (bytes.compare(MAGIC, 0, MAGIC.length, 0, MAGIC.length) !== 0) return undefined;
  const isRecent = bytes.readUInt32BE(24) === bytes.readUInt32BE(92);
  return {
    applicationId: bytes.readInt32BE(68),
    version: bytes.readInt32BE(60),
    hasLog: bytes[18] === 2,
    // What does not fit into two bytes is written as 1.
    pageSize: bytes.readUInt16BE(16) === 1 ? 65_536 : bytes.readUInt16BE(16),
    pages: isRecent ? bytes.readUInt32BE(28) : undefined,
    firstFree: bytes.readUInt32BE(32),
  };
}

/** Undefined also for what is no file: to open a named pipe waits for whoever writes to it. Nothing of this process has it open. */
export function headerAt(path: string): Header | undefined {
  if (!statSync(path).isFile()) return undefined;
  const descriptor = openSync(path, 'r');
  try {
    return readHeader(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
