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
import { UnavailableError } from '../../errors.ts';
import { sqliteEngine } from './engine.ts';
import { isBusy, translatedCommit } from './errors.ts';
import { makeIndexesAhead } from './search.ts';
import { openReader, openWriter, type Statements } from './statements.ts';

/** How long a transaction waits for its turn and for another process that writes, in milliseconds. */
const BUSY_WAIT = 4_000;
const BUSY_STEP = 10;

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
  readonly #writer: Statements;
  readonly #reader: Statements;
  #lastTurn: Promise<void> = Promise.resolve();
  #group: Group | undefined;
  /** Users with ids below this can be indexed. */
  #ready = 0;

  constructor(path: string, isReadOnly: boolean) {
    this.#path = path;
    this.#writer = isReadOnly ? openReader(path) : openWriter(path);
    this.#reader = openReader(path);
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<SqliteConnection> {
    return new SqliteConnection(this.#reader);
  }

  async beginTransaction(connection: SqliteConnection, { accessMode }: TransactionSettings): Promise<void> {
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
    this.#reader.db.close();
    this.#writer.db.close();
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
    await beginImmediate(this.#writer, deadline);
    try {
      this.#ready = makeIndexesAhead(this.#writer, this.#ready);
    } catch (error) {
      // Else whoever comes next would find a transaction that nobody commits.
      this.#rollbackAll();
      throw error;
    }
    const group: Group = { committed: Promise.resolve(), size: 0 };
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

  /** Commits once all that came in the same turn of the event loop have had theirs. */
  async #commit(group: Group): Promise<void> {
    await setImmediate();
    const endTurn = await this.#takeTurn();
    try {
      if (this.#group !== group || !this.#writer.db.inTransaction) throw new UnavailableError('rolled back');
      this.#writer.run('commit');
    } catch (error) {
      if (this.#group === group) this.#rollbackAll();
      throw translatedCommit(error);
    } finally {
      endTurn();
    }
  }
}

/** Transactions that are committed as one. */
type Group = { committed: Promise<void>; size: number };

class SqliteConnection implements DatabaseConnection {
  statements: Statements;
  /** Set while the connection reads a snapshot. */
  snapshot: Statements | undefined;
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
