/** Where one page is read: on a replica, and from its first failure on at the primary, so that nothing is older than what is shown beside it. */
import { Kysely, type QueryResult } from 'kysely';
import type { Db, Schema } from '../schema.ts';
import { PostgresConnection } from './connection.ts';
import { dialectOf, type RosterPostgresAdapter } from './dialect.ts';
import { isServersFault } from './errors.ts';
import type { PatientQuery } from './patience.ts';
import { AllTakenError, type ConnectionPool } from './pool.ts';
import type { Replica } from './replica.ts';

/** It ends with the pools; in a transaction of its own nothing is asked a second time. */
export function openReader(adapter: RosterPostgresAdapter, replica: Replica, primary: ConnectionPool): Db {
  const place = new Place(replica, primary);
  return new Kysely<Schema>({ dialect: dialectOf(adapter, () => new ReadingConnection(place)) });
}

class Place {
  readonly #replica: Replica;
  readonly primary: ConnectionPool;
  pool: ConnectionPool;

  constructor(replica: Replica, primary: ConnectionPool) {
    this.#replica = replica;
    this.primary = primary;
    this.pool = replica.pool;
  }

  giveUp(why: Error): void {
    if (!(why instanceof AllTakenError)) this.#replica.leaveOut(`it failed a query: ${why.message}`);
    this.pool = this.primary;
  }
}

class ReadingConnection extends PostgresConnection {
  readonly #place: Place;

  constructor(place: Place) {
    super(place.pool);
    this.#place = place;
  }

  override async executeQuery<R>(query: PatientQuery): Promise<QueryResult<R>> {
    try {
      return await super.executeQuery(query);
    } catch (error) {
      const isLast = this.pool === this.#place.primary;
      if (isLast || this.isInTransaction || !isServersFault(error)) throw error;
      this.#place.giveUp(error);
      this.moveTo(this.#place.primary);
      return super.executeQuery(query);
    }
  }
}
