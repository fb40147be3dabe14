/** A connection to SQLite: how it is set, its prepared statements, and results that look as on any other engine. */
import Sqlite from 'better-sqlite3';
import type { QueryResult } from 'kysely';
import { backfill } from './checkpoint.ts';
import { translated } from './errors.ts';

const OPEN_WAIT_MS = 5_000;
const CACHE_KIB = 2 * 1024;
/** Where it is smaller than what batches of a hundred users change (some 1,000 pages each), pages are written more than once. */
const WRITER_CACHE_KIB = 16 * 1024;
const LARGEST_LOG_BYTES = 32 * 1024 * 1024;
const MOST_PREPARED = 500;

/** @param refuseMoved called once nobody else holds it, and before anything is made beside it */
export function openWriter(path: string, refuseMoved: () => void): Statements {
  const db = new Sqlite(path, { timeout: OPEN_WAIT_MS });
  db.pragma('user_version');
  refuseMoved();
  db.pragma('journal_mode = WAL');
  // After WAL: switching to it sets what better-sqlite3 was compiled with, under which a power cut loses commits.
  db.pragma('synchronous = FULL');
  db.pragma('foreign_keys = ON');
  // What is deleted is overwritten at once: a page that is used again would keep the rest of what it held.
  db.pragma('secure_delete = ON');
  // What grew while somebody read for long, as a check or a backup does, is given back when the log begins anew.
  db.pragma(`journal_size_limit = ${LARGEST_LOG_BYTES}`);
  db.pragma(`cache_size = -${WRITER_CACHE_KIB}`);
  const statements = new Statements(db);
  backfillIfPossible(statements);
  // From here on `beginImmediate` waits: SQLite itself would wait by stopping the whole process.
  db.pragma('busy_timeout = 0');
  return statements;
}

// After a sync that failed the log of a Roster that was killed may be in memory alone, and what is appended to it would go with it.
function backfillIfPossible(statements: Statements): void {
  try {
    backfill(statements);
  } catch {
    // On a disk that is full or failing by now; everything can still be read.
  }
}

/** For whoever changes few users at a time. */
export function shrinkCache(writer: Statements): void {
  writer.db.pragma(`cache_size = -${CACHE_KIB}`);
}

export function openReader(path: string): Statements {
  const db = new Sqlite(path, { readonly: true, timeout: OPEN_WAIT_MS });
  db.pragma(`cache_size = -${CACHE_KIB}`);
  return new Statements(db);
}

export class Statements {
  readonly db: Sqlite.Database;
  readonly #prepared = new Map<string, Prepared>();

  constructor(db: Sqlite.Database) {
    this.db = db;
  }

  /** @throws NotUniqueError for a unique constraint, UnavailableError for the disk and for locks, DamagedError. */
  run<R>(sql: string, parameters: readonly unknown[] = []): QueryResult<R> {
    const values = parameters.map(toBind);
    try {
      const { statement, booleans } = this.#prepare(sql);
      if (!statement.reader) {
        return { rows: [], numAffectedRows: BigInt(statement.run(values).changes) };
      }
      const rows = statement.all(values) as Record<string, unknown>[];
      for (const row of booleans.length > 0 ? rows : []) {
        for (const name of booleans) row[name] = row[name] === 1;
      }
      return { rows: rows as R[] };
    } catch (error) {
      throw translated(error, this.db);
    }
  }

  /** Runs what is not kept prepared, and gives nothing back. @throws as above. */
  execute(sql: string): void {
    try {
      this.db.exec(sql);
    } catch (error) {
      throw translated(error, this.db);
    }
  }

  #prepare(sql: string): Prepared {
    let prepared = this.#prepared.get(sql);
    if (prepared === undefined) {
      const statement = this.db.prepare(sql);
      // SQLite's strict tables have no boolean type; in Roster's, a column named `is_…` is one.
      const names = statement.reader ? statement.columns().map((column) => column.name) : [];
      prepared = { statement, booleans: names.filter((name) => name.startsWith('is_')) };
      if (this.#prepared.size >= MOST_PREPARED) this.#prepared.clear();
      this.#prepared.set(sql, prepared);
    }
    return prepared;
  }
}

/** SQLite has no booleans, and arrays only as JSON. */
function toBind(value: unknown): unknown {
  if (typeof value === 'boolean') return Number(value);
  return Array.isArray(value) ? JSON.stringify(value) : value;
}

type Prepared = { statement: Sqlite.Statement; booleans: readonly string[] };

export function readUserVersion(statements: Statements): number {
  return statements.run<{ user_version: number }>('pragma user_version').rows[0]?.user_version ?? 0;
}

export function countChanges(statements: Statements): number {
  return statements.run<{ count: number }>('select total_changes() as count').rows[0]?.count ?? 0;
}
