/** A column by which no index is to be chosen: else a database may go through all that is equal in it, to find a few. */
import { type RawBuilder, sql } from 'kysely';

export function unindexed(column: string): RawBuilder<number> {
  return sql<number>`+${sql.ref(column)}`;
}
