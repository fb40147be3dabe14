/** SQLite under Kysely: one connection that writes, in turns, and one that only reads. */
import {
  type Dialect,
  type Driver,
  type SelectModifierNode,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type TransactionSettings,
} from 'kysely';
import { Timing } from '../timing.ts';
import { isCrowded } from './batch-queue.ts';
import { backfill, emptyLog } from './checkpoint.ts';
import { SqliteConnection } from './connection.ts';
import { sqliteEngine } from './engine.ts';
import { outcomeUnknown, refuse } from './errors.ts';
import { GroupCommit, retryWhileBusy } from './group-commit.ts';
import { type HowOpened, OpenedFile } from './opened-file.ts';
import { clearGaps } from './page-gaps.ts';
import { openReader, openWriter, readUserVersion, type Statements, shrinkCache } from './statements.ts';

const LOCKS: readonly (SelectModifierNode['modifier'] | undefined)[] = [
  'ForUpdate',
  'ForNoKeyUpdate',
  'ForShare',
  'ForKeyShare',
  'SkipLocked',
  'NoWait',
];

export function sqliteDialect(path: string, how: HowOpened = {}): Dialect {
  const driver = new SqliteDriver(path, how);
  return {
    createAdapter: () => new RosterSqliteAdapter(driver),
    createDriver: () => driver,
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new RosterSqliteQueryCompiler(),
  };
}

export class RosterSqliteAdapter extends SqliteAdapter {
  readonly engine = sqliteEngine;
  readonly #driver: SqliteDriver;

  constructor(driver: SqliteDriver) {
    super();
    this.#driver = driver;
  }

  /** It answers at once, but for searches; who wants to write takes turns. */
  get isSaturated(): boolean {
    return isCrowded();
  }

  get reading(): SqliteConnection {
    return this.#driver.reading;
  }

  get timing(): Timing {
    return this.#driver.timing;
  }

  override get supportsMultipleConnections(): boolean {
    return true;
  }
  override get supportsTransactionalDdl(): boolean {
    return true;
  }

  shrinkWriterCache(): void {
    this.#driver.shrinkWriterCache();
  }

  /** @returns whether the write-ahead log is empty: where someone is reading it, it stays for now. @throws OutcomeUnknownError. */
  async emptyLog(): Promise<boolean> {
    return this.#driver.alone(emptyLog);
  }

  /** As `page-gaps.ts` says. @throws OutcomeUnknownError. */
  async clearGaps(from: number): Promise<number | 'held up' | 'kept'> {
    return this.#driver.clearGaps(from);
  }

  /** https://sqlite.org/lang_vacuum.html @throws OutcomeUnknownError. */
  async vacuum(): Promise<void> {
    await this.#driver.alone((writer) => writer.run('vacuum'));
  }
}

class RosterSqliteQueryCompiler extends SqliteQueryCompiler {
  // `+` does nothing, but a bare value, as of a limit, may have SQLite prepare the statement anew each time: https://sqlite.org/c3ref/prepare.html
  protected override getCurrentParameterPlaceholder(): string {
    return '+?';
  }

  /** SQLite has no row locks, and needs none: a transaction that writes is the only one. */
  protected override visitSelectModifier(node: SelectModifierNode): void {
    if (!LOCKS.includes(node.modifier)) super.visitSelectModifier(node);
  }
}

class SqliteDriver implements Driver {
  readonly #path: string;
  readonly #file: OpenedFile;
  readonly #writer: Statements;
  readonly #reader: Statements;
  readonly #groups: GroupCommit;
  readonly reading: SqliteConnection;
  readonly timing = new Timing();

  constructor(path: string, how: HowOpened) {
    this.#path = path;
    this.#file = new OpenedFile(path, how);
    this.#writer = how.isReadOnly ? openReader(path) : openWriter(path, () => this.#file.refuseReplaced());
    this.#reader = openReader(path);
    this.reading = new SqliteConnection(this.#reader, this.#file, this.timing);
    this.#file.watch(() => readUserVersion(this.#reader));
    this.#groups = new GroupCommit(this.#writer, this.#file, this.timing);
  }

  async init(): Promise<void> {}

  shrinkWriterCache(): void {
    shrinkCache(this.#writer);
  }

  async acquireConnection(): Promise<SqliteConnection> {
    return new SqliteConnection(this.#reader, this.#file, this.timing);
  }

  async beginTransaction(connection: SqliteConnection, { accessMode }: TransactionSettings): Promise<void> {
    refuse(this.#file.problem);
    if (accessMode === 'read only') return this.#beginSnapshot(connection);
    const since = this.timing.begin();
    try {
      const deadline = GroupCommit.deadline();
      connection.endTurn = await this.#groups.takeTurnToBegin();
      await this.#groups.begin(deadline);
      connection.statements = this.#writer;
    } finally {
      this.timing.end('lock', since);
    }
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
    const since = this.timing.begin();
    try {
      const committed = this.#groups.release(connection.texts);
      this.#endTurn(connection);
      await committed;
    } finally {
      this.timing.end('commit', since);
    }
  }

  async rollbackTransaction(connection: SqliteConnection): Promise<void> {
    // Kysely also asks after a failed commit, when the turn, and the connection, are somebody else's already.
    if (connection.endTurn !== undefined) this.#groups.rollback();
  }

  async releaseConnection(connection: SqliteConnection): Promise<void> {
    connection.snapshot?.db.close();
    this.#endTurn(connection);
  }

  #endTurn(connection: SqliteConnection): void {
    connection.statements = this.#reader;
    connection.endTurn?.();
    connection.endTurn = undefined;
  }

  /** While no transaction is under way. */
  async alone<T>(act: (writer: Statements) => T): Promise<T> {
    const endTurn = await this.#groups.takeTurnAlone();
    try {
      refuse(this.#file.look());
      return await retryWhileBusy(() => act(this.#writer), GroupCommit.deadline());
    } catch (error) {
      throw outcomeUnknown(error);
    } finally {
      endTurn();
    }
  }

  async clearGaps(from: number): Promise<number | 'held up' | 'kept'> {
    return this.alone((writer) => clearGaps(writer, this.#file, from));
  }

  async destroy(): Promise<void> {
    await this.#groups.takeTurnAlone();
    this.#file.look();
    if (this.#file.isAnother) return this.#file.leaveOpen();
    if (this.#file.isWithoutLog) this.#saveLog();
    this.#reader.db.close();
    this.#writer.db.close();
    this.#file.close();
  }

  /** Closing does so too, but not where another process has the file open. */
  #saveLog(): void {
    let reason = 'another program is reading it';
    try {
      if (backfill(this.#writer)) return;
    } catch (error) {
      reason = (error as Error).message;
    }
    console.error(`${this.#path} may lack the last changes: ${reason}.`);
  }
}
