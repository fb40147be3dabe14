/** What may be opened as Roster's database file: decided from its first bytes, before SQLite touches it. */
import { accessSync, closeSync, constants, mkdirSync, openSync, readSync } from 'node:fs';
import { dirname } from 'node:path';
import { StartError } from '../errors.ts';

/** "Rost": the mark of Roster's files (https://sqlite.org/pragma.html#pragma_application_id). */
export const APPLICATION_ID = 0x526f7374;

/**
 * Passes a file of Roster's and one that has yet to be made, for which it makes the folder.
 * @throws StartError when the file cannot be used: one sentence, and the file is left as it was.
 */
export function checkSqliteFile(path: string, newestVersion: number): void {
  makeFolder(path);
  const header = readHeader(path);
  if (header === undefined) return;
  if (header.length === 0) {
    throw new StartError(
      `${path} is empty (0 bytes), which no Roster leaves behind; restore it or remove it.`,
    );
  }
  // The layout of the header: https://sqlite.org/fileformat2.html#the_database_header
  if (header.length < 100 || header.toString('latin1', 0, 16) !== 'SQLite format 3\0') {
    throw new StartError(`${path} is not a SQLite database; give DATABASE_URL another path.`);
  }
  if (header.readInt32BE(68) !== APPLICATION_ID) {
    throw new StartError(`${path} belongs to another application; give DATABASE_URL another path.`);
  }
  refuseNewer(path, header.readInt32BE(60), newestVersion);
}

/** @throws StartError when the file was written by a Roster that knows more migrations. */
export function refuseNewer(path: string, version: number, newestVersion: number): void {
  if (version > newestVersion) {
    throw new StartError(
      `${path} was written by a newer Roster (version ${version}, this one knows ${newestVersion}); update Roster.`,
    );
  }
}

function readHeader(path: string): Buffer | undefined {
  const header = Buffer.alloc(100);
  let file: number;
  try {
    accessSync(path, constants.F_OK);
  } catch {
    return undefined;
  }
  try {
    accessSync(path, constants.W_OK);
    file = openSync(path, 'r');
  } catch {
    throw new StartError(`${path} cannot be read and written; check its permissions.`);
  }
  try {
    return header.subarray(0, readSync(file, header, 0, 100, 0));
  } catch {
    throw new StartError(`${path} is not a file; give DATABASE_URL the path of a file.`);
  } finally {
    closeSync(file);
  }
}

function makeFolder(path: string): void {
  const folder = dirname(path);
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
  } catch {
    throw new StartError(`The folder ${folder} cannot be written; check its permissions or DATABASE_URL.`);
  }
}
