/**
 * Databases as Roster has made them that one test after the other has, with their connections: to make one, and to connect
 * to it, takes longer than most tests. What a test has left is removed; one whose tables it has changed, or made large, is
 * not used again.
 */
import { type Dialect, Kysely } from 'kysely';
import { onTestFinished } from 'vitest';
import { postgresDialect } from '../../src/db/postgres/dialect.ts';
import { type ConnectionPool, openPool } from '../../src/db/postgres/pool.ts';
import type { Db, Schema } from '../../src/db/schema.ts';
import { keptSchema, readySchema } from './database.ts';

type Reusable = { pool: ConnectionPool; tables: string; clearing: string };

/** Of all tables, sequences and indexes, and of functions; and whether there were so many users that it takes long to remove them. */
const TABLES = `
  select string_agg(concat_ws(' ', oid, relname, xmin), ',' order by oid) as tables,
    (select count(*) from pg_proc where pronamespace = current_schema()::regnamespace) as functions,
    pg_relation_size('users') > 200000 as is_large
  from pg_class where relnamespace = current_schema()::regnamespace`;

const CONNECTIONS = 5;
/** To connect takes longer on a busy machine than a page waits for it. */
const timeouts = { connectionTimeoutMillis: 10_000 };

const free: Reusable[] = [];

export async function reusedDatabase(): Promise<Db> {
  const { db, giveBack } = await takeDatabase();
  onTestFinished(giveBack);
  return db;
}

export async function takeDatabase(): Promise<{ db: Db; giveBack(): Promise<void> }> {
  const reusable = free.pop() ?? (await make());
  const db = new Kysely<Schema>({ dialect: keeping(reusable.pool) });
  const giveBack = async () => {
    await db.destroy();
    const isAsBefore = await clear(reusable).catch(() => false);
    if (isAsBefore) free.push(reusable);
    else await reusable.pool.end();
  };
  return { db, giveBack };
}

/** One for one test alone. Its version is known, so that no connection is opened to ask for it. */
export async function readyDatabase(connections: number): Promise<Db> {
  return new Kysely<Schema>({
    dialect: postgresDialect(openPool(await readySchema(), { connections, timeouts })),
  });
}

/** A database that ends leaves its connections open. */
function keeping(pool: ConnectionPool): Dialect {
  const dialect = postgresDialect(pool);
  return {
    ...dialect,
    createDriver: () => Object.assign(dialect.createDriver(), { destroy: async () => {} }),
  };
}

async function make(): Promise<Reusable> {
  const pool = openPool(await keptSchema(), { connections: CONNECTIONS, timeouts });
  const names = await ask<{ name: string }>(
    pool,
    'select tablename as name from pg_tables where schemaname = current_schema() order by tablename',
  );
  const statements: string[] = [];
  for (const { name } of names) {
    const [{ rows } = { rows: null }] = await ask<{ rows: string | null }>(
      pool,
      `select json_agg(t)::text as rows from ${name} as t`,
    );
    statements.push(`delete from ${name}`);
    const values = `json_populate_recordset(null::${name}, $rows$${rows}$rows$)`;
    if (rows) statements.push(`insert into ${name} overriding system value select * from ${values}`);
  }
  const clearing = [
    'begin read write',
    // Whatever refers to what: all of it goes.
    'set local session_replication_role = replica',
    ...statements,
    `select setval(oid, 1, false) from pg_class where relkind = 'S' and relnamespace = current_schema()::regnamespace`,
    'commit',
  ].join(';\n');
  return { pool, tables: await tablesOf(pool), clearing };
}

/** Whether it is then as it was made. */
async function clear({ pool, tables, clearing }: Reusable): Promise<boolean> {
  await nobodyWrites(pool);
  if ((await tablesOf(pool)) !== tables) return false;
  await ask(pool, clearing);
  return true;
}

/** A request that nobody waits for any more can still be about to commit. */
async function nobodyWrites(pool: ConnectionPool): Promise<void> {
  const all = await Promise.all(Array.from({ length: CONNECTIONS }, () => pool.acquire()));
  for (const client of all) pool.release(client);
}

async function tablesOf(pool: ConnectionPool): Promise<string> {
  return JSON.stringify(await ask(pool, TABLES));
}

async function ask<Row extends object>(pool: ConnectionPool, sql: string): Promise<Row[]> {
  const client = await pool.acquire();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    pool.release(client);
  }
}
