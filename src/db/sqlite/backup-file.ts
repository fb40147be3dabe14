/** A database file as another file, of one moment, while others read and write it: https://sqlite.org/backup.html */
import { closeSync, existsSync, fdatasyncSync, openSync, realpathSync, statSync } from 'node:fs';
import Sqlite from 'better-sqlite3';
import { migrationOf, nextVersion } from './generation.ts';
import { APPLICATION_ID, readHeader } from './header.ts';

/** Some 16 MB, between which it is looked whether it may go on. */
const PAGES_AT_ONCE = 4_096;
const OPEN_WAIT_MS = 5_000;

/** @param to is there, and empty. @param goOn is told which part is done, and may throw */
export async function copyFile(path: string, to: string, goOn: (part: number) => void): Promise<void> {
  const source = new Sqlite(path, { readonly: true, timeout: OPEN_WAIT_MS });
  const target = openSync(to, 'r+');
  try {
    // As long as this transaction lasts, each step sees the same moment: else each change of others has SQLite begin anew.
    source.exec('begin');
    source.prepare('select count(*) from sqlite_schema').get();
    const progress = ({ totalPages, remainingPages }: Sqlite.BackupMetadata) => {
      // Little by little: where much waits for the disk, a change that others make waits behind it.
      fdatasyncSync(target);
      goOn(1 - remainingPages / totalPages);
      return PAGES_AT_ONCE;
    };
    await source.backup(to, { progress });
  } finally {
    source.close();
    closeSync(target);
  }
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

/** Without anything that was deleted: `path` is changed for it, and is of no use afterwards. @param to is there, and empty. */
export function compactFile(path: string, to: string): void {
  const db = new Sqlite(path);
  try {
    db.pragma('journal_mode = OFF');
    db.pragma('synchronous = OFF');
    // A search index holds what was deleted until all of it has become one: https://sqlite.org/fts5.html#the_optimize_command
    const indexes = db.prepare("select name from sqlite_schema where sql like 'create virtual table%fts5%'");
    for (const name of indexes.pluck().all())
      db.exec(`insert into "${name}" ("${name}") values ('optimize')`);
    db.prepare('vacuum into ?').run(to);
  } finally {
    db.close();
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

function isWhole(path: string): boolean {
  const descriptor = openSync(path, 'r');
  try {
    const header = readHeader(descriptor);
    const size = (header?.pages ?? 0) * (header?.pageSize ?? 0);
    const isUsed = existsSync(`${realpathSync(path)}-wal`);
    return header?.applicationId === APPLICATION_ID && size === statSync(path).size && !isUsed;
  } finally {
    closeSync(descriptor);
  }
}
