/** PostgreSQL under Kysely, through a pool of connections. */
import {
  type Dialect,
  type Driver,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type TransactionSettings,
} from 'kysely';
import type { Timing } from '../timing.ts';
import { PostgresConnection } from './connection.ts';
import { postgresEngine } from './engine.ts';
import type { ConnectionPool } from './pool.ts';

export function postgresDialect(pool: ConnectionPool): Dialect {
  return {
    createAdapter: () => new RosterPostgresAdapter(pool),
    createDriver: () => new PostgresDriver(pool),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  };
}

class RosterPostgresAdapter extends PostgresAdapter {
  readonly engine = postgresEngine;
  readonly #pool: ConnectionPool;

  constructor(pool: ConnectionPool) {
    super();
    this.#pool = pool;
  }

  get isSaturated(): boolean {
    return this.#pool.isSaturated;
  }

  get timing(): Timing {
    return this.#pool.timing;
  }
}

class PostgresDriver implements Driver {
  readonly #pool: ConnectionPool;

  constructor(pool: ConnectionPool) {
    this.#pool = pool;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<PostgresConnection> {
    return new PostgresConnection(this.#pool);
  }

  async beginTransaction(connection: PostgresConnection, settings: TransactionSettings): Promise<void> {
    await connection.begin(settings);
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
