/**
 * SQLite under Kysely: one connection that writes, one that only reads, both without waiting for each other.
 *
 * A query outside a transaction runs on the reading connection, which cannot write; a transaction takes its turn on
 * the writing one.
 */
import { setImmediate, setTimeout } from 'node:timers/promises';
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  type SelectModifierNode,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type TransactionSettings,
} from 'kysely';
import { DatabaseLostError, OutcomeUnknownError, UnavailableError } from '../../errors.ts';
import { sqliteEngine } from './engine.ts';
import { isBusy, translatedCommit } from './errors.ts';
import { makeIndexesAhead } from './fts5-index.ts';
import { raised } from './generation.ts';
import { OpenedFile } from './opened-file.ts';
import { openReader, openWriter, type Statements } from './statements.ts';

/** How long a transaction waits for its turn and for another process that writes, in milliseconds. */
const BUSY_WAIT = 4_000;
const BUSY_STEP = 10;

const GONE = 'its file is gone, or another one lies in its place';

const LOCKS: readonly (SelectModifierNode['modifier'] | undefined)[] = [
  'ForUpdate',
  'ForShare',
  'ForKeyShare',
  'SkipLocked',
];

/** A dialect over the file at `path`. */
export function sqliteDialect(path: string, { isReadOnly = false } = {}): Dialect {
  return {
    createAdapter: () => new RosterSqliteAdapter(),
    createDriver: () => new SqliteDriver(path, isReadOnly),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new RosterSqliteQueryCompiler(),
  };
}

class RosterSqliteAdapter extends SqliteAdapter {
  readonly engine = sqliteEngine;
  /** It answers at once; who wants to write takes turns. */
  readonly isSaturated = false;
  override get supportsMultipleConnections(): boolean {
    return true;
  }
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

class RosterSqliteQueryCompiler extends SqliteQueryCompiler {
  /** SQLite has no row locks, and needs none: a transaction that writes is the only one. */
  protected override visitSelectModifier(node: SelectModifierNode): void {
    if (!LOCKS.includes(node.modifier)) super.visitSelectModifier(node);
  }
}

/**
 * Transactions that come together are written to disk together: each is a savepoint in one transaction of SQLite's, and
 * none is acknowledged before that one is committed. Syncing the disk is most of what a small transaction costs.
 */
class SqliteDriver implements Driver {
  readonly #path: string;
  readonly #file: OpenedFile;
  readonly #writer: Statements;
  readonly #reader: Statements;
  #lastTurn: Promise<void> = Promise.resolve();
  #group: Group | undefined;
  /** Users with ids below this can be indexed. */
  #ready = 0;
  #hasWritten = false;

