/** Many rows by one statement, whose text is the same for any number of them: as JSON they are one parameter. */
import {
  type CompiledQuery,
  type Insertable,
  type RawBuilder,
  type Selectable,
  sql,
  type Updateable,
} from 'kysely';
import { cachedQuery } from './cached-query.ts';
import { engineOf } from './engine.ts';
import type { Schema, Trx } from './schema.ts';

type Row<T extends keyof Schema> = Selectable<Schema[T]>;

/** @param rows one at least, all with the columns of the first @param returning which of their columns, in no order */
export function insertion<T extends keyof Schema, N extends string & keyof Row<T>>(
  trx: Trx,
  table: T,
  rows: readonly Insertable<Schema[T]>[],
  returning: readonly N[] = [],
): CompiledQuery<Pick<Row<T>, N>> {
  const [row = {}] = rows as Record<string, unknown>[];
  const columns = Object.keys(row).filter((name) => row[name] !== undefined);
  const build = (from: RawBuilder<unknown>) => {
    const made = returning.length > 0 ? sql` returning ${listOf(returning)}` : sql``;
    const insert = sql<Pick<Row<T>, N>>`insert into ${sql.table(table)} (${listOf(columns)}) ${from}${made}`;
    return { compile: () => insert.compile(trx) };
  };
  const shape = `insert into ${table}, returning ${returning}`;
  if (rows.length === 1)
    return cachedQuery(trx, shape, row, (values) =>
      build(sql`values (${sql.join(columns.map((name) => values[name]))})`),
    );
  return cachedQuery(trx, `${shape}, many of ${columns}`, { rows: JSON.stringify(rows) }, (values) =>
    build(sql`select ${listOf(columns)} from ${engineOf(trx).rowsOf(table, columns, values.rows)}`),
  );
}

/** @param rows what becomes of each, with its id, in any order; each is written in the columns that it has */
export async function updateRows<T extends 'users'>(
  trx: Trx,
  table: T,
  rows: readonly (Updateable<Schema[T]> & { id: number })[],
): Promise<void> {
  // An index is written anew for each column that is named, also where the value stays as it was.
  for (const [, alike] of Map.groupBy(rows, (row) => Object.keys(row).join())) {
    const columns = Object.keys(alike[0] ?? {});
    const update = cachedQuery(
      trx,
      `update ${table}: ${columns}`,
      { rows: JSON.stringify(alike) },
      (values) => {
        const set = columns
          .filter((name) => name !== 'id')
          .map((name) => sql`${sql.id(name)} = given.${sql.id(name)}`);
        const query = sql`
        update ${sql.table(table)} set ${sql.join(set)}
        from ${engineOf(trx).rowsOf(table, columns, values.rows)} where ${sql.table(table)}.id = given.id`;
        return { compile: () => query.compile(trx) };
      },
    );
    await trx.executeQuery(update);
  }
}

function listOf(columns: readonly string[]): RawBuilder<unknown> {
  return sql.join(columns.map((name) => sql.id(name)));
}
