/**
 * Searching in SQLite: FTS5 indexes of every three letters in a row (https://sqlite.org/fts5.html#the_trigram_tokenizer).
 *
 * One index for each range of ids, because a query of FTS5 cannot be stopped: looking for what never meets, it goes to
 * the end of the index, and nobody else is answered meanwhile.
 */
import { CompiledQuery, type SqlBool, sql } from 'kysely';
import { TooBroadError } from '../../errors.ts';
import { patternOf } from '../../search/terms.ts';
import type { Db, Trx } from '../schema.ts';
import type { Question, Search } from '../search-index.ts';
import { usersByIds } from '../users-by-ids.ts';
import { runBatch } from './batches.ts';
import type { Statements } from './statements.ts';

/** Ids in a range: a search goes through each by itself, and through the worst of them in some 20 ms. */
const RANGE = 2 ** 18;
/** How many ids ahead of the last one there is an index. */
const AHEAD = 100_000;
/** Segments of an index of one size, at which they are merged to a larger one. */
const MOST_SEGMENTS = 4;
/** Rows that are found in one go, and those where each has then to be looked up. */
const MOST_FOUND = 20_000;
const MOST_LOOKED_UP = 2_000;
/** Bytes that FTS5 gathers in memory while an index is made: all of it. By default they are few, for inserts by ones. */
const MAKING = 2 ** 27;
const BY_ONES = 2 ** 20;

export const sqliteSearch: Search = {
  prefixOnly: false,
  has: (term) => sql<SqlBool>`instr(users.search_text, ${patternOf(term)}) > 0`,
  find,
};

async function find(db: Db, question: Question, until: number): Promise<number[]> {
  const { isReversed, offset = 0, beyond } = question;
  const wanted = offset + question.limit;
  const ids: number[] = [];
  for (const range of await rangesOf(db, isReversed)) {
    const [first, end] = [range * RANGE, (range + 1) * RANGE];
    if (beyond && (beyond.operator.startsWith('<') ? first > beyond.id : end <= beyond.id)) continue;
    let from = beyond;
    while (ids.length < wanted) {
      const [found, last] = await runBatch(() =>
        findInRange(db, range, { ...question, beyond: from }, wanted - ids.length),
      );
      ids.push(...found);
      if (last === undefined) break;
      if (performance.now() > until) throw new TooBroadError('Too many users had to be looked up.');
      from = { operator: isReversed ? '<' : '>', id: last };
    }
    if (ids.length >= wanted) break;
    if (performance.now() > until) throw new TooBroadError('Too much of the index had to be gone through.');
  }
  return ids.slice(offset, wanted);
}

/** Those found in one go, and the last id that was looked at if there may be more. */
async function findInRange(
  db: Db,
  range: number,
  { terms, condition, beyond, isReversed }: Question,
  wanted: number,
): Promise<[ids: number[], last: number | undefined]> {
  const index = nameOf(range);
  const match = terms.map((term) => `"${patternOf(term).replaceAll('"', '""')}"`).join(' ');
  const side = beyond ? `and rowid ${beyond.operator} ?` : '';
  const limit = condition ? MOST_LOOKED_UP : Math.min(wanted, MOST_FOUND);
  // As one value: thousands of rows would take as long to hand over as to find.
  const text = `select json_group_array(id) as ids from (
    select rowid as id from ${index} where ${index} match ? ${side} order by rowid ${isReversed ? 'desc' : 'asc'} limit ?)`;
  const values = beyond ? [match, beyond.id, limit] : [match, limit];
  const { rows } = await db.executeQuery(CompiledQuery.raw(text, values) as CompiledQuery<{ ids: string }>);
  const sign = isReversed ? -1 : 1;
  const ids = (JSON.parse(rows[0]?.ids ?? '[]') as number[]).sort((one, other) => sign * (one - other));
  const last = ids.length < limit ? undefined : ids.at(-1);
  if (condition === undefined || ids.length === 0) return [ids, last];
  const matching = await usersByIds(db, ids)
    .select('users.id')
    .where(condition)
    .orderBy('users.id', isReversed ? 'desc' : 'asc')
    .execute();
  return [matching.map(({ id }) => id), last];
}

/** Whether a column has one of many values. */
export function isOneOf(column: string, values: readonly number[]) {
  return sql<SqlBool>`${sql.ref(column)} in (select value from json_each(${JSON.stringify(values)}))`;
}

