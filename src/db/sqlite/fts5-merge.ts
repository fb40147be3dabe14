/** Merges the segments of the search index (https://sqlite.org/fts5.html#the_merge_command), each of which every search goes through: in short steps, beside whoever writes. */
import { sql } from 'kysely';
import type { Db, Trx } from '../schema.ts';
import { transact } from '../transact.ts';
import { giveWay } from './batch-queue.ts';
import { indexNameOf, rangeOf, rangesOf } from './fts5-index.ts';

/** In pages: some five milliseconds. */
const MERGED_AT_ONCE = 64;

/** Each into one. */
export async function mergeIndexes(db: Db, ranges: Iterable<number>): Promise<void> {
  for (const range of ranges) {
    const index = indexNameOf(range);
    let isFirst = true;
    while (await transact(db, (trx) => merge(trx, index, isFirst))) {
      isFirst = false;
      await giveWay();
    }
  }
}

export async function mergeIndexesAfter(db: Db, after: number): Promise<void> {
  const ranges = await rangesOf(db, false);
  await mergeIndexes(
    db,
    ranges.filter((range) => range >= rangeOf(after + 1)),
  );
}

/** As its first record has it, behind a cookie and the number of levels: https://sqlite.org/src/file/ext/fts5/fts5_index.c */
export async function countSegments(db: Db, range: number): Promise<number> {
  const data = sql.table(`${indexNameOf(range)}_data`);
  const { rows } = await sql<{ block: Buffer }>`select block from ${data} where id = 10`.execute(db);
  return rows[0]?.block[5] ?? 0;
}

async function merge(trx: Trx, index: string, isFirst: boolean): Promise<boolean> {
  const before = await totalChanges(trx);
  // A negative number has all of it merged, however little there is.
  const pages = isFirst ? -MERGED_AT_ONCE : MERGED_AT_ONCE;
  await sql`insert into ${sql.table(index)} (${sql.ref(index)}, rank) values ('merge', ${sql.lit(pages)})`.execute(
    trx,
  );
  return (await totalChanges(trx)) - before > 1;
}

async function totalChanges(trx: Trx): Promise<number> {
  const { rows } = await sql<{ changes: number }>`select total_changes() as changes`.execute(trx);
  return rows[0]?.changes ?? 0;
}
