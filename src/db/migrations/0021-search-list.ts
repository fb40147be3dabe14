/** On PostgreSQL: more of what is new waits to be merged into the search index, which then takes less of a processor for each. */
import { type QueryExecutorProvider, sql } from 'kysely';

export async function sqlite(): Promise<void> {}

export async function postgres(trx: QueryExecutorProvider): Promise<void> {
  // Without the extension pg_trgm there is no such index.
  await sql`alter index if exists users_search_text set (gin_pending_list_limit = 1024)`.execute(trx);
}
