/** How the primary and replicas are looked at, apart from what pages ask of them. */
import { Kysely, sql } from 'kysely';
import type { Db, Schema } from '../schema.ts';
import { PostgresConnection } from './connection.ts';
import { dialectOf, RosterPostgresAdapter } from './dialect.ts';
import { openPool } from './pool.ts';

/** In milliseconds: what is silent for longer is left out. */
export const SILENCE = 1_000;

/** Which database it is, also where another one has the same tables. */
export const IDENTITY = sql<string>`
  (select concat_ws(' ', system_identifier, current_database(), current_schema()) from pg_control_system())`;

/** Where positions are: a later one from each promotion on, by which they are of another log. */
export const TIMELINE = sql<string>`left(pg_walfile_name(pg_current_wal_lsn()), 8)`;

/** A connection of its own, which never waits for those of pages. What fails there is not asked twice: the next look is soon. */
export function openProbe(url: string): Db {
  const timeouts = { connectionTimeoutMillis: SILENCE, query_timeout: SILENCE };
  const pool = openPool(url, { connections: 1, timeouts });
  const connect = () => new PostgresConnection(pool, false);
  return new Kysely<Schema>({
    dialect: dialectOf(new RosterPostgresAdapter(pool), connect, () => pool.end()),
  });
}
