/** Takes what was deleted out of the bytes of the file, where SQLite leaves it: in free pages. */
import { sql } from 'kysely';
import type { Db, Trx } from '../schema.ts';
import { transact } from '../transact.ts';
import { giveWay } from './batch-queue.ts';

/** In pages: some five milliseconds. */
const OVERWRITTEN_AT_ONCE = 256;
/** Of a page, in bytes: the rest is SQLite's own. */
const FILLING = 4_000;

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
