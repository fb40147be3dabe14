/** Writing users as a file: as they were at one moment, however many they are. */
import { engineOf } from '../db/engine.ts';
import type { Db } from '../db/schema.ts';
import { readSnapshot } from '../db/transact.ts';
import { readIdentity } from '../erasure/queries.ts';
import { DAY } from '../lib/clock.ts';
import { Deadline } from '../lib/deadline.ts';
import type { Total } from '../lib/pagination.ts';
import { type Selection, selectUsers } from '../users/list/selection.ts';
import { FORMATS, type FormatName } from './formats.ts';
import type { Spool } from './spool.ts';

/** `judge` is told how many there are, before anything is written: what it throws ends it. */
type ExportOptions = { selection: Selection; format: FormatName; judge?: (total: Total) => void };

/** @param note is told how many more are written @param gone ends it: whoever wanted it does not any more */
export async function writeExport(
  db: Db,
  { selection, format, judge }: ExportOptions,
  spool: Pick<Spool, 'write'>,
  note: (users: number) => void,
  gone: AbortSignal,
): Promise<void> {
  const { begin, write } = FORMATS[format];
  // Also while it is looked for the next of a few among many.
  const deadline = Deadline.in(DAY, undefined, gone);
  await readSnapshot(db, async (trx) => {
    const directory = await readIdentity(trx);
    const { total, batches } = await selectUsers(trx, selection, deadline);
    judge?.(total);
    let text: string = begin;
    let count = 0;
    for await (const users of batches) {
      gone.throwIfAborted();
      await spool.write(text + write(users, directory));
      text = '';
      count += users.length;
      note(users.length);
      await engineOf(db).giveWay();
    }
    if (text !== '') await spool.write(text);
    if (total.isExact && count !== total.count)
      throw new Error(`There are ${total.count} users, and ${count} were found.`);
  });
}
