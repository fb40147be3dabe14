/** What SQLite's errors mean to Roster: https://sqlite.org/rescode.html */
import { accessSync, constants, utimesSync } from 'node:fs';
import Sqlite from 'better-sqlite3';
import {
  DamagedError,
  DatabaseLostError,
  NotUniqueError,
  OutcomeUnknownError,
  UnavailableError,
} from '../../errors.ts';

export const GONE = 'its file is gone, or another one lies in its place';

export function translated(error: unknown, db: Sqlite.Database): unknown {
  if (!(error instanceof Sqlite.SqliteError)) return error;
  const { code, message } = error;
  if (code === 'SQLITE_CONSTRAINT_UNIQUE') return new NotUniqueError(message, { cause: error });
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(code) || isOfSearch(error)) return damaged(error, db);
  const reason = reasonOf(code, db);
  return reason === undefined ? error : new UnavailableError(reason, { cause: error, reason });
}

// Whoever opens the file after a kill takes a log that was written and not synced for a whole commit.
export function isMaybeSaved(error: unknown): boolean {
  const cause = error instanceof UnavailableError ? error.cause : undefined;
  return cause instanceof Sqlite.SqliteError && /^SQLITE_(IOERR(?!_WRITE)|NOMEM)/.test(cause.code);
}

export function outcomeUnknown(error: unknown): unknown {
  if (!(error instanceof UnavailableError)) return error;
  const { cause, reason = '' } = error;
  return new OutcomeUnknownError(`the commit failed: ${reason}`, { cause, reason });
}

export function lost(problem: string, cause?: unknown): DatabaseLostError {
  return new DatabaseLostError(problem, { cause, reason: GONE });
}

/** @throws DatabaseLostError where there is a problem with the file. */
export function refuse(problem: string | undefined): void {
  if (problem !== undefined) throw lost(problem);
}

export function isBusy(error: unknown): boolean {
  return error instanceof UnavailableError && error.reason === BUSY;
}

const BUSY = 'another program is writing to it';
const FAILING = 'its disk reports an error';

/** Undefined for a mistake of ours. */
function reasonOf(code: string, { name: path, readonly }: Sqlite.Database): string | undefined {
  if (/^SQLITE_(BUSY|PROTOCOL)/.test(code)) return BUSY;
  if (code === 'SQLITE_FULL') return 'its disk is full';
  if (/^SQLITE_(IOERR_)?NOMEM/.test(code)) return 'there is not enough memory';
  if (code.startsWith('SQLITE_READONLY')) return readonly ? undefined : whyNoWrite(path, 'it is read-only');
  if (/^SQLITE_IOERR_(WRITE|SHM|TRUNCATE)/.test(code))
    return whyNoWrite(path, `${FAILING}, a quota or a limit on files`);
  return /^SQLITE_(IOERR|CANTOPEN|PERM)/.test(code) ? whyNoWrite(path, FAILING) : undefined;
}

const REFUSALS: Readonly<Record<string, string>> = {
  EROFS: 'its disk is read-only',
  EACCES: 'its file may not be written',
  ENOENT: 'its file is no longer there',
};

// SQLite keeps the system's reason to itself; a disk that has turned read-only may give it only to a write, as of the file's times.
function whyNoWrite(path: string, otherwise: string): string {
  try {
    accessSync(path, constants.W_OK);
    const now = new Date();
    utimesSync(path, now, now);
    return otherwise;
  } catch (error) {
    return REFUSALS[(error as NodeJS.ErrnoException).code ?? ''] ?? otherwise;
  }
}

// An index whose record of its own parts is lost takes itself for empty, and writes over what is there. Of a table of ours its name follows.
function isOfSearch({ code, message }: InstanceType<typeof Sqlite.SqliteError>): boolean {
  const isRefused = code.startsWith('SQLITE_CONSTRAINT') && message === 'constraint failed';
  return isRefused || code === 'SQLITE_CORRUPT_VTAB';
}

function damaged(
  error: InstanceType<typeof Sqlite.SqliteError>,
  { name: path }: Sqlite.Database,
): DamagedError {
  const cure = isOfSearch(error)
    ? 'stop Roster, and make its search anew: npm run roster -- rebuild-search'
    : 'stop Roster, keep the file as it is, and put back a backup';
  return new DamagedError(`${path} is damaged (${error.message}): ${cure}`, {
    cause: error,
    reason: 'its file is damaged',
  });
}
