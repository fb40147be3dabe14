/** Takes what was deleted out of the bytes of the file, where SQLite leaves it: in the search index, and in free pages. */
import { sql } from 'kysely';
import type { Db, Trx } from '../schema.ts';
import { transact } from '../transact.ts';
import { giveWay } from './batch-queue.ts';
import { indexNameOf } from './fts5-index.ts';

/** In pages: some five milliseconds. */
const MERGED_AT_ONCE = 64;
const OVERWRITTEN_AT_ONCE = 256;
/** Of a page, in bytes: the rest is SQLite's own. */
const FILLING = 4_000;

/** Else it stays: https://sqlite.org/fts5.html#the_merge_command. The option `secure-delete` looks into one segment alone, and slows every change. */
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

/** Fills them with zeros, by a table that takes them all. */
export async function overwriteFreePages(db: Db): Promise<void> {
  while (await transact(db, fillFreePages)) await giveWay();
  while (await transact(db, freeFilledPages)) await giveWay();
}

async function fillFreePages(trx: Trx): Promise<boolean> {
  const { rows } = await sql<{ freelist_count: number }>`pragma freelist_count`.execute(trx);
  const pages = Math.min(rows[0]?.freelist_count ?? 0, OVERWRITTEN_AT_ONCE);
  if (pages === 0) return false;
  await sql`insert into zeros (content) values (zeroblob(${pages * FILLING}))`.execute(trx);
  return true;
}

async function freeFilledPages(trx: Trx): Promise<boolean> {
  const { numAffectedRows = 0n } =
    await sql`delete from zeros where rowid in (select rowid from zeros limit 1)`.execute(trx);
  return numAffectedRows > 0n;
}
