/** Searching by pg_trgm (https://www.postgresql.org/docs/18/pgtrgm.html), or without it by what a field starts with. */
import { type Expression, type SqlBool, sql } from 'kysely';
import { TooBroadError, UnavailableError } from '../../errors.ts';
import type { Deadline } from '../../lib/deadline.ts';
import { FIELD_START } from '../../search/search-text.ts';
import { type Term, textsToFind } from '../../search/terms.ts';
import { PART_STARTS } from '../../search/words.ts';
import { type Db, SEARCHED_FIELDS, type Trx } from '../schema.ts';
import type { Asked, Found, SearchIndex, SearchQuery } from '../search-index.ts';
import { asTooBroad } from './errors.ts';
import { askWithin } from './long-statements.ts';

const INDEX = 'users_search_text';
/** The parts of a search text, counted from 1 as PostgreSQL does: before the first field there is nothing. */
const FIELDS = SEARCHED_FIELDS.map((_name, index) => index + 2);

export async function postgresSearch(db: Db): Promise<SearchIndex> {
  const prefixOnly = !(await hasIndex(db));
  return { prefixOnly, has, find, findAll };
}

function has(term: Term): Expression<SqlBool> {
  const ways = textsToFind(term).flatMap((text) =>
    term.at === 'field start'
      ? FIELDS.map((field) => sql`${fieldOf(field)} like ${`${escaped(text)}%`}`)
      : [sql`users.search_text like ${`%${escaped(text)}%`}`],
  );
  return sql<SqlBool>`(${sql.join(ways, sql` or `)})`;
}

/** The same beside other terms: of an "or" each list would be read whole, of an expression only what those leave. */
function hasBeside(term: Term): Expression<SqlBool> {
  if (textsToFind(term).length === 1 || term.at === 'field start') return has(term);
  const text = term.text.replaceAll(/[^\p{L}\p{N}]/gu, '\\$&');
  return sql<SqlBool>`users.search_text ~ ${`[${PART_STARTS.join('')}]${text}`}`;
}

async function find(
  db: Db,
  { range, isReversed, offset = 0, limit, ...asked }: SearchQuery,
  deadline: Deadline,
): Promise<number[]> {
  const users = whoMatch(db, asked)
    .$if(range !== undefined, (query) => query.where('id', range?.operator ?? '>', range?.id ?? 0))
    .orderBy('id', isReversed ? 'desc' : 'asc');
  return idsOf(db, users.limit(limit).offset(offset), deadline);
}

/** In no order until they are few: else all who match were looked at, and not `most` of them. */
async function findAll(db: Db, asked: Asked, most: number, deadline: Deadline): Promise<Found> {
  const ids = await idsOf(db, whoMatch(db, asked).limit(most + 1), deadline);
  if (ids.length > most) return { kind: 'too many', first: [] };
  return { kind: 'all', ids: ids.sort((one, other) => one - other) };
}

function whoMatch(db: Db, { terms, condition }: Asked) {
  return db
    .selectFrom('users')
    .select('id')
    .where(({ and }) => and(terms.map(terms.length === 1 ? has : hasBeside)))
    .$if(condition !== undefined, (query) => query.where(condition as NonNullable<typeof condition>));
}

/** @throws TooBroadError when it is not answered in time. */
async function idsOf(db: Db, users: ReturnType<typeof whoMatch>, deadline: Deadline): Promise<number[]> {
  const patience = Math.floor(deadline.left);
  if (patience <= 0) throw new TooBroadError('There is no time left.');
  // As one value: thousands of rows would take longer to hand over than to find.
  const query = db.selectFrom(users.as('found')).select(sql<number[] | null>`json_agg(found.id)`.as('ids'));
  const [answer] = await asTooBroad(() => askWithin(db, query.compile(), patience, deadline));
  return answer?.ids ?? [];
}

export async function makeSearchIndex(trx: Trx): Promise<void> {
  for (const name of [INDEX, ...FIELDS.map(nameOf)])
    await sql`drop index if exists ${sql.id(name)}`.execute(trx);
  const schema = await schemaOfTrigrams(trx);
  if (schema !== undefined) {
    // What is new waits in a list, which every search goes through: so long (in KiB) it costs that less than a millisecond.
    await sql`
      create index ${sql.id(INDEX)} on users using gin (search_text ${sql.id(schema, 'gin_trgm_ops')})
      with (fastupdate = on, gin_pending_list_limit = 1024)`.execute(trx);
    return;
  }
  for (const field of FIELDS)
    await sql`create index ${sql.id(nameOf(field))} on users ((${fieldOf(field)}))`.execute(trx);
}

/** Where the extension is, which any owner of a database may bring in if the server has it. */
async function schemaOfTrigrams(trx: Trx): Promise<string | undefined> {
  await sql`savepoint extension`.execute(trx);
  try {
    await sql`create extension if not exists pg_trgm`.execute(trx);
  } catch (error) {
    if (error instanceof UnavailableError) throw error;
    await sql`rollback to savepoint extension`.execute(trx);
  }
  const { rows } = await sql<{ name: string }>`
    select nspname as name from pg_extension join pg_namespace on pg_namespace.oid = extnamespace
    where extname = 'pg_trgm'`.execute(trx);
  return rows[0]?.name;
}

export async function hasIndex(db: Db): Promise<boolean> {
  const { rows } = await sql<{ is_there: boolean }>`
    select to_regclass(${INDEX}) is not null as is_there`.execute(db);
  return rows[0]?.is_there ?? false;
}

function nameOf(field: number): string {
  return `users_search_field_${field - 1}`;
}

function fieldOf(field: number) {
  return sql`split_part(users.search_text, ${sql.lit(FIELD_START)}, ${sql.lit(field)}) collate "C"`;
}

function escaped(text: string): string {
  return text.replaceAll(/[\\%_]/g, '\\$&');
}
