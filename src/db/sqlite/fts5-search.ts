/** Searching in SQLite, by the indexes of `fts5-index.ts`, one after the other. */
import { CompiledQuery, type SqlBool, sql } from 'kysely';
import { TooBroadError } from '../../errors.ts';
import type { Deadline } from '../../lib/deadline.ts';
import { isIndexedTerm, type Term, textsToFind } from '../../search/terms.ts';
import { engineOf } from '../engine.ts';
import type { Db } from '../schema.ts';
import type { Asked, Found, SearchIndex, SearchQuery } from '../search-index.ts';
import { usersByIds } from '../users-by-ids.ts';
import { runBatch } from './batch-queue.ts';
import { IDS_IN_RANGE, indexNameOf, rangesOf } from './fts5-index.ts';

const MOST_FOUND = 20_000;
const MOST_LOOKED_UP = 2_000;
const FEWEST_LOOKED_UP = 100;
/** Half of them matching is enough, at first. */
const LOOKED_UP_FOR_EACH_WANTED = 2;
/** By where so many are, it is guessed how many there are; so many times as many as are wanted are surely more. */
const SAMPLE = 100;
const FAR_TOO_MANY = 1.5;

export const sqliteSearch: SearchIndex = {
  prefixOnly: false,
  has: (term) => {
    const found = textsToFind(term).map((text) => sql`instr(users.search_text, ${text}) > 0`);
    return sql<SqlBool>`(${sql.join(found, sql` or `)})`;
  },
  find,
  findAll,
};

/** After the first of them, who tell whether there seem to be far too many, it is only counted how many more there are. */
async function findAll(db: Db, asked: Asked, most: number, deadline: Deadline): Promise<Found> {
  const query = { ...asked, isReversed: false };
  const parts = await rangesOf(db, false);
  const limit = Math.min(SAMPLE, most + 1);
  const first = await findIn(parts, db, { ...query, limit }, deadline);
  const last = first.at(-1);
  if (last === undefined || first.length < limit) return { kind: 'all', ids: first };
  const mayBeCounted = asked.condition === undefined && asked.terms.every(isIndexedTerm);
  const share = limit / last;
  const seemsFar = mayBeCounted && share * (await engineOf(db).readLastId(db)) > FAR_TOO_MANY * most;
  if (seemsFar && (await hasMoreThan(parts, db, most, { ...asked, share }, deadline)))
    return { kind: 'too many', first };
  const range = { operator: '>' as const, id: last };
  const others = await findIn(parts, db, { ...query, range, limit: most + 1 - limit }, deadline);
  const ids = [...first, ...others];
  return ids.length > most ? { kind: 'too many', first: ids } : { kind: 'all', ids };
}

/** @param share of all users, those who seem to match: by it each part is asked what it answers soonest */
async function hasMoreThan(
  parts: readonly number[],
  db: Db,
  most: number,
  { terms, share }: { terms: readonly Term[]; share: number },
  deadline: Deadline,
): Promise<boolean> {
  const match = terms.map(matchOf).join(' AND ');
  let left = most + 1;
  for (const part of parts) {
    const index = indexNameOf(part);
    const those = `from ${index} where ${index} match +?`;
    const ask = async (text: string, values: readonly unknown[]) => {
      const query = CompiledQuery.raw(text, [...values]) as CompiledQuery<{ count: number }>;
      return (await runBatch(() => db.executeQuery(query))).rows[0]?.count ?? 0;
    };
    const seemsEnough = share * IDS_IN_RANGE >= left;
    if (seemsEnough && (await ask(`select 1 as count ${those} limit 1 offset +?`, [match, left - 1])))
      return true;
    left -= await ask(`select count(*) as count ${those}`, [match]);
    if (left <= 0) return true;
    if (deadline.isPast) throw new TooBroadError('Too much of the index had to be gone through.');
  }
  return false;
}

async function find(db: Db, query: SearchQuery, deadline: Deadline): Promise<number[]> {
  return findIn(await rangesOf(db, query.isReversed), db, query, deadline);
}

async function findIn(
  parts: readonly number[],
  db: Db,
  query: SearchQuery,
  deadline: Deadline,
): Promise<number[]> {
  const { isReversed, offset = 0, range } = query;
  const wanted = offset + query.limit;
  const ids: number[] = [];
  let lookedUp = Math.min(MOST_LOOKED_UP, Math.max(FEWEST_LOOKED_UP, LOOKED_UP_FOR_EACH_WANTED * wanted));
  for (const part of parts) {
    const [first, end] = [part * IDS_IN_RANGE, (part + 1) * IDS_IN_RANGE];
    if (range && (range.operator.startsWith('<') ? first > range.id : end <= range.id)) continue;
    let from = range;
    while (ids.length < wanted) {
      const batch = { ...query, range: from };
      const most = { wanted: wanted - ids.length, lookedUp };
      const [found, last] = await runBatch(() => findInIndex(db, indexNameOf(part), batch, most));
      ids.push(...found);
      lookedUp = Math.min(MOST_LOOKED_UP, 2 * lookedUp);
      if (last === undefined) break;
      if (deadline.isPast) throw new TooBroadError('Too many users had to be looked up.');
      from = { operator: isReversed ? '<' : '>', id: last };
    }
    if (ids.length >= wanted) break;
    if (deadline.isPast) throw new TooBroadError('Too much of the index had to be gone through.');
  }
  return ids.slice(offset, wanted);
}

/** @returns the last id that was looked at, too, if there may be more: `lookedUp` where rows are asked */
async function findInIndex(
  db: Db,
  index: string,
  { terms, condition, range, isReversed }: SearchQuery,
  { wanted, lookedUp }: { wanted: number; lookedUp: number },
): Promise<[ids: number[], last: number | undefined]> {
  const asked = terms.filter((term) => !isIndexedTerm(term)).map(sqliteSearch.has);
  const match = terms.filter(isIndexedTerm).map(matchOf).join(' AND ');
  const side = range ? `and rowid ${range.operator} +?` : '';
  const isLookedUp = condition !== undefined || asked.length > 0;
  const limit = isLookedUp ? lookedUp : Math.min(wanted, MOST_FOUND);
  // As one value: thousands of rows would take as long to hand over as to find.
  const text = `select json_group_array(id) as ids from (
    select rowid as id from ${index} where ${index} match +? ${side} order by rowid ${isReversed ? 'desc' : 'asc'} limit +?)`;
  const values = range ? [match, range.id, limit] : [match, limit];
  const { rows } = await db.executeQuery(CompiledQuery.raw(text, values) as CompiledQuery<{ ids: string }>);
  const sign = isReversed ? -1 : 1;
  const ids = (JSON.parse(rows[0]?.ids ?? '[]') as number[]).sort((one, other) => sign * (one - other));
  const last = ids.length < limit ? undefined : ids.at(-1);
  if (!isLookedUp || ids.length === 0) return [ids, last];
  const matching = await usersByIds(db, ids)
    .select('users.id')
    .where((where) => where.and([...asked, ...(condition ? [condition(where)] : [])]))
    .orderBy('users.id', isReversed ? 'desc' : 'asc')
    .execute();
  return [matching.map(({ id }) => id), last];
}

/** As FTS5 is asked (https://sqlite.org/fts5.html#full_text_query_syntax). */
function matchOf(term: Term): string {
  const texts = textsToFind(term).map((text) => `"${text.replaceAll('"', '""')}"`);
  return `(${texts.join(' OR ')})`;
}
