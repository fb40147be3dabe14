/** Who is in the directory and not in a file: ranges of numbers, few where nearly all are in it, and where hardly any is, but for one more at each gap that who was deleted has left. */
import { findBulkOfAbsent } from '../bulk/job.ts';
import type { Db, Trx } from '../db/schema.ts';
import { transact } from '../db/transact.ts';
import { findIdsAfter } from '../users/queries.ts';
import { findAbsentOfNone, forgetAbsentOf, insertAbsent, type Range } from './absent-queries.ts';

const IDS_AT_ONCE = 10_000;
const RANGES_AT_ONCE = 1_000;

/** What is written of it in one transaction, as long as it may be. */
type Write = <T>(work: (trx: Trx) => Promise<T>) => Promise<T>;

type Present = { has(id: number): boolean };

/** In the place of what was kept before. @param report is called now and then; what it throws ends it @returns how many there are */
export async function saveAbsentUsers(
  db: Db,
  importId: number,
  present: Present,
  { write, report }: { write: Write; report: () => Promise<void> },
): Promise<number> {
  await forgetAbsentUsers(importId, write);
  const ranges: Range[] = [];
  let count = 0;
  const keep = () => {
    const some = ranges.splice(0);
    return write((trx) => insertAbsent(trx, importId, some));
  };
  for await (const range of absentRanges(db, present, report)) {
    count += range.count;
    ranges.push(range);
    if (ranges.length >= RANGES_AT_ONCE) await keep();
  }
  if (ranges.length > 0) await keep();
  return count;
}

/** Some at a time, so that nobody waits for long. */
export async function forgetAbsentUsers(importId: number, write: Write): Promise<void> {
  while ((await write((trx) => forgetAbsentOf(trx, importId, RANGES_AT_ONCE))) > 0);
}

async function* absentRanges(
  db: Db,
  present: Present,
  report: () => Promise<void>,
): AsyncGenerator<Range & { count: number }> {
  let range: (Range & { count: number }) | undefined;
  for (let ids = await findIdsAfter(db, 0, IDS_AT_ONCE); ids.length > 0; ) {
    for (const id of ids) {
      const isAbsent = !present.has(id);
      // Who is deleted may be in it, and may come back.
      if (isAbsent && range?.last_id === id - 1) {
        range.last_id = id;
        range.count++;
        continue;
      }
      if (range) yield range;
      range = isAbsent ? { first_id: id, last_id: id, count: 1 } : undefined;
    }
    await report();
    ids = await findIdsAfter(db, ids.at(-1) ?? 0, IDS_AT_ONCE);
  }
  if (range) yield range;
}

/** But for those by whom a bulk change finds its users that is not at its end. */
export async function cleanUpAbsentUsers(db: Db): Promise<void> {
  for (const id of await findAbsentOfNone(db))
    if ((await findBulkOfAbsent(db, id)) === undefined)
      await forgetAbsentUsers(id, (work) => transact(db, work));
}
