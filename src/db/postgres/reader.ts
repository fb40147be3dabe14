/** Where one page is read: on a replica, and from its first failure on at the primary, or where something stands in for that, so that nothing is older than what is shown beside it. */
import { Kysely, type QueryResult } from 'kysely';
import type { Db, Schema } from '../schema.ts';
import { PostgresConnection } from './connection.ts';
import { dialectOf, type RosterPostgresAdapter } from './dialect.ts';
import { isServersFault } from './errors.ts';
import type { LongQuery } from './long-statements.ts';
import { AllTakenError, type ConnectionPool } from './pool.ts';
import type { Primary } from './primary.ts';
import type { Replica } from './replica.ts';

/** Reads at the primary or, where that turns out to be away, at what stands in for it. */
export type ReadPrimary = <T>(read: (db: Db) => Promise<T>) => Promise<T>;

/** It ends with the pools; in a transaction of its own nothing is asked a second time. @param replica undefined where none may be asked */
export function openReader(
  adapter: RosterPostgresAdapter,
  replica: Replica | undefined,
  primary: Primary,
  readPrimary: ReadPrimary,
): Db {
  const place = new Place(replica, primary, readPrimary);
  return new Kysely<Schema>({ dialect: dialectOf(adapter, () => new ReadingConnection(place)) });
}

class Place {
  #replica: Replica | undefined;
  readonly #primary: Primary;
  readonly #readPrimary: ReadPrimary;
  /** Where what follows is asked if no replica is, once something is shown: what stands in by then may have got less. */
  #next: Db | undefined;

  constructor(replica: Replica | undefined, primary: Primary, readPrimary: ReadPrimary) {
    [this.#replica, this.#primary, this.#readPrimary] = [replica, primary, readPrimary];
  }

  get pool(): ConnectionPool {
    return (this.#replica ?? this.#primary).pool;
  }

  async ask<R>(query: LongQuery): Promise<QueryResult<R>> {
    if (this.#replica === undefined) return this.#askPrimary(query);
    try {
      const answer = await this.#replica.unlessSilent(askAt<R>(this.#replica.pool, query));
      this.#next ??= this.#primary.db;
      return answer;
    } catch (error) {
      if (!isServersFault(error)) throw error;
      this.#giveUp(error);
      return this.#askPrimary(query);
    }
  }

  #askPrimary<R>(query: LongQuery): Promise<QueryResult<R>> {
    if (this.#next) return this.#next.executeQuery<R>(query);
    return this.#readPrimary(async (db) => {
      // Another query of the page may have been answered meanwhile.
      const answer = await (this.#next ?? db).executeQuery<R>(query);
      this.#next ??= db;
      return answer;
    });
  }

  #giveUp(why: Error): void {
    if (!(why instanceof AllTakenError)) this.#replica?.leaveOut(`it failed a query: ${why.message}`);
    this.#replica = undefined;
  }
}

/** On a connection of its own, given back once there is an answer, also where nobody waits for that any more. */
function askAt<R>(pool: ConnectionPool, query: LongQuery): Promise<QueryResult<R>> {
  const connection = new PostgresConnection(pool);
  return connection.executeQuery<R>(query).finally(() => connection.release());
}

class ReadingConnection extends PostgresConnection {
  readonly #place: Place;

  constructor(place: Place) {
    super(place.pool);
    this.#place = place;
  }

  override executeQuery<R>(query: LongQuery): Promise<QueryResult<R>> {
    return this.isInTransaction ? super.executeQuery(query) : this.#place.ask(query);
  }
}
