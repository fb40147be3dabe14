/** The text that users are found by, and what searches it. */
import { type QueryExecutorProvider, sql } from 'kysely';
import { type Searched, searchTextOf } from './0002-folding.ts';

const ROWS = 1_000;
const REPORT_EVERY = 50_000;
/** Ids in one index of SQLite's. */
const RANGE = 2 ** 18;
/** Errors of PostgreSQL's after which nothing goes on: https://www.postgresql.org/docs/18/errcodes-appendix.html */
const BROKEN = /^(08|40|53|57P|57014|58|XX|25P03|25P04|55P03)/;

export async function sqlite(trx: QueryExecutorProvider): Promise<void> {
  await sql`alter table users add column search_text text not null default ''`.execute(trx);
  // So that a page by number skips over ids alone; the rows themselves are some thirty times as long.
  await sql`create index users_id on users (id)`.execute(trx);
  await writeSearchTexts(trx);
  await makeIndex(trx, 0);
  let first = await firstIdFrom(trx, 1);
  while (first !== null) {
    const range = Math.floor(first / RANGE);
    await indexRange(trx, range, first);
    first = await firstIdFrom(trx, (range + 1) * RANGE);
  }
}

export async function postgres(trx: QueryExecutorProvider): Promise<void> {
  await sql`alter table users add column search_text text collate "C" not null default ''`.execute(trx);
  await writeSearchTexts(trx);
  const schema = await schemaOfTrigrams(trx);
  if (schema !== undefined) {
    // Without a list of what is still to be indexed, which every search would have to go through.
    await sql`
      create index users_search_text on users using gin (search_text ${sql.id(schema, 'gin_trgm_ops')})
      with (fastupdate = off)`.execute(trx);
    return;
  }
  // What a field starts with; before the first of them there is nothing.
  for (const field of [1, 2, 3])
    await sql`
      create index ${sql.id(`users_search_field_${field}`)} on users
      ((split_part(users.search_text, ${sql.lit('\n\n')}, ${sql.lit(field + 1)}) collate "C"))`.execute(trx);
}

async function writeSearchTexts(trx: QueryExecutorProvider): Promise<void> {
  let last: unknown = 0;
  let done = 0;
  for (;;) {
    const { rows } = await sql<Searched & { id: unknown }>`
      select id, username, email, full_name from users where id > ${last} order by id limit ${ROWS}`.execute(
      trx,
    );
    for (const { id, ...user } of rows)
      await sql`update users set search_text = ${searchTextOf(user)} where id = ${id}`.execute(trx);
    last = rows.at(-1)?.id;
    done += rows.length;
    if (rows.length > 0) sayHowFar(done);
    if (rows.length < ROWS) break;
  }
}

/** Ten million users take minutes, in which whoever has started Roster sees no page yet. */
function sayHowFar(done: number): void {
  if (done % REPORT_EVERY === 0) console.log(`${done.toLocaleString('en')} users can be searched for`);
}

async function firstIdFrom(trx: QueryExecutorProvider, id: number): Promise<number | null> {
  const { rows } = await sql<{ first: number | null }>`
    select min(id) as first from users where id >= ${id}`.execute(trx);
  return rows[0]?.first ?? null;
}

/** Indexes the users of a range, of whom the first is known; all of the index is gathered in memory meanwhile. */
async function indexRange(trx: QueryExecutorProvider, range: number, first: number): Promise<void> {
  const index = `users_search_${range}`;
  const gather = (bytes: number) =>
    sql.raw(`insert into ${index} (${index}, rank) values ('hashsize', ${bytes})`).execute(trx);
  await makeIndex(trx, range);
  await gather(2 ** 27);
  await sql`
    insert into ${sql.raw(index)} (rowid, search_text)
    select id, search_text from users where id >= ${first} and id < ${(range + 1) * RANGE} order by id`.execute(
    trx,
  );
  await gather(2 ** 20);
}

/** Of every three letters in a row, without the text itself and the sizes that only a ranking would need. */
async function makeIndex(trx: QueryExecutorProvider, range: number): Promise<void> {
  const index = `users_search_${range}`;
  const statements = [
    `create virtual table if not exists ${index} using fts5(
      search_text, tokenize = 'trigram case_sensitive 1', content = '', columnsize = 0)`,
    `insert into ${index} (${index}, rank) values ('crisismerge', 4)`,
  ];
  for (const statement of statements) await sql.raw(statement).execute(trx);
}

/** Where the extension pg_trgm is, which any owner of a database may bring in if the server has it. */
async function schemaOfTrigrams(trx: QueryExecutorProvider): Promise<string | undefined> {
  await sql`savepoint extension`.execute(trx);
  try {
    await sql`create extension if not exists pg_trgm`.execute(trx);
  } catch (error) {
    if (BROKEN.test(codeOf(error))) throw error;
    await sql`rollback to savepoint extension`.execute(trx);
  }
  const { rows } = await sql<{ name: string }>`
    select nspname as name from pg_extension join pg_namespace on pg_namespace.oid = extnamespace
    where extname = 'pg_trgm'`.execute(trx);
  return rows[0]?.name;
}

/** What the server calls an error, whatever that has been wrapped in; one without a code is a lost connection. */
function codeOf(error: unknown): string {
  const { cause, code = '08000' } = error as Error & { code?: string };
  return cause instanceof Error ? codeOf(cause) : code;
}
