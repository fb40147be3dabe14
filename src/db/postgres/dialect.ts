/**
 * PostgreSQL under Kysely, through a pool of connections.
 *
 * A query outside a transaction cannot write, as on SQLite; a connection that is lost is told apart from a statement
 * that failed, and a commit whose outcome nobody knows from both.
 */
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
  type TransactionSettings,
} from 'kysely';
import type pg from 'pg';
import { OutcomeUnknownError, UnavailableError } from '../../errors.ts';
import { postgresEngine } from './engine.ts';
import { isRefusal, translated } from './errors.ts';

export function postgresDialect(pool: pg.Pool): Dialect {
  return {
    createAdapter: () => new RosterPostgresAdapter(pool),
    createDriver: () => new PostgresDriver(pool),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  };
}

class RosterPostgresAdapter extends PostgresAdapter {
  readonly engine = postgresEngine;
  readonly #pool: pg.Pool;

  constructor(pool: pg.Pool) {
    super();
    this.#pool = pool;
  }

  get isSaturated(): boolean {
    return this.#pool.waitingCount >= this.#pool.options.max;
  }
}

class PostgresDriver implements Driver {
  readonly #pool: pg.Pool;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<PostgresConnection> {
    try {
      return new PostgresConnection(await this.#pool.connect());
    } catch (error) {
      throw new UnavailableError(`there is no connection: ${(error as Error).message}`, { cause: error });
    }
  }

  async beginTransaction(connection: PostgresConnection, settings: TransactionSettings): Promise<void> {
    const { isolationLevel = 'read committed', accessMode = 'read write' } = settings;
    try {
      await connection.run(`begin isolation level ${isolationLevel} ${accessMode}`);
    } catch (error) {
      // As a standby does, to whoever wants to write.
      throw new UnavailableError('it begins no transaction', { cause: error });
    }
  }

  async commitTransaction(connection: PostgresConnection): Promise<void> {
    await connection.commit();
  }

  async rollbackTransaction(connection: PostgresConnection): Promise<void> {
    await connection.rollback();
  }

  async releaseConnection(connection: PostgresConnection): Promise<void> {
    connection.release();
  }

  async destroy(): Promise<void> {
    await this.#pool.end();
  }
}

class PostgresConnection implements DatabaseConnection {
  readonly #client: pg.PoolClient;
  #isLost = false;
  readonly #onLost = () => {
    this.#isLost = true;
  };

  constructor(client: pg.PoolClient) {
    this.#client = client;
    client.on('error', this.#onLost).on('end', this.#onLost);
  }

  /** @throws NotUniqueError, UnavailableError, ContendedError, and whatever else PostgreSQL refuses. */
  async run(sql: string, parameters: readonly unknown[] = []): Promise<pg.QueryResult> {
    try {
      return await this.#client.query(sql, parameters.map(storable));
    } catch (error) {
      if (!isRefusal(error)) this.#isLost = true;
      throw translated(error);
    }
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const { rows, rowCount } = await this.run(sql, parameters);
    return { rows, numAffectedRows: BigInt(rowCount ?? 0) };
  }

  /** @throws OutcomeUnknownError when the connection is lost while the server is at it. */
  async commit(): Promise<void> {
    if (this.#isLost) throw new UnavailableError('the connection was lost before the commit');
    const { command } = await this.#client.query('commit').catch((error) => {
      if (isRefusal(error)) throw translated(error);
      this.#isLost = true;
      throw new OutcomeUnknownError('the connection was lost during the commit', { cause: error });
    });
    // A transaction in which a statement had failed is answered "ROLLBACK".
    if (command !== 'COMMIT') throw new UnavailableError('the transaction was rolled back');
  }

  async rollback(): Promise<void> {
    if (this.#isLost) return;
    // Where that fails the server rolls back by itself, and the connection is given up: what matters is why.
    await this.run('rollback').catch(this.#onLost);
  }

  release(): void {
    this.#client.off('error', this.#onLost).off('end', this.#onLost);
    this.#client.release(this.#isLost);
  }

  // biome-ignore lint/correctness/useYield: Kysely asks for a generator.
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('Streaming is not supported: ask for a page.');
  }
}

/** PostgreSQL's text holds no NUL, which is looked up like other characters that nothing contains. */
function storable(value: unknown): unknown {
  return typeof value === 'string' ? value.replaceAll('\0', '\uFFFD') : value;
}
