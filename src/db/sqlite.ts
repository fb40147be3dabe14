/**
 * SQLite under Kysely: one connection that writes, one that only reads, both without waiting for each other.
 *
 * A query outside a transaction runs on the reading connection, which cannot write; a transaction takes its turn on
 * the writing one.
 */
import { setTimeout } from 'node:timers/promises';
import Sqlite from 'better-sqlite3';
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import { NotUniqueError, UnavailableError } from '../errors.ts';

/** How long a transaction waits while another process writes, in milliseconds. */
const BUSY_WAIT = 5_000;
const BUSY_STEP = 10;
/** How long opening waits, in milliseconds, while another process opens or recovers the same file. */
const OPEN_WAIT = 5_000;
/** Pages kept in memory by a connection, in KiB. */
const CACHE_SIZE = 24 * 1024;
/** Statements kept prepared by a connection; Roster has far fewer. */
const MOST_STATEMENTS = 500;

/** A dialect over the file at `path`, which is made where it does not exist. */
export function sqliteDialect(path: string, applicationId: number): Dialect {
  return {
    createAdapter: () => new RosterSqliteAdapter(),
    createDriver: () => new SqliteDriver(path, applicationId),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

class RosterSqliteAdapter extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true;
  }
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

class SqliteDriver implements Driver {
  readonly #writer: Statements;
  readonly #reader: Statements;
  #lastTurn: Promise<void> = Promise.resolve();

  constructor(path: string, applicationId: number) {
    this.#writer = new Statements(openWriter(path, applicationId));
    this.#reader = new Statements(openReader(path));
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<SqliteConnection> {
    return new SqliteConnection(this.#reader);
  }

  async beginTransaction(connection: SqliteConnection): Promise<void> {
    const { promise: over, resolve: endTurn } = Promise.withResolvers<void>();
    const turn = this.#lastTurn;
    this.#lastTurn = over;
    connection.endTurn = endTurn;
    await turn;
    await beginImmediate(this.#writer);
    connection.statements = this.#writer;
  }

  async commitTransaction(connection: SqliteConnection): Promise<void> {
    connection.statements.run('commit');
  }

  async rollbackTransaction(connection: SqliteConnection): Promise<void> {
    // SQLite has already rolled back by itself after some errors, such as a full disk.
    if (connection.statements.db.inTransaction) connection.statements.run('rollback');
  }

  async releaseConnection(connection: SqliteConnection): Promise<void> {
    connection.endTurn?.();
  }

  async destroy(): Promise<void> {
    await this.#lastTurn;
    this.#reader.db.close();
    this.#writer.db.close();
  }
}

class SqliteConnection implements DatabaseConnection {
  statements: Statements;
  /** Set once the connection has asked for its turn to write. */
  endTurn: (() => void) | undefined;

  constructor(statements: Statements) {
    this.statements = statements;
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    return this.statements.run(sql, parameters);
  }

  // biome-ignore lint/correctness/useYield: Kysely asks for a generator; SQLite's answers are all there at once.
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('Streaming is not supported: ask for a page.');
  }
}

/** A connection with its prepared statements; the result of a query looks the same as on every other engine. */
class Statements {
  readonly db: Sqlite.Database;
  readonly #prepared = new Map<string, Prepared>();

  constructor(db: Sqlite.Database) {
    this.db = db;
  }

  /** @throws NotUniqueError for a unique constraint, UnavailableError when the disk is full or the file locked. */
  run<R>(sql: string, parameters: readonly unknown[] = []): QueryResult<R> {
    const values = parameters.map((value) => (typeof value === 'boolean' ? Number(value) : value));
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
      throw translated(error);
    }
  }

  #prepare(sql: string): Prepared {
    let prepared = this.#prepared.get(sql);
    if (prepared === undefined) {
      const statement = this.db.prepare(sql);
      // SQLite's strict tables have no boolean type; in Roster's, a column named `is_…` is one.
      const names = statement.reader ? statement.columns().map((column) => column.name) : [];
      prepared = { statement, booleans: names.filter((name) => name.startsWith('is_')) };
      if (this.#prepared.size >= MOST_STATEMENTS) this.#prepared.clear();
      this.#prepared.set(sql, prepared);
    }
    return prepared;
  }
}

type Prepared = { statement: Sqlite.Statement; booleans: readonly string[] };

function openWriter(path: string, applicationId: number): Sqlite.Database {
  const db = new Sqlite(path, { timeout: OPEN_WAIT });
  // Before WAL, so that the mark is in the file itself from its first page on.
  if (db.pragma('application_id', { simple: true }) === 0) db.pragma(`application_id = ${applicationId}`);
  db.pragma('journal_mode = WAL');
  // After WAL: switching to it sets what better-sqlite3 was compiled with, under which a power cut loses commits.
  db.pragma('synchronous = FULL');
  db.pragma('foreign_keys = ON');
  db.pragma(`cache_size = -${CACHE_SIZE}`);
  // From here on `beginImmediate` waits: SQLite itself would wait by stopping the whole process.
  db.pragma('busy_timeout = 0');
  return db;
}

function openReader(path: string): Sqlite.Database {
  const db = new Sqlite(path, { readonly: true, timeout: OPEN_WAIT });
  db.pragma(`cache_size = -${CACHE_SIZE}`);
  return db;
}

// Immediate: a transaction that starts by reading and then writes fails at once when another one wrote in between.
async function beginImmediate(writer: Statements): Promise<void> {
  for (let waited = 0; ; waited += BUSY_STEP) {
    try {
      writer.run('begin immediate');
      return;
    } catch (error) {
      if (!(error instanceof UnavailableError) || waited >= BUSY_WAIT) throw error;
      await setTimeout(BUSY_STEP);
    }
  }
}

function translated(error: unknown): unknown {
  if (!(error instanceof Sqlite.SqliteError)) return error;
  if (error.code === 'SQLITE_CONSTRAINT_UNIQUE') {
    const column = /\.(\w+)$/.exec(error.message)?.[1] ?? '';
    return new NotUniqueError(column, error);
  }
  if (error.code.startsWith('SQLITE_BUSY')) return new UnavailableError('busy', { cause: error });
  if (error.code === 'SQLITE_FULL') return new UnavailableError('full', { cause: error });
  return error;
}
