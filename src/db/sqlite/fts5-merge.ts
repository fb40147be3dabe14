/** Merges the segments of the search index (https://sqlite.org/fts5.html#the_merge_command), each of which every search goes through: in short steps, beside whoever writes. */
import { sql } from 'kysely';
import type { Db, Trx } from '../schema.ts';
import { transact } from '../transact.ts';
import { giveWay } from './batch-queue.ts';
import { indexNameOf, rangeOf, rangesOf } from './fts5-index.ts';

/** In pages: some five milliseconds. */
const MERGED_AT_ONCE = 64;

/** All that each has at first becomes one, and what others write meanwhile goes with it for as long as anything is being merged. */
export async function mergeIndexes(db: Db, ranges: Iterable<number>): Promise<void> {
  for (const range of ranges) {
    await transact(db, (trx) => beginMerge(trx, range));
    while (await isMerging(db, range)) {
      await giveWay();
      await transact(db, (trx) => command(trx, range, 'merge', MERGED_AT_ONCE));
    }
  }
}

/** Each, whatever becomes of the others. */
export async function mergeIndexesAfter(db: Db, after: number): Promise<void> {
  const failures: unknown[] = [];
  for (const range of await rangesOf(db, false)) {
    if (range >= rangeOf(after + 1)) await mergeIndexes(db, [range]).catch((error) => failures.push(error));
  }
  if (failures.length > 0) throw failures[0];
}

async function beginMerge(trx: Trx, range: number): Promise<void> {
  // Else FTS5 does nothing more once others have left two or three on a level: too many to go on past, too few to merge.
  await command(trx, range, 'usermerge', 2);
  // A negative number has all of it merged, however little there is.
  await command(trx, range, 'merge', -MERGED_AT_ONCE);
}

async function command(trx: Trx, range: number, name: string, value: number): Promise<void> {
  const index = indexNameOf(range);
  await sql`insert into ${sql.table(index)} (${sql.ref(index)}, rank) values (${sql.lit(name)}, ${sql.lit(value)})`.execute(
    trx,
  );
}

/** As its first record has each level, behind a cookie: `fts5StructureDecode` in https://sqlite.org/src/file/ext/fts5/fts5_index.c */
async function isMerging(db: Db, range: number): Promise<boolean> {
  const data = sql.table(`${indexNameOf(range)}_data`);
  const { rows } = await sql<{ block: Buffer }>`select block from ${data} where id = 10`.execute(db);
  const [levels = 0, _segments, _writes, ...numbers] = varintsOf(rows[0]?.block.subarray(4) ?? Buffer.of());
  for (let level = 0; level < levels; level++) {
    const [merging = 0, segments = 0] = numbers.splice(0, 2);
    if (merging > 0) return true;
    numbers.splice(0, 3 * segments);
  }
  return false;
}

/** Of at most eight bytes: https://sqlite.org/fileformat2.html#varint */
function varintsOf(bytes: Buffer): number[] {
  const numbers: number[] = [];
  let number = 0;
  for (const byte of bytes) {
    number = 128 * number + (byte % 128);
    if (byte >= 128) continue;
    numbers.push(number);
    number = 0;
  }
  return numbers;
}