/** Indexes every user beyond an id. */
export async function indexUsersAfter(trx: Trx, after: number): Promise<void> {
  let first = await firstIdFrom(trx, after + 1);
  while (first !== null) {
    const range = rangeOf(first);
    const end = (range + 1) * RANGE;
    const index = sql.table(nameOf(range));
    const setHashSize = (bytes: number) =>
      sql`insert into ${index} (${index}, rank) values ('hashsize', ${sql.lit(bytes)})`;
    await makeIndex(trx, range);
    await setHashSize(MAKING).execute(trx);
    await sql`
      insert into ${index} (rowid, search_text)
      select id, search_text from users where id >= ${first} and id < ${end} order by id`.execute(trx);
    await setHashSize(BY_ONES).execute(trx);
    first = await firstIdFrom(trx, end);
  }
}

/** The lowest id of a user from one on. */
async function firstIdFrom(trx: Trx, id: number): Promise<number | null> {
  const { first } = await trx
    .selectFrom('users')
    .select(({ fn }) => fn.min('id').as('first'))
    .where('id', '>=', id)
    .executeTakeFirstOrThrow();
  return first;
}

/** Keeps the index right after a user's search text became another one; undefined is that of nobody. */
export async function indexSearchText(
  trx: Trx,
  id: number,
  before: string | undefined,
  after: string | undefined,
): Promise<void> {
  if (before === after) return;
  const index = nameOf(rangeOf(id));
  const run = (text: string, values: unknown[]) => trx.executeQuery(CompiledQuery.raw(text, values));
  if (before !== undefined)
    await run(`insert into ${index} (${index}, rowid, search_text) values ('delete', ?, ?)`, [id, before]);
  if (after !== undefined) await run(`insert into ${index} (rowid, search_text) values (?, ?)`, [id, after]);
}

/**
 * Makes the indexes of the ids that will be given out next, where there is none yet, on a connection that has begun a
 * transaction: outside any savepoint, for once SQLite has rolled back the making of a virtual table to one, it can
 * commit nothing any more.
 * @param ready the id before which there are indexes.
 * @returns the same, afterwards.
 */
export function makeIndexesAhead(writer: Statements, ready: number): number {
  // Before the migrations there is nothing to index.
  if (ready === 0 && writer.run(`select 1 from sqlite_schema where name = '${nameOf(0)}'`).rows.length === 0)
    return 0;
  const { rows } = writer.run<{ seq: number }>(`select seq from sqlite_sequence where name = 'users'`);
  const last = rows[0]?.seq ?? 0;
  if (last + AHEAD < ready) return ready;
  for (const range of [rangeOf(last + 1), rangeOf(last + AHEAD)])
    for (const text of makingOf(range)) writer.run(text);
  return (rangeOf(last + AHEAD) + 1) * RANGE;
}

export async function makeSearchIndex(trx: Trx): Promise<void> {
  // All that there were, for another process may count on those that it has made ahead.
  for (const range of new Set([0, ...(await rangesOf(trx, false))])) {
    await sql`drop table if exists ${sql.table(nameOf(range))}`.execute(trx);
    await makeIndex(trx, range);
  }
  await indexUsersAfter(trx, 0);
}

/**
 * What makes the index of a range: without the text itself, which is in the table, and the sizes that only a ranking
 * would need; with few segments, for a search goes through each of them, and every update of a user makes one.
 */
function makingOf(range: number): string[] {
  const index = nameOf(range);
  return [
    `create virtual table if not exists ${index} using fts5(
      search_text, tokenize = 'trigram case_sensitive 1', content = '', columnsize = 0)`,
    `insert into ${index} (${index}, rank) values ('crisismerge', ${MOST_SEGMENTS})`,
  ];
}

async function makeIndex(trx: Trx, range: number): Promise<void> {
  for (const text of makingOf(range)) await trx.executeQuery(CompiledQuery.raw(text));
}

function nameOf(range: number): string {
  return `users_search_${range}`;
}

function rangeOf(id: number): number {
  return Math.floor(id / RANGE);
}

/** The ranges that have an index, in the order of their ids or from the highest down. */
async function rangesOf(db: Db, isReversed: boolean): Promise<number[]> {
  const { rows } = await sql<{ name: string }>`
    select name from sqlite_schema where type = 'table' and sql like 'create virtual table %'`.execute(db);
  const ranges = rows
    .map(({ name }) => Number(name.slice(nameOf(0).length - 1)))
    .sort((one, other) => one - other);
  return isReversed ? ranges.reverse() : ranges;
}
