/** What Roster's tables are made of. What else is in the database is its owner's: nothing of Roster's goes through it. */
import { sql } from 'kysely';
import type { Db } from '../schema.ts';
import { driftOf, type SchemaDrift, type SchemaParts } from '../schema-parts.ts';

/** Of PostgreSQL alone, by table: its columns, and by which of them a row is known. */
const OWN = { roster_version: ['is_one', 'version'], user_counts: ['slot'] };
const OWN_KEYS: Readonly<Record<string, string>> = {
  'unique index of user_counts (is_active, role)': 'unique index of user_counts (is_active, role, slot)',
};
const OF_FILES = /^(users_search_|sqlite_|zeros$)/;

export async function compareSchema(db: Db, model: Db): Promise<SchemaDrift[]> {
  const expected = await expectedOf(model);
  const tables = [...expected.keys()]
    .filter((part) => part.startsWith('table '))
    .map((part) => part.slice(6));
  return driftOf(expected, await readParts(db, tables));
}

/** As on SQLite: the tables have the same names, columns and keys. */
async function expectedOf(model: Db): Promise<SchemaParts> {
  const { rows } = await sql<{ name: string; columns: string; keys: string }>`
    select name,
      (select json_group_array(c.name) from pragma_table_info(t.name) as c) as columns,
      (select json_group_array(columns) from (
        select group_concat(c.name, ', ' order by c.pk) as columns from pragma_table_info(t.name) as c where c.pk > 0
        union
        select (select group_concat(k.name, ', ' order by k.seqno) from pragma_index_info(i.name) as k)
        from pragma_index_list(t.name) as i where i."unique" and not i.partial
      ) where columns is not null) as keys
    from sqlite_schema as t where type = 'table'`.execute(model);
  const parts = rows
    .filter(({ name }) => !OF_FILES.test(name))
    .flatMap(({ name, columns, keys }) => [
      `table ${name}`,
      ...JSON.parse(columns).map((column: string) => `column ${name}.${column}`),
      ...JSON.parse(keys).map((key: string) => `unique index of ${name} (${key})`),
    ]);
  const own = Object.entries(OWN).flatMap(([table, columns]) =>
    columns.map((name) => `column ${table}.${name}`),
  );
  const all = [...parts.map((part) => OWN_KEYS[part] ?? part), ...own];
  return partsOf([...all, 'table roster_version', 'unique index of roster_version (is_one)']);
}

async function readParts(db: Db, tables: readonly string[]): Promise<SchemaParts> {
  const { rows } = await sql<{ part: string }>`
    with ours as (
      select oid, relname as name from pg_class
      where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p') and relname = any(${tables}::text[])
    )
    select 'table ' || name as part from ours
    union all
    select format('column %s.%s', name, attname) from ours join pg_attribute on attrelid = ours.oid
    where attnum > 0 and not attisdropped
    union all
    select format('unique index of %s (%s)', name, (
      select string_agg(attname, ', ' order by at) from unnest(indkey::int2[]) with ordinality as key (number, at)
      join pg_attribute on attrelid = ours.oid and attnum = number where at <= indnkeyatts
    )) from ours join pg_index on indrelid = ours.oid where indisunique and indisvalid and indpred is null
    union all
    select format('trigger %s on %s', tgname, name) from ours join pg_trigger on tgrelid = ours.oid where not tgisinternal
    union all
    select format('rule %s on %s', rulename, name) from ours join pg_rewrite on ev_class = ours.oid`.execute(
    db,
  );
  return partsOf(rows.map(({ part }) => part));
}

function partsOf(parts: readonly string[]): SchemaParts {
  return new Map(parts.map((part) => [part, '']));
}
