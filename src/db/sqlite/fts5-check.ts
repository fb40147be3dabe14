/** Whether the search index, which keeps no texts, has what users are called: its sum over each three characters is that over the texts. */
import { sql } from 'kysely';
import { letTimersRun } from '../../lib/progress.ts';
import type { Db, User } from '../schema.ts';
import { readSnapshot } from '../transact.ts';
import { IDS_IN_RANGE, indexNameOf, rangeOf, rangesOf } from './fts5-index.ts';

const USERS_AT_ONCE = 5_000;

/** What of each user adds to the sum, in 32 bits: SQLite computes the same from the index as this from a text. */
function sumOf(id: number, text: string): number {
  let place = (id % IDS_IN_RANGE) * PLACES;
  let sum = 0;
  let [first, second] = [-1, -1];
  for (let at = 0; at < text.length; at++) {
    const third = text.codePointAt(at) ?? 0;
    if (third > 0xffff) at++;
    if (first >= 0) sum = (sum + Math.imul(place++, first * 961 + second * 31 + third)) >>> 0;
    first = second;
    second = third;
  }
  return sum;
}

const PLACES = 4001;
const ALL_BITS = sql.lit(0xffffffff);
const PLACE = sql`(doc % ${sql.lit(IDS_IN_RANGE)}) * ${sql.lit(PLACES)} + "offset"`;
const TERM = sql`(unicode(term) * 961 + unicode(substr(term, 2, 1)) * 31 + unicode(substr(term, 3, 1)))`;

/** Term by term, in whose order the table has them: nothing is sorted, and each is looked at once. */
const SUM_OF_ALL = sql<{ sum: number | null }>`
  select sum((places & ${ALL_BITS}) * ${TERM} & ${ALL_BITS}) & ${ALL_BITS} as sum
  from (select term, sum(${PLACE}) as places from temp.indexed group by term)`;

const SUMS = sql<{ doc: number; sum: number }>`
  select doc, sum((${PLACE}) * ${TERM} & ${ALL_BITS}) & ${ALL_BITS} as sum from temp.indexed group by doc`;

/** Range by range, each of one moment: so nothing seems wrong that is merely being changed. */
export async function* findWronglyIndexed(db: Db): AsyncGenerator<number> {
  const last = await readSnapshot(db, lastRangeOf);
  for (let range = 0; range <= last; range++) {
    yield* await readSnapshot(db, (trx) => wrongIn(trx, range));
    await letTimersRun();
  }
}

async function lastRangeOf(db: Db): Promise<number> {
  const { last } = await db
    .selectFrom('users')
    .select(({ fn }) => fn.max('id').as('last'))
    .executeTakeFirstOrThrow();
  return Math.max(rangeOf(last ?? 0), ...(await rangesOf(db, false)));
}

async function wrongIn(db: Db, range: number): Promise<number[]> {
  const isThere = (await rangesOf(db, false)).includes(range);
  if (isThere) {
    const vocabulary = sql.raw(`fts5vocab(main, ${indexNameOf(range)}, 'instance')`);
    await sql`create virtual table temp.indexed using ${vocabulary}`.execute(db);
    const { rows } = await SUM_OF_ALL.execute(db);
    let sum = 0;
    for await (const users of usersIn(db, range))
      for (const { id, search_text } of users) sum = (sum + sumOf(id, search_text)) >>> 0;
    if ((rows[0]?.sum ?? 0) === sum) return [];
  }
  return findOnes(db, range, isThere);
}

/** Takes longer, and so is done only where something is wrong. */
async function findOnes(db: Db, range: number, isThere: boolean): Promise<number[]> {
  const indexed = new Map<number, number>();
  if (isThere) {
    const { rows } = await SUMS.execute(db);
    for (const { doc, sum } of rows) indexed.set(doc, sum);
  }
  const wrong: number[] = [];
  for await (const users of usersIn(db, range))
    for (const { id, search_text } of users) {
      if ((indexed.get(id) ?? 0) !== sumOf(id, search_text)) wrong.push(id);
      indexed.delete(id);
    }
  return [...wrong, ...indexed.keys()];
}

async function* usersIn(db: Db, range: number): AsyncGenerator<Pick<User, 'id' | 'search_text'>[]> {
  for (let after = range * IDS_IN_RANGE - 1; ; ) {
    const users = await db
      .selectFrom('users')
      .select(['id', 'search_text'])
      .where('id', '>', after)
      .where('id', '<', (range + 1) * IDS_IN_RANGE)
      .orderBy('id')
      .limit(USERS_AT_ONCE)
      .execute();
    yield users;
    const end = users.at(-1);
    if (end === undefined) return;
    after = end.id;
  }
}
