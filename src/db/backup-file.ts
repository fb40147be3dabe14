/** A database file as another file, of one moment, while others read and write it: https://sqlite.org/backup.html */
import { once } from 'node:events';
import { closeSync, existsSync, fdatasyncSync, openSync, realpathSync, statSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import Sqlite from 'better-sqlite3';
import { migrationOf, nextVersion } from './sqlite/generation.ts';
import { APPLICATION_ID, headerAt } from './sqlite/header.ts';

/** Some 2 MB: where more waits for the disk, a change that others make waits behind it. */
const PAGES_AT_ONCE = 512;
/** While SQLite writes by itself. */
const SYNC_EVERY_MS = 20;
const OPEN_WAIT_MS = 5_000;

/** @param to is there, and empty. @param goOn is told which part is done, and may throw */
export async function copyFile(path: string, to: string, goOn: (part: number) => void): Promise<void> {
  const source = new Sqlite(path, { readonly: true, timeout: OPEN_WAIT_MS });
  const target = openSync(to, 'r+');
  let began = performance.now();
  try {
    // As long as this transaction lasts, each step sees the same moment: else each change of others has SQLite begin anew.
    source.exec('begin');
    source.prepare('select count(*) from sqlite_schema').get();
    const progress = ({ totalPages, remainingPages }: Sqlite.BackupMetadata) => {
      fdatasyncSync(target);
      goOn(1 - remainingPages / totalPages);
      // As long as it has worked: half of the disk is for others.
      pause(performance.now() - began);
      began = performance.now();
      return PAGES_AT_ONCE;
    };
    await source.backup(to, { progress });
  } finally {
    source.close();
    closeSync(target);
  }
}

/** Nobody is waited for: this thread does nothing else. */
function pause(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

/** Without a log, so that it opens anywhere, and of no history: no log that lies where it is put passes for its own. */
export function makeWhole(path: string): void {
  const db = new Sqlite(path);
  try {
    db.pragma('journal_mode = DELETE');
    const version = db.pragma('user_version', { simple: true }) as number;
    db.pragma(`user_version = ${nextVersion(migrationOf(version))}`);
  } finally {
    db.close();
  }
}

export type Compacting = { path: string; to: string };

/** Without anything that was deleted: `path` is changed for it, and is of no use afterwards. @param to is there, and empty. */
export async function compactFile(path: string, to: string): Promise<void> {
  const target = openSync(to, 'r+');
  const syncing = setInterval(() => fdatasyncSync(target), SYNC_EVERY_MS);
  try {
    const workerData: Compacting = { path, to };
    await once(new Worker(new URL('./compact-thread.ts', import.meta.url), { workerData }), 'exit');
  } finally {
    clearInterval(syncing);
    closeSync(target);
  }
}

/** Of which database a backup is; undefined for what is none, is not whole, or is being used. */
export function identityIn(path: string): string | undefined {
  try {
    if (!isWhole(path)) return undefined;
    const db = new Sqlite(path, { readonly: true, fileMustExist: true });
    try {
      return db.prepare("select value from secrets where name = 'identity'").pluck().get() as
        | string
        | undefined;
    } finally {
      db.close();
    }
  } catch {
    return undefined;
  }
}

/** Which no version of Roster's has: in a file that is nobody's yet they would act on whatever brings it up to date. */
export function findTriggersAndViews(path: string): string[] {
  const db = new Sqlite(path, { readonly: true });
  try {
    const found = db.prepare(
      "select type || ' ' || name from sqlite_schema where type in ('trigger', 'view')",
    );
    return found.pluck().all() as string[];
  } finally {
    db.close();
  }
}

/** As `makeWhole` leaves it: of a database that a Roster works with the header says that there is a log, also once it is stopped. */
export function isBackup(path: string): boolean {
  const header = headerAt(path);
  const isOurs = header?.applicationId === APPLICATION_ID && migrationOf(header.version) > 0;
  return isOurs && !header.hasLog && !hasLogBeside(path);
}

export function isWhole(path: string): boolean {
  const header = headerAt(path);
  const size = (header?.pages ?? 0) * (header?.pageSize ?? 0);
  return header?.applicationId === APPLICATION_ID && size === statSync(path).size && !hasLogBeside(path);
}

function hasLogBeside(path: string): boolean {
  return existsSync(`${realpathSync(path)}-wal`);
}
