/** On PostgreSQL: more statistics of search texts, by which it judges whether few are found, and goes by the search index. */
import { type QueryExecutorProvider, sql } from 'kysely';

export async function sqlite(): Promise<void> {}

export async function postgres(trx: QueryExecutorProvider): Promise<void> {
  // A hundred texts, which it keeps unless told otherwise, say nothing of whom one in a hundred matches: it would go through everyone.
  await sql`alter table users alter column search_text set statistics 1000`.execute(trx);
  await sql`analyze users (search_text)`.execute(trx);
}
