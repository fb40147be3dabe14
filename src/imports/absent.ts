/** Who is in the directory and not in a file: ranges of numbers, few where nearly all are in it, and where hardly any is. */
import type { Db } from '../db/schema.ts';
import { transact } from '../db/transact.ts';
import { findIdsAfter } from '../users/queries.ts';
import { findAbsentOfNone, forgetAbsentOf, insertAbsent, type Range } from './queries.ts';

const IDS_AT_ONCE = 10_000;
const RANGES_AT_ONCE = 1_000;

/**
 * In the place of what was kept of them before.
 * @param present the numbers of those who are in the file, ascending
 * @returns how many there are
 */
export async function keepAbsent(
  db: Db,
  importId: number,
  present: IterableIterator<number>,
  report: () => Promise<void>,
): Promise<number> {
  await forgetAbsent(db, importId);
  const ranges: Range[] = [];
  let count = 0;
  const keep = () => transact(db, (trx) => insertAbsent(trx, importId, ranges.splice(0)));
  for await (const range of absentRanges(db, present)) {
    count += range.count;
    ranges.push(range);
    if (ranges.length < RANGES_AT_ONCE) continue;
    await keep();
    await report();
  }
  if (ranges.length > 0) await keep();
  return count;
}

/** Some at a time, so that nobody waits for long. */
export async function forgetAbsent(db: Db, importId: number): Promise<void> {
  while ((await transact(db, (trx) => forgetAbsentOf(trx, importId, RANGES_AT_ONCE))) > 0);
}

async function* absentRanges(
  db: Db,
  present: IterableIterator<number>,
): AsyncGenerator<Range & { count: number }> {
  let range: (Range & { count: number }) | undefined;
  let next = present.next();
  for (let ids = await findIdsAfter(db, 0, IDS_AT_ONCE); ids.length > 0; ) {
    for (const id of ids) {
      while (!next.done && next.value < id) next = present.next();
      if (next.value === id) {
        if (range) yield range;
        range = undefined;
      } else {
        range = { first_id: range?.first_id ?? id, last_id: id, count: (range?.count ?? 0) + 1 };
      }
    }
    ids = await findIdsAfter(db, ids.at(-1) ?? 0, IDS_AT_ONCE);
  }
  if (range) yield range;
}

/** Of imports of which nothing is kept. */
export async function tidyAbsent(db: Db): Promise<void> {
  for (const id of await findAbsentOfNone(db)) await forgetAbsent(db, id);
}
