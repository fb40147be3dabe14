/** What becomes of an import that has met an error: it is tried again, or its page says what is to be done. */
import { FREE } from '../db/lease.ts';
import { isStageBusy, isStageFull } from '../db/stage-file.ts';
import { DamagedError, DatabaseFailure } from '../errors.ts';
import { MOST_FAILURES_THAT_PASS, notedOf, pauseAfter } from '../jobs/failures.ts';
import { isFull } from '../lib/disk-space.ts';
import { choicesOf } from './json-columns.ts';
import { AbandonedError, type ImportRunner, save } from './leased.ts';
import type { Import } from './queries.ts';
import { UnreadableError } from './reading/reading.ts';

const GONE = 'What was brought is gone from the disk: choose the file again.';
const NO_ROOM =
  'There is too little room on Roster’s disk to look at all of its rows: make some, or have some made, and choose the file again.';
const FAILED = 'Roster has met an error while it was reading the file: its log says which.';

/** Of this process, which goes on. */
export const unnoted = new Map<number, string>();

export async function fail(runner: ImportRunner, imported: Import, error: unknown): Promise<void> {
  if (error instanceof AbandonedError) return save(runner, imported, FREE).catch(() => {});
  if (!(error instanceof UnreadableError)) runner.warn(imported.id, error);
  if (error instanceof DamagedError) return;
  const failures = imported.failures + 1;
  const passes = error instanceof DatabaseFailure || isStageBusy(error);
  if (passes && notedOf(failures) < MOST_FAILURES_THAT_PASS)
    return pause(runner, imported, failures).catch(
      () => void unnoted.set(imported.id, imported.lease_owner ?? ''),
    );
  const reading = error instanceof UnreadableError && error.reading ? readingOf(imported, error) : {};
  const problem = problemOf(error);
  await save(runner, imported, { state: 'unreadable', problem, ...reading, ...FREE }).catch(() => {});
}

/** What may pass by itself is tried again, as a job is. */
async function pause(runner: ImportRunner, imported: Import, failures: number): Promise<void> {
  const leased_until = runner.clock() + pauseAfter(notedOf(failures));
  await save(runner, imported, { failures, lease_owner: null, leased_until });
}

/** So that somebody can say which column is which. */
function readingOf(imported: Import, { reading }: UnreadableError) {
  const { match = 'username', empty = 'leave', usernames } = choicesOf(imported);
  // Once rows are judged it says itself by what they were found.
  return { reading: JSON.stringify({ match, empty, usernames, ...reading }) };
}

function problemOf(error: unknown): string {
  if (error instanceof UnreadableError) return error.message;
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'SQLITE_CANTOPEN') return GONE;
  return isFull(error) || isStageFull(error) ? NO_ROOM : FAILED;
}
