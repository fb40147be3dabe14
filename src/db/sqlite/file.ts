/** What may be opened as Roster's database file: decided from its first bytes, before SQLite touches it. */
import { randomBytes } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import Sqlite from 'better-sqlite3';
import { StartError } from '../../errors.ts';
import { makeFileOnce } from '../../lib/make-file.ts';
import { refuseNewer } from '../migrate.ts';
import { migrationOf } from './generation.ts';
import { APPLICATION_ID, type Header, readHeader } from './header.ts';

const BYTES_OF_A_NEW_DATABASE = 1024 * 1024;

/** @throws StartError when the file cannot be used, which is left as it was. */
export function prepareSqliteFile(path: string, newestVersion: number): void {
  checkFolder(path);
  if (!existsSync(path)) makeFile(path);
  checkSqliteFile(path, newestVersion, constants.W_OK);
}

/** @throws StartError as above, and where there is none. */
export function checkSqliteFile(path: string, newestVersion: number, access = constants.R_OK): void {
  if (!existsSync(path)) throw new StartError(`There is no file ${path}.`);
  // SQLite keeps files beside the database, also while it only reads.
  checkFolder(path);
  const header = headerOf(path, access);
  if (header === undefined) {
    throw new StartError(`${path} is not a SQLite database; give DATABASE_URL another path.`);
  }
  if (header.applicationId !== APPLICATION_ID) {
    throw new StartError(`${path} belongs to another application; give DATABASE_URL another path.`);
  }
  refuseNewer(path, migrationOf(header.version), newestVersion);
}

/** Undefined for what is none of Roster's. @throws StartError where it cannot be read */
export function versionOfFile(path: string): number | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats?.isFile()) throw new StartError(`There is no file ${path}.`);
  const header = stats.size === 0 ? undefined : headerOf(path, constants.R_OK);
  return header?.applicationId === APPLICATION_ID ? migrationOf(header.version) : undefined;
}

function makeFile(path: string): void {
  try {
    makeFileOnce(path, (draft) => {
      findRoom(draft);
      // For its owner alone, and so is whatever SQLite makes beside it.
      closeSync(openSync(draft, 'w', 0o600));
      const db = new Sqlite(draft);
      db.pragma(`application_id = ${APPLICATION_ID}`);
      db.close();
    });
  } catch (error) {
    throw new StartError(`${path} cannot be made: ${(error as Error).message}.`);
  }
}

/** Before there is a file that would then be half of one. @throws where what the migrations make does not fit. */
function findRoom(draft: string): void {
  const trial = `${draft}.room`;
  try {
    // At random, which no disk makes smaller.
    writeFileSync(trial, randomBytes(BYTES_OF_A_NEW_DATABASE), { mode: 0o600, flush: true });
  } finally {
    rmSync(trial, { force: true });
  }
}

function headerOf(path: string, access: number): Header | undefined {
  const stats = statSync(path);
  if (!stats.isFile()) {
    throw new StartError(`${path} is not a file; give DATABASE_URL the path of a file.`);
  }
  if (stats.size === 0) throw new StartError(`${path} is empty (0 bytes); restore it or remove it.`);
  try {
    accessSync(path, access);
    const file = openSync(path, 'r');
    const header = readHeader(file);
    closeSync(file);
    return header;
  } catch {
    throw new StartError(`${path} cannot be read and written; check its permissions.`);
  }
}

function checkFolder(path: string): void {
  const folder = dirname(path);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    accessSync(folder, constants.W_OK);
  } catch {
    throw new StartError(`The folder ${folder} cannot be written; check its permissions or DATABASE_URL.`);
  }
}
