/** Words in the text that users are found by, other spellings of their names, and keys that they are sorted by. */
import { type QueryExecutorProvider, sql } from 'kysely';
import { searchTextOf, sortKeyOf } from './0006-folding.ts';

/** Rows that one step writes. */
const ROWS = 2_000;
const REPORT_EVERY = 100_000;
const RANGE = 2 ** 18;
/** Errors of PostgreSQL's after which nothing goes on: https://www.postgresql.org/docs/18/errcodes-appendix.html */
const BROKEN = /^(08|40|53|57P|57014|58|XX|25P03|25P04|55P03)/;

type User = { id: unknown; username: string; email: string; full_name: string | null };
type LateUser = User & { search_text: string };
type Engine = {
  usersAfter(trx: QueryExecutorProvider, id: number): Promise<User[]>;
  writeRows(trx: QueryExecutorProvider, users: readonly User[]): Promise<void>;
  makeIndex(trx: QueryExecutorProvider, name: string, columns: string): Promise<void>;
  /** @returns the next part. */
  makeSearch(trx: QueryExecutorProvider, at: number): Promise<number | undefined>;
  writeLate(trx: QueryExecutorProvider, users: readonly LateUser[]): Promise<void>;
};
/** What is done next, each with where: after which row, which index, which range of ids. */
type Phase = 'rows' | 'indexes' | 'search' | 'late' | 'done';

const INDEXES = [
  ['users_username_sort', 'username_sort'],
  ['users_status_username_sort', 'is_active, username_sort'],
  ['users_name_sort', 'name_sort'],
  ['users_status_name_sort', 'is_active, name_sort'],
] as const;

export const step = {
  async sqlite(trx: QueryExecutorProvider): Promise<boolean> {
    const { rows: tables } = await sql`
      select name from sqlite_schema where type = 'table' and name = 'names_progress'`.execute(trx);
    if (tables.length === 0) {
      // Each new column of a strict table is checked in every row.
      await say(trx, 'Names are made easier to find and put in order: the database is read through twice');
      await sql`create table names_progress (phase text not null, at integer not null) strict`.execute(trx);
      await begin(trx);
      return true;
    }
    return goOn(trx, {
      usersAfter,
      writeRows: writeRowsOfSqlite,
      makeIndex: makeIndexOfSqlite,
      makeSearch: indexRange,
      writeLate: writeLateOfSqlite,
    });
  },

  async postgres(trx: QueryExecutorProvider): Promise<boolean> {
    const { rows: tables } = await sql<{ is_there: boolean }>`
      select to_regclass('names_progress') is not null as is_there`.execute(trx);
    if (!tables[0]?.is_there) {
      await sql`create table names_progress (phase text not null, at bigint not null)`.execute(trx);
      // They would be kept for every row that is written.
      await dropSearchIndexes(trx);
      await begin(trx, sql` collate "C"`);
      return true;
    }
    return goOn(trx, {
      usersAfter: lockedUsersAfter,
      writeRows: writeRowsOfPostgres,
      makeIndex: makeIndexOfPostgres,
      makeSearch: makeSearchIndex,
      writeLate: writeRowsOfPostgres,
    });
  },
};

export async function sqlite(trx: QueryExecutorProvider): Promise<void> {
  await writeLateOfSqlite(trx, await usersOfOlderRosters(trx, 0));
  await finish(trx);
}

export async function postgres(trx: QueryExecutorProvider): Promise<void> {
  // What it ends up with: to ask for more later could end in a deadlock.
  await sql`lock table users in access exclusive mode`.execute(trx);
  const users = await usersOfOlderRosters(trx, 0);
  if (users.length > 0) await writeRowsOfPostgres(trx, users);
  for (const column of ['username_sort', 'name_sort'])
    await sql`alter table users alter column ${sql.id(column)} drop default`.execute(trx);
  // An older Roster that still runs would write texts and leave keys that belong to no search and no order of today.
  await sql`
    alter table users add constraint users_search_text_has_fields check (left(search_text, 1) = ${sql.lit('\r')}) not valid
  `.execute(trx);
  await finish(trx);
}

async function begin(trx: QueryExecutorProvider, collation = sql``): Promise<void> {
  for (const column of ['username_sort', 'name_sort'])
    await sql`alter table users add column ${sql.id(column)} text${collation} not null default ''`.execute(
      trx,
    );
  await sql`insert into names_progress (phase, at) values ('rows', 0)`.execute(trx);
}

