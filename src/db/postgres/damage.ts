/** Whether tables and indexes are whole: by amcheck (https://www.postgresql.org/docs/18/amcheck.html), or else by reading all of them. */
import { CompiledQuery, type RawBuilder, sql } from 'kysely';
import type { Damage } from '../engine.ts';
import type { Db } from '../schema.ts';
import { readSnapshot } from '../transact.ts';

const SEARCH_INDEX = /^users_search_/;

export async function meansOfFindingDamage(db: Db, isQuick: boolean): Promise<string> {
  if (isQuick) return 'reading every table';
  const schema = await schemaOfAmcheck(db);
  if (schema === undefined)
    return 'reading every table and every index but that of searches, as the extension amcheck is not there (create extension amcheck), or not for this user';
  return (await hasFunction(db, schema, 'gin_index_check'))
    ? "PostgreSQL's own amcheck"
    : "PostgreSQL's own amcheck, which does not know the index of searches before PostgreSQL 18";
}

/** Each table and index by itself: others read and write meanwhile. */
export async function* findDamage(db: Db, isQuick: boolean): AsyncGenerator<Damage> {
  const schema = isQuick ? undefined : await schemaOfAmcheck(db);
  for (const table of await tablesOf(db)) {
    if (schema === undefined) yield* tried(table, () => readTable(db, table));
    else yield* tried(table, () => checkTable(db, schema, table));
  }
  for (const index of isQuick ? [] : await indexesOf(db)) {
    if (!index.is_valid) yield damageOf(index.name, 'it was never finished');
    else if (schema === undefined) yield* tried(index.name, () => readIndex(db, index));
    else yield* tried(index.name, () => checkIndex(db, schema, index));
  }
}

async function* tried(name: string, look: () => Promise<string | undefined>): AsyncGenerator<Damage> {
  const problem = await look().catch(problemOf);
  if (problem !== undefined) yield damageOf(name, problem);
}

function damageOf(name: string, problem: string): Damage {
  return { what: `${name} is damaged: ${problem}.`, isOfSearch: SEARCH_INDEX.test(name) };
}

/** What a server says of a page that it cannot read; whoever has lost the server has found no damage. */
function problemOf(error: unknown): string {
  const { cause = error, message } = error as Error;
  const { code, message: inner } = cause as Error & { code?: string };
  // Damage: https://www.postgresql.org/docs/18/errcodes-appendix.html
  if (/^(XX00[012]|58)/.test(code ?? '')) return inner || message;
  throw error;
}

async function schemaOfAmcheck(db: Db): Promise<string | undefined> {
  const { rows } = await sql<{ name: string }>`
    select nspname as name from pg_extension
    join pg_namespace on pg_namespace.oid = extnamespace
    join pg_proc on pronamespace = extnamespace and proname in ('bt_index_check', 'verify_heapam')
    where extname = 'amcheck' group by nspname having bool_and(has_function_privilege(pg_proc.oid, 'execute'))`.execute(
    db,
  );
  return rows[0]?.name;
}

async function tablesOf(db: Db): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select relname as name from pg_class
    where relnamespace = current_schema()::regnamespace and relkind = 'r' order by relname`.execute(db);
  return rows.map(({ name }) => name);
}

type Index = {
  name: string;
  table: string;
  method: string;
  is_valid: boolean;
  columns: string;
  predicate: string | null;
};

async function indexesOf(db: Db): Promise<Index[]> {
  const { rows } = await sql<Index>`
    select i.relname as name, t.relname as "table", amname as method, indisvalid as is_valid,
      (select string_agg(pg_get_indexdef(i.oid, n, true), ', ' order by n) from generate_series(1, indnkeyatts) as n) as columns,
      pg_get_expr(indpred, indrelid) as predicate
    from pg_index
    join pg_class i on i.oid = indexrelid
    join pg_class t on t.oid = indrelid
    join pg_am on pg_am.oid = i.relam
    where t.relnamespace = current_schema()::regnamespace order by i.relname`.execute(db);
  return rows;
}

async function readTable(db: Db, table: string): Promise<undefined> {
  await sql`select sum(length(t::text)) from ${sql.table(table)} as t`.execute(db);
}

async function checkTable(db: Db, schema: string, table: string): Promise<string | undefined> {
  const { rows } = await sql<{ problem: string }>`
    select format('page %s: %s', blkno, msg) as problem
    from ${sql.id(schema, 'verify_heapam')}(${table}::regclass) limit 1`.execute(db);
  return rows[0]?.problem;
}

async function checkIndex(db: Db, schema: string, { name, method }: Index): Promise<undefined> {
  const oid = sql`${name}::regclass`;
  if (method === 'btree') await sql`select ${sql.id(schema, 'bt_index_check')}(${oid}, true)`.execute(db);
  if (method === 'gin' && (await hasFunction(db, schema, 'gin_index_check')))
    await sql`select ${sql.id(schema, 'gin_index_check')}(${oid})`.execute(db);
}

async function hasFunction(db: Db, schema: string, name: string): Promise<boolean> {
  const { rows } = await sql<{ is_there: boolean }>`
    select to_regproc(${`${schema}.${name}`}) is not null as is_there`.execute(db);
  return rows[0]?.is_there ?? false;
}

/** In its order, which is asked for so that it is read: as many rows as its table has. */
async function readIndex(db: Db, { table, method, columns, predicate }: Index): Promise<string | undefined> {
  if (method !== 'btree') return undefined;
  const condition = predicate === null ? '' : `where ${predicate}`;
  const rows = `select 1 from "${table}" ${condition}`;
  return readSnapshot(db, async (trx) => {
    const set = (names: string[]) =>
      CompiledQuery.raw(names.map((name) => `set local enable_${name} = off`).join('; '));
    await trx.executeQuery(set(['seqscan', 'bitmapscan', 'sort', 'incremental_sort']));
    const indexed = await countOf(trx, sql.raw(`${rows} order by ${columns} offset 0`));
    await trx.executeQuery(
      CompiledQuery.raw(
        'set local enable_seqscan = on; set local enable_indexscan = off; set local enable_indexonlyscan = off',
      ),
    );
    const there = await countOf(trx, sql.raw(rows));
    return indexed === there ? undefined : `it has ${indexed} of ${there} rows`;
  });
}

async function countOf(db: Db, rows: RawBuilder<unknown>): Promise<number> {
  const found = await sql<{ count: number }>`select count(*) as count from (${rows}) as found`.execute(db);
  return found.rows[0]?.count ?? 0;
}
