/** Kysely over SQLite, which answers at once: its ways to a connection take longer than most statements. */
import { type CompiledQuery, Kysely } from 'kysely';
import type { Db, Schema } from '../schema.ts';
import { type RosterSqliteAdapter, sqliteDialect } from './dialect.ts';

export async function openSqlite(...parameters: Parameters<typeof sqliteDialect>): Promise<Db> {
  const db = new Kysely<Schema>({ dialect: sqliteDialect(...parameters) });
  // What was never asked for a connection is not closed by `destroy`.
  await db.connection().execute(async () => {});
  // Transactions and plugins have executors of their own.
  const executor = db.getExecutor();
  const { reading } = executor.adapter as RosterSqliteAdapter;
  executor.executeQuery = async <R>(query: CompiledQuery) => reading.execute<R>(query);
  return db;
}

/** From now on it answers requests, and leaves whatever is large to others. */
export function expectRequests(db: Db): void {
  (db.getExecutor().adapter as RosterSqliteAdapter).shrinkWriterCache();
}