async function goOn(
  trx: QueryExecutorProvider,
  { usersAfter, writeRows, makeIndex, makeSearch, writeLate }: Engine,
): Promise<boolean> {
  const { rows } = await sql<{ phase: Phase; at: unknown }>`
    select phase, at from names_progress`.execute(trx);
  const [{ phase, at: written } = { phase: 'done', at: 0 }] = rows;
  const at = Number(written);
  if (phase === 'done') return false;
  if (phase === 'rows') {
    const users = await usersAfter(trx, at);
    if (users.length > 0) await writeRows(trx, users);
    const last = Number(users.at(-1)?.id ?? at);
    const isEnd = users.length < ROWS;
    await keep(trx, isEnd ? 'indexes' : 'rows', isEnd ? 0 : last);
    await sayHowFar(trx, at, last);
  } else if (phase === 'indexes') {
    const [name, columns] = INDEXES[at] ?? [];
    if (name === undefined || columns === undefined) await keep(trx, 'search', 0);
    else {
      await say(trx, `Names are put in order: ${at + 1} of ${INDEXES.length}`);
      await makeIndex(trx, name, columns);
      await keep(trx, 'indexes', at + 1);
    }
  } else if (phase === 'search') {
    await say(trx, `Names are made easier to find: the index, part ${at + 1}`);
    const next = await makeSearch(trx, at);
    await keep(trx, next === undefined ? 'late' : 'search', next ?? 0);
  } else {
    const users = await usersOfOlderRosters(trx, at, ROWS);
    if (users.length > 0) await writeLate(trx, users);
    await keep(trx, users.length < ROWS ? 'done' : 'late', Number(users.at(-1)?.id ?? 0));
  }
  return true;
}

async function keep(trx: QueryExecutorProvider, phase: Phase, at: number): Promise<void> {
  await sql`update names_progress set phase = ${phase}, at = ${at}`.execute(trx);
}

async function usersAfter(trx: QueryExecutorProvider, id: number): Promise<User[]> {
  const { rows } = await sql<User>`
    select id, username, email, full_name from users where id > ${id} order by id limit ${ROWS}`.execute(trx);
  return rows;
}

/** An older Roster that changes one of them waits, and is found later by what it has written. */
async function lockedUsersAfter(trx: QueryExecutorProvider, id: number): Promise<User[]> {
  const { rows } = await sql<User>`
    select id, username, email, full_name from users where id > ${id} order by id limit ${ROWS} for update`.execute(
    trx,
  );
  return rows;
}

/** Who has been written meanwhile by a Roster that knows nothing of this. */
async function usersOfOlderRosters(trx: QueryExecutorProvider, after: number, limit?: number) {
  const { rows } = await sql<LateUser>`
    select id, username, email, full_name, search_text from users
    where id > ${after} and (substr(search_text, 1, 1) <> ${'\r'} or name_sort = '')
    order by id ${limit === undefined ? sql`` : sql`limit ${limit}`}`.execute(trx);
  return rows;
}

async function writeLateOfSqlite(trx: QueryExecutorProvider, users: readonly LateUser[]): Promise<void> {
  for (const { id, search_text, ...user } of users) {
    const index = sql.raw(`users_search_${Math.floor(Number(id) / RANGE)}`);
    await sql`insert into ${index} (${index}, rowid, search_text) values ('delete', ${id}, ${search_text})`.execute(
      trx,
    );
    await writeRowsOfSqlite(trx, [{ id, ...user }]);
    await sql`insert into ${index} (rowid, search_text) values (${id}, ${textOf(user)})`.execute(trx);
  }
}

async function dropSearchIndexes(trx: QueryExecutorProvider): Promise<void> {
  for (const name of ['text', 'field_1', 'field_2', 'field_3'])
    await sql`drop index if exists ${sql.id(`users_search_${name}`)}`.execute(trx);
}

async function finish(trx: QueryExecutorProvider): Promise<void> {
  await sql`drop index users_status_username_key`.execute(trx);
  await sql`drop table names_progress`.execute(trx);
}

async function sayHowFar(trx: QueryExecutorProvider, from: number, to: number): Promise<void> {
  if (Math.floor(from / REPORT_EVERY) === Math.floor(to / REPORT_EVERY)) return;
  const share = Math.floor((100 * to) / (await lastId(trx)));
  console.log(`Names are made easier to find and put in order: ${share} % of all users are done`);
}

