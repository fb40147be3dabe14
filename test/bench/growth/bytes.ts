/** How many bytes each table and each index takes on the disk. */
import Sqlite from 'better-sqlite3';
import pg from 'pg';
import { filePathOf } from '../../../src/database-url.ts';

/** `table`: whose index it is, or itself; all of SQLite's search index counts as one. */
export type Part = { table: string; name: string; bytes: number };

/** https://sqlite.org/dbstat.html: whole pages, each once. */
const IN_FILE = `
  select coalesce(tbl_name, dbstat.name) as "table", dbstat.name, pgsize as bytes
  from dbstat left join sqlite_schema on sqlite_schema.name = dbstat.name where aggregate = true`;

/** https://www.postgresql.org/docs/18/functions-admin.html#FUNCTIONS-ADMIN-DBSIZE: a table with what it keeps apart, then its indexes. */
const IN_SERVER = `
  select relname as "table", relname as name, pg_table_size(oid)::float8 as bytes
  from pg_class where relkind = 'r' and relnamespace = current_schema()::regnamespace
  union all
  select pg_class.relname, indexes.relname, pg_relation_size(indexes.oid)::float8
  from pg_index join pg_class on pg_class.oid = indrelid join pg_class as indexes on indexes.oid = indexrelid
  where pg_class.relnamespace = current_schema()::regnamespace`;

const SEARCH = /^users_search_(\d+_|text)/;

export async function bytesOfParts(url: string): Promise<Part[]> {
  const path = filePathOf(url);
  const parts = path === undefined ? await partsInServer(url) : partsInFile(path);
  const [search, others] = [parts.filter(isSearch), parts.filter((part) => !isSearch(part))];
  return [...others, { table: 'search', name: 'search', bytes: sumOf(search) }];
}

/** Of those of these tables, or of all. */
export function sumOf(parts: readonly Part[], tables?: readonly string[]): number {
  const some = tables ? parts.filter(({ table }) => tables.includes(table)) : parts;
  return some.reduce((sum, { bytes }) => sum + bytes, 0);
}

function isSearch({ name }: Part): boolean {
  return SEARCH.test(name);
}

function partsInFile(path: string): Part[] {
  const db = new Sqlite(path, { fileMustExist: true });
  try {
    return db.prepare<[], Part>(IN_FILE).all();
  } finally {
    db.close();
  }
}

async function partsInServer(url: string): Promise<Part[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query<Part>(IN_SERVER)).rows;
  } finally {
    await client.end();
  }
}
