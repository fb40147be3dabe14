/**
 * Whether the search index has what users are called, and nothing else. It keeps no texts, so what it holds of each
 * three characters (https://sqlite.org/fts5.html#the_fts5vocab_virtual_table_module) is summed up and compared with a sum over the texts.
 */
import { sql } from 'kysely';
import { giveWay } from '../../lib/progress.ts';
import type { Db } from '../schema.ts';
import { readSnapshot } from '../transact.ts';
import { IDS_IN_RANGE, nameOf, rangeOf, rangesOf } from './fts5-index.ts';

const USERS_AT_ONCE = 5_000;

/** What of each user adds to the sum: SQLite computes the same from the index as this from a text. */
function sumOf(id: number, text: string): number {
  const place = (id % IDS_IN_RANGE) * 4001;
  const letters = Array.from(text, (letter) => letter.codePointAt(0) ?? 0);
  let sum = 0;
  for (let at = 0; at + 2 < letters.length; at++) {
    const [first = 0, second = 0, third = 0] = [letters[at], letters[at + 1], letters[at + 2]];
    sum += Math.imul(place + at, first * 961 + second * 31 + third) >>> 0;
  }
  return sum;
}

const SUM = sql<number>`sum(((doc % ${sql.lit(IDS_IN_RANGE)}) * 4001 + "offset") *
  (unicode(term) * 961 + unicode(substr(term, 2, 1)) * 31 + unicode(substr(term, 3, 1))) & 4294967295)`;

/** Range by range, each of one moment: so nothing seems wrong that is merely being changed. */
export async function* findWronglyIndexed(db: Db): AsyncGenerator<number> {
  const last = await readSnapshot(db, lastRangeOf);
  for (let range = 0; range <= last; range++) {
    yield* await readSnapshot(db, (trx) => wrongIn(trx, range));
    await giveWay();
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
    const vocabulary = sql.raw(`fts5vocab(main, ${nameOf(range)}, 'instance')`);
    await sql`create virtual table temp.indexed using ${vocabulary}`.execute(db);
    const { rows } = await sql<{ sum: number | null }>`select ${SUM} as sum from temp.indexed`.execute(db);
    let sum = 0;
    for await (const [id, text] of textsIn(db, range)) sum += sumOf(id, text);
    if ((rows[0]?.sum ?? 0) === sum) return [];
  }
  return findOnes(db, range, isThere);
}

/** Takes longer, and so is done only where something is wrong. */
async function findOnes(db: Db, range: number, isThere: boolean): Promise<number[]> {
  const indexed = new Map<number, number>();
  if (isThere) {
    const { rows } = await sql<{ doc: number; sum: number }>`
      select doc, ${SUM} as sum from temp.indexed group by doc`.execute(db);
    for (const { doc, sum } of rows) indexed.set(doc, sum);
  }
  const wrong: number[] = [];
  for await (const [id, text] of textsIn(db, range)) {
    if ((indexed.get(id) ?? 0) !== sumOf(id, text)) wrong.push(id);
    indexed.delete(id);
  }
  return [...wrong, ...indexed.keys()];
}

async function* textsIn(db: Db, range: number): AsyncGenerator<[id: number, text: string]> {
  for (let after = range * IDS_IN_RANGE - 1; ; ) {
    const users = await db
      .selectFrom('users')
      .select(['id', 'search_text'])
      .where('id', '>', after)
      .where('id', '<', (range + 1) * IDS_IN_RANGE)
      .orderBy('id')
      .limit(USERS_AT_ONCE)
      .execute();
    for (const { id, search_text } of users) yield [id, search_text];
    const end = users.at(-1);
    if (end === undefined) return;
    after = end.id;
  }
}