async function say(trx: QueryExecutorProvider, text: string): Promise<void> {
  if ((await lastId(trx)) > REPORT_EVERY) console.log(text);
}

async function lastId(trx: QueryExecutorProvider): Promise<number> {
  const { rows } = await sql<{ last: unknown }>`select max(id) as last from users`.execute(trx);
  return Number(rows[0]?.last ?? 0);
}

function textOf({ username, email, full_name }: Omit<User, 'id'>): string {
  return searchTextOf({ username, email, full_name });
}

function keysOf({ username, full_name }: Omit<User, 'id'>): [username: string, name: string] {
  return [sortKeyOf(username), sortKeyOf(full_name ?? username)];
}

async function writeRowsOfSqlite(trx: QueryExecutorProvider, users: readonly User[]): Promise<void> {
  const values = JSON.stringify(users.map((user) => [user.id, textOf(user), ...keysOf(user)]));
  await sql`
    update users set search_text = made.search_text, username_sort = made.username_sort, name_sort = made.name_sort
    from (
      select value ->> 0 as id, value ->> 1 as search_text, value ->> 2 as username_sort, value ->> 3 as name_sort
      from json_each(${values})
    ) as made
    where users.id = made.id`.execute(trx);
}

async function writeRowsOfPostgres(trx: QueryExecutorProvider, users: readonly User[]): Promise<void> {
  const keys = users.map(keysOf);
  await sql`
    update users set search_text = made.search_text, username_sort = made.username_sort, name_sort = made.name_sort
    from unnest(
      ${users.map(({ id }) => id)}::bigint[], ${users.map(textOf)}::text[],
      ${keys.map(([username]) => username)}::text[], ${keys.map(([, name]) => name)}::text[]
    ) as made (id, search_text, username_sort, name_sort)
    where users.id = made.id`.execute(trx);
}

async function makeIndexOfSqlite(trx: QueryExecutorProvider, name: string, columns: string): Promise<void> {
  await sql.raw(`create index ${name} on users (${columns})`).execute(trx);
}

async function makeIndexOfPostgres(trx: QueryExecutorProvider, name: string, columns: string): Promise<void> {
  await sql.raw(`create index ${name} on users (${columns}, id)`).execute(trx);
}

async function indexRange(trx: QueryExecutorProvider, range: number): Promise<number | undefined> {
  const { rows: first } = await sql<{ id: number | null }>`
    select min(id) as id from users where id >= ${range * RANGE}`.execute(trx);
  const found = first[0]?.id ?? undefined;
  if (found === undefined && range > 0) return undefined;
  const here = range === 0 ? 0 : Math.floor(Number(found) / RANGE);
  const index = `users_search_${here}`;
  const statements = [
    `drop table if exists ${index}`,
    `create virtual table ${index} using fts5(
      search_text, tokenize = 'trigram case_sensitive 1', content = '', columnsize = 0)`,
    `insert into ${index} (${index}, rank) values ('crisismerge', 4)`,
    `insert into ${index} (${index}, rank) values ('hashsize', ${2 ** 27})`,
    `insert into ${index} (rowid, search_text)
      select id, search_text from users where id >= ${here * RANGE} and id < ${(here + 1) * RANGE} order by id`,
    `insert into ${index} (${index}, rank) values ('hashsize', ${2 ** 20})`,
  ];
  for (const statement of statements) await sql.raw(statement).execute(trx);
  return here + 1;
}

async function makeSearchIndex(trx: QueryExecutorProvider): Promise<undefined> {
  // An older Roster may have made them meanwhile.
  await dropSearchIndexes(trx);
  const schema = await schemaOfTrigrams(trx);
  if (schema !== undefined) {
    await sql`
      create index users_search_text on users using gin (search_text ${sql.id(schema, 'gin_trgm_ops')})
      with (fastupdate = off)`.execute(trx);
    return;
  }
  for (const field of [1, 2, 3])
    await sql`
      create index ${sql.id(`users_search_field_${field}`)} on users
      ((split_part(users.search_text, ${sql.lit('\r')}, ${sql.lit(field + 1)}) collate "C"))`.execute(trx);
}

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

function codeOf(error: unknown): string {
  const { cause, code = '08000' } = error as Error & { code?: string };
  return cause instanceof Error ? codeOf(cause) : code;
}
