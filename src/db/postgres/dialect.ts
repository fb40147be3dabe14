/** PostgreSQL under Kysely, through a pool of connections. */
import {
  type Dialect,
  type Driver,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type TransactionSettings,
} from 'kysely';
import type { Replicas } from '../replicas.ts';
import type { Timing } from '../timing.ts';
import { PostgresConnection } from './connection.ts';
import { postgresEngine } from './engine.ts';
import type { ConnectionPool } from './pool.ts';

type Connect = () => PostgresConnection;

export function postgresDialect(pool: ConnectionPool, replicas?: Replicas): Dialect {
  const end = async () => {
    await replicas?.end();
    await pool.end();
  };
  return dialectOf(new RosterPostgresAdapter(pool, replicas), () => new PostgresConnection(pool), end);
}

export function dialectOf(adapter: RosterPostgresAdapter, connect: Connect, end = async () => {}): Dialect {
  return {
    createAdapter: () => adapter,
    createDriver: () => new PostgresDriver(connect, end),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  };
}

export class RosterPostgresAdapter extends PostgresAdapter {
  readonly engine = postgresEngine;
  readonly replicas: Replicas | undefined;
  readonly #pool: ConnectionPool;

  constructor(pool: ConnectionPool, replicas?: Replicas) {
    super();
    this.#pool = pool;
    this.replicas = replicas;
  }

  get isSaturated(): boolean {
    return this.#pool.isSaturated;
  }

  get timing(): Timing {
    return this.#pool.timing;
  }
}

class PostgresDriver implements Driver {
  readonly #connect: Connect;
  readonly #end: () => Promise<void>;

  constructor(connect: Connect, end: () => Promise<void>) {
    this.#connect = connect;
    this.#end = end;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<PostgresConnection> {
    return this.#connect();
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
    await this.#end();
  }
}
