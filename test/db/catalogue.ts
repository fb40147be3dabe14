/** What a database itself says of its tables: columns, types, defaults, indexes and constraints. */
import { type RawBuilder, sql } from 'kysely';
import { inject } from 'vitest';
import type { Db } from '../../src/db/schema.ts';

const QUERIES: Record<'sqlite' | 'postgres', readonly RawBuilder<object>[]> = {
  sqlite: [
    sql`select type, name, tbl_name, sql from sqlite_schema order by type, name`,
    // How the search indexes are kept; what they gather in memory, and how they are merged in steps, is up to whoever does so last.
    sql`
      select 0 as range, k, v from users_search_0_config where k not in ('hashsize', 'usermerge')
      union all select 3, k, v from users_search_3_config where k not in ('hashsize', 'usermerge') order by 1, 2`,
  ],
  postgres: [
    sql`
      select relname, relkind, reloptions from pg_class
      where relnamespace = current_schema()::regnamespace order by relname`,
    sql`
      select table_name, ordinal_position, column_name, data_type, is_nullable, column_default, collation_name,
        identity_generation
      from information_schema.columns where table_schema = current_schema() order by 1, 2`,
    sql`
      select conrelid::regclass::text as table_name, conname, pg_get_constraintdef(oid) as definition from pg_constraint
      where connamespace = current_schema()::regnamespace order by 1, 2`,
    sql`select indexname, indexdef from pg_indexes where schemaname = current_schema() order by indexname`,
  ],
};

/** The same text for two databases that are made alike, whatever they hold. */
export async function catalogueOf(db: Db): Promise<string> {
  const rows = [];
  for (const query of QUERIES[inject('engine')]) rows.push(...(await query.execute(db)).rows);
  const lines = rows.map((row) => JSON.stringify(row).replaceAll(/(\\n|\s)+/g, ' '));
  // Each of these tests has a schema of its own.
  return lines.join('\n').replaceAll(/\broster_\d+\./g, '');
}