  constructor(path: string, isReadOnly: boolean) {
    this.#path = path;
    this.#file = new OpenedFile(path, isReadOnly);
    this.#writer = isReadOnly ? openReader(path) : openWriter(path);
    this.#reader = openReader(path);
    this.#file.watch(() => readVersion(this.#reader));
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<SqliteConnection> {
    return new SqliteConnection(this.#reader, this.#file);
  }

  async beginTransaction(connection: SqliteConnection, { accessMode }: TransactionSettings): Promise<void> {
    refuse(this.#file.problem);
    if (accessMode === 'read only') return this.#beginSnapshot(connection);
    const deadline = performance.now() + BUSY_WAIT;
    connection.endTurn = await this.#takeTurn();
    if (!this.#writer.db.inTransaction) this.#group = await this.#openGroup(deadline);
    if (this.#group) this.#group.size++;
    this.#writer.run('savepoint one');
    connection.statements = this.#writer;
  }

  /** On a connection of its own, whose `begin` sees all at one moment. */
  #beginSnapshot(connection: SqliteConnection): void {
    refuse(this.#file.look());
    connection.snapshot = openReader(this.#path);
    connection.snapshot.run('begin');
    connection.statements = connection.snapshot;
  }

  async commitTransaction(connection: SqliteConnection): Promise<void> {
    if (connection.snapshot) return;
    const group = this.#group;
    this.#writer.run('release one');
    this.#endTurn(connection);
    await group?.committed;
  }

  async rollbackTransaction(connection: SqliteConnection): Promise<void> {
    // Kysely also asks after a failed commit, when the turn, and the connection, are somebody else's already.
    if (connection.endTurn === undefined) return;
    // After some errors, such as a full disk, SQLite has rolled back everything by itself.
    if (!this.#writer.db.inTransaction) return this.#rollbackAll();
    // Alone, it can go back to the very beginning, before which virtual tables may have been made.
    if (this.#group?.size === 1) return this.#rollbackAll();
    this.#writer.run('rollback to one');
    this.#writer.run('release one');
  }

  async releaseConnection(connection: SqliteConnection): Promise<void> {
    connection.snapshot?.db.close();
    this.#endTurn(connection);
  }

  async destroy(): Promise<void> {
    await this.#group?.committed.catch(() => {});
    await this.#takeTurn();
    if (this.#file.look()) return this.#file.leave();
    this.#reader.db.close();
    this.#writer.db.close();
    this.#file.close();
  }

  /** Waits until whoever came before has ended their turn; ends this one when called. */
  async #takeTurn(): Promise<() => void> {
    const { promise: over, resolve: endTurn } = Promise.withResolvers<void>();
    const before = this.#lastTurn;
    this.#lastTurn = over;
    await before;
    return endTurn;
  }

  #endTurn(connection: SqliteConnection): void {
    connection.statements = this.#reader;
    connection.endTurn?.();
    connection.endTurn = undefined;
  }

  async #openGroup(deadline: number): Promise<Group> {
    try {
      await beginImmediate(this.#writer, deadline);
      this.#ready = makeIndexesAhead(this.#writer, this.#ready);
    } catch (error) {
      // Else whoever comes next would find a transaction that nobody commits.
      this.#rollbackAll();
      throw this.#lostOr(error);
    }
    const group: Group = { committed: Promise.resolve(), size: 0, changes: changesOf(this.#writer) };
    group.committed = this.#commit(group);
    // Its members hear of a failure; where they have all failed before, there is nobody to tell.
    group.committed.catch(() => {});
    return group;
  }

  /** Also where SQLite has rolled back by itself: what was made ahead is gone with it. */
  #rollbackAll(): void {
    this.#ready = 0;
    if (this.#writer.db.inTransaction) this.#writer.run('rollback');
  }

  /** Each transaction that changes something does so, and with it writes the first page: the log shows whose it is. */
  #raiseGeneration(): void {
    const version = readVersion(this.#writer);
    refuse(this.#file.follow(version));
    // Not among the statements that are kept prepared: it is another one each time.
    this.#writer.execute(`pragma user_version = ${raised(version)}`);
  }

  /** @throws OutcomeUnknownError where it may have been saved all the same. */
  #save(): void {
    try {
      this.#writer.run('commit');
    } catch (error) {
      throw translatedCommit(error);
    }
  }

  /**
   * Empties the log once, after the first change: a copy of the file that was made before this process had opened it is
   * no state from which that log goes on, and so is not mistaken for one (see `left-over.ts`).
   */
  #startLog(): void {
    if (this.#hasWritten) return;
    this.#hasWritten = true;
    try {
      this.#writer.run('pragma wal_checkpoint(TRUNCATE)');
    } catch {
      // What was changed is saved, in the log.
    }
  }

  /** Commits once all that came in the same turn of the event loop have had theirs. */
  async #commit(group: Group): Promise<void> {
    await setImmediate();
    const endTurn = await this.#takeTurn();
    const isChanged = changesOf(this.#writer) !== group.changes;
    try {
      if (this.#group !== group || !this.#writer.db.inTransaction) throw new UnavailableError('rolled back');
      // Before: at times SQLite writes into the file as a part of it.
      refuse(this.#file.look());
      if (isChanged) this.#raiseGeneration();
      this.#save();
    } catch (error) {
      if (this.#group === group) this.#rollbackAll();
      throw this.#lostOr(error);
    } finally {
      endTurn();
    }
    const problem = this.#file.look();
    if (problem) throw new OutcomeUnknownError(problem, { reason: GONE });
    if (isChanged) this.#startLog();
  }

  /** What was put in the place of the file may be what SQLite fails at. */
  #lostOr(error: unknown): unknown {
    const problem = this.#file.look();
    return problem ? new DatabaseLostError(problem, { cause: error, reason: GONE }) : error;
  }
}

/** Transactions that are committed as one; `changes` is what the connection had changed before. */
type Group = { committed: Promise<void>; size: number; changes: number };

class SqliteConnection implements DatabaseConnection {
  statements: Statements;
  /** Set while the connection reads a snapshot. */
  snapshot: Statements | undefined;
  /** Set once the connection has asked for its turn to write. */
  endTurn: (() => void) | undefined;
  readonly #file: OpenedFile;

  constructor(statements: Statements, file: OpenedFile) {
    this.statements = statements;
    this.#file = file;
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    refuse(this.#file.problem);
    try {
      return this.statements.run(sql, parameters);
    } catch (error) {
      // What was put in its place may be what it fails at.
      refuse(this.#file.look());
      throw error;
    }
  }

  // biome-ignore lint/correctness/useYield: Kysely asks for a generator; SQLite's answers are all there at once.
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('Streaming is not supported: ask for a page.');
  }
}

/** @throws DatabaseLostError where there is a problem. */
function refuse(problem: string | undefined): void {
  if (problem !== undefined) throw new DatabaseLostError(problem, { reason: GONE });
}

function readVersion(statements: Statements): number {
  return statements.run<{ user_version: number }>('pragma user_version').rows[0]?.user_version ?? 0;
}

/** How many rows a connection has changed since it was opened. */
function changesOf(statements: Statements): number {
  return statements.run<{ count: number }>('select total_changes() as count').rows[0]?.count ?? 0;
}

// Immediate: a transaction that starts by reading and then writes fails at once when another one wrote in between.
async function beginImmediate(writer: Statements, deadline: number): Promise<void> {
  for (;;) {
    try {
      writer.run('begin immediate');
      return;
    } catch (error) {
      if (!isBusy(error) || performance.now() >= deadline) throw error;
      await setTimeout(BUSY_STEP);
    }
  }
}
