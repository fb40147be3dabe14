/** What tests do to a database behind Roster's back, on each engine. */
import { sql } from 'kysely';
import { inject, type Mock, onTestFinished, vi } from 'vitest';
import { openToRead } from '../src/db/database.ts';
import type { Engine } from '../src/db/engine.ts';
import type { Db } from '../src/db/schema.ts';
import { transact } from '../src/db/transact.ts';

const TABLES = {
  sqlite: sql<{
    name: string;
  }>`select name from sqlite_schema where type = 'table' and sql not like 'create virtual %' order by name`,
  postgres: sql<{ name: string }>`
    select tablename as name from pg_tables where schemaname = current_schema() order by tablename`,
};

const ROWS = {
  sqlite: (table: string) => sql`select * from ${sql.table(table)}`,
  postgres: (table: string) => sql`select * from ${sql.table(table)} as t order by t::text`,
};

const BREAK = {
  sqlite: (table: string) =>
    sql`create trigger broken before update on ${sql.table(table)} begin select raise(abort, 'broken'); end`,
  postgres: (table: string) =>
    sql`alter table ${sql.table(table)} add constraint broken check (false) not valid`,
};

export async function tablesOf(db: Db): Promise<string[]> {
  return (await TABLES[inject('engine')].execute(db)).rows.map(({ name }) => name);
}

/** Whether there is a database of Roster's at an address; none is made by asking. */
export async function isDatabaseAt(url: string): Promise<boolean> {
  const db = await openToRead(url).catch(() => undefined);
  await db?.destroy();
  return db !== undefined;
}

/** Every row of every table. */
export async function dump(db: Db): Promise<unknown> {
  const rows = [];
  for (const table of await tablesOf(db))
    rows.push([table, (await ROWS[inject('engine')](table).execute(db)).rows]);
  return rows;
}

/** Makes every later write to the number of users fail, which is the last write of every change. */
export async function breakCounts(db: Db): Promise<void> {
  await breakUpdates(db, 'user_counts');
}

const MEND = {
  sqlite: () => sql`drop trigger broken`,
  postgres: (table: string) => sql`alter table ${sql.table(table)} drop constraint broken`,
};

/** Makes every later change of a row of a table fail. */
export async function breakUpdates(db: Db, table: string): Promise<void> {
  await transact(db, (trx) => BREAK[inject('engine')](table).execute(trx));
}

/** After that. */
export async function mendUpdates(db: Db, table: string): Promise<void> {
  await transact(db, (trx) => MEND[inject('engine')](table).execute(trx));
}

/** Puts something in the place of parts of an engine, on this database alone. @returns what puts them back, which is done after the test in any case */
export function replaceInEngine(db: Db, parts: Partial<Engine>): () => void {
  const adapter = db.getExecutor().adapter as unknown as { engine: Engine };
  const before = adapter.engine;
  const putBack = () => {
    adapter.engine = before;
  };
  adapter.engine = { ...before, ...parts };
  onTestFinished(putBack);
  return putBack;
}

/** Is done after each batch of what nobody waits for, such as an export, in the place of giving way. */
export function afterBatches(db: Db, act: () => Promise<void>): Mock {
  const giveWay = vi.fn(act);
  replaceInEngine(db, { giveWay });
  return giveWay;
}

/** Such work waits after its first batch until it is let go. @returns `begun`: called for each that waits */
export function holdBatches(db: Db): { begun: Mock; letGo: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  onTestFinished(() => resolve());
  return { begun: afterBatches(db, () => promise), letGo: resolve };
}
