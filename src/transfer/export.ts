/** Writing users as a file: as they were at one moment, however many they are. */
import { engineOf } from '../db/engine.ts';
import type { Db } from '../db/schema.ts';
import { readSnapshot } from '../db/transact.ts';
import { readIdentity } from '../erasure/queries.ts';
import { DAY } from '../lib/clock.ts';
import { Deadline } from '../lib/deadline.ts';
import { readCounts } from '../users/counts.ts';
import { planCount } from '../users/list/plan.ts';
import { type Selection, selectedUsers } from '../users/list/selection.ts';
import { FORMATS, type FormatName } from './formats.ts';
import type { Spool } from './spool.ts';

/** @param note is told how many more are written @param gone ends it: whoever wanted it does not any more */
export async function writeExport(
  db: Db,
  { selection, format }: { selection: Selection; format: FormatName },
  spool: Pick<Spool, 'write'>,
  note: (users: number) => void,
  gone: AbortSignal,
): Promise<void> {
  const { begin, write } = FORMATS[format];
  // Also while it is looked for the next of a few among many.
  const deadline = Deadline.in(DAY, () => (gone.aborted ? Number.POSITIVE_INFINITY : performance.now()));
  await readSnapshot(db, async (trx) => {
    const directory = await readIdentity(trx);
    const expected = await countKept(trx, selection);
    let text: string = begin;
    let count = 0;
    for await (const users of selectedUsers(trx, selection, deadline)) {
      gone.throwIfAborted();
      await spool.write(text + write(users, directory));
      text = '';
      count += users.length;
      note(users.length);
      await engineOf(db).giveWay();
    }
    if (text !== '') await spool.write(text);
    if (expected !== undefined && count !== expected)
      throw new Error(`There are ${expected} users, and ${count} were found.`);
  });
}

/** How many a whole list has, where that is known without going through it. */
async function countKept(db: Db, { list, ticked }: Selection): Promise<number | undefined> {
  if (ticked) return undefined;
  const plan = planCount(list, await readCounts(db));
  return plan.kind === 'kept' ? plan.count : undefined;
}
