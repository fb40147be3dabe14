/** Reading what was brought, and judging it again once it is confirmed: by a process that has the folder, with a lease. */
import { randomUUID } from 'node:crypto';
import { findBulkOfAbsent } from '../bulk/job.ts';
import { FREE, LEASE, type Lease } from '../db/lease.ts';
import { readRevision } from '../db/revision.ts';
import type { Db, Trx } from '../db/schema.ts';
import { isStageBusy, isStageDamaged, isStageFull, openStage } from '../db/stage-file.ts';
import { transact } from '../db/transact.ts';
import { DamagedError, DatabaseFailure } from '../errors.ts';
import {
  LONGEST_PAUSE,
  MOST_FAILURES_THAT_PASS,
  notedOf,
  pauseAfter,
  refuseEndedEachTime,
} from '../jobs/failures.ts';
import { BitSet } from '../lib/bit-set.ts';
import type { Clock } from '../lib/clock.ts';
import { isFull } from '../lib/disk-space.ts';
import type { Mutex } from '../lib/mutex.ts';
import { saveAbsentUsers } from './absent-users.ts';
import { beginApplying, placeRows } from './apply.ts';
import { judgeFirst, stageRows } from './fill-stage.ts';
import { type Folder, filesOf } from './folder.ts';
import { actorOfImport } from './import-actor.ts';
import { checkedOf, choicesOf } from './json-columns.ts';
import { judgeAll, type Report } from './judge-again.ts';
import type { Judging } from './judge-rows.ts';
import { makesUsernames } from './made-usernames.ts';
import {
  discardedFor,
  findUnseenImport,
  type Import,
  leaseImport,
  lockLeased,
  saveImport,
} from './queries.ts';
import { UnreadableError } from './reading/reading.ts';
import { recognise } from './reading/recognise.ts';
import { readRows } from './reading/rows.ts';
import { inSteps, save as saveStage } from './stage-steps.ts';
import { type Choices, type HowRead, MATCHES, type Totals } from './types.ts';

/** `warn` is told each error that an import has met; `alone` is shared with the jobs that are done in the same thread. */
export type ImportRunner = {
  db: Db;
  alone: Mutex;
  folder: Folder;
  clock: Clock;
  warn: (imported: number, error: unknown) => void;
};

const REPORT_EVERY_MS = 400;

/** Takes a second at most, and does not wait for those that take minutes. */
export const SMALL_BYTES = 500_000;

const GONE = 'What was brought is gone from the disk: choose the file again.';
const NO_ROOM =
  'There is too little room on Roster’s disk to look at all of its rows: make some, or have some made, and choose the file again.';
const FAILED = 'Roster has met an error while it was reading the file: its log says which.';

/** Of this process, which goes on. */
const unnoted = new Map<number, string>();

/** Somebody wants it read differently, or not at all; or Roster is ending, and goes on later. */
class AbandonedError extends Error {
  override name = 'AbandonedError';
}

/** Does all that is to be done, and nobody else is doing. @returns whether there was anything */
export async function runImports(runner: ImportRunner, isEnding: () => boolean): Promise<boolean> {
  let isAny = false;
  while (!isEnding() && (await runNext(runner, isEnding))) isAny = true;
  return isAny;
}

/** @param size of its file, at most @returns whether there was one */
async function runNext(
  runner: ImportRunner,
  isEnding: () => boolean,
  size = Number.MAX_SAFE_INTEGER,
): Promise<boolean> {
  const lease = leaseOf(runner);
  const imported = await transact(runner.db, (trx) =>
    leaseImport(trx, runner.folder.id, lease, size, unnoted),
  );
  if (imported === undefined) return false;
  await advance(runner, imported, isEnding).catch((error) => fail(runner, imported, error));
  return true;
}

function leaseOf({ clock }: Pick<ImportRunner, 'clock'>): Lease {
  const now = clock();
  return { owner: randomUUID(), now, until: now + LEASE, latest: now + LONGEST_PAUSE };
}

/** What the first rows would do is known also of a file that waits until another one is read. */
async function lookAtNext(runner: ImportRunner): Promise<void> {
  const waiting = await findUnseenImport(runner.db, runner.folder.id, leaseOf(runner));
  if (waiting === undefined) return;
  await lookAt(runner, waiting).catch((error) => fail(runner, waiting, error));
}

async function lookAt(runner: ImportRunner, imported: Import): Promise<void> {
  const actor = await actorOfImport(runner.db, imported);
  if (actor === undefined) return save(runner, imported, discardedFor('not allowed'));
  const { upload } = filesOf(runner.folder, imported.file);
  const howRead = await recogniseAs(upload, choicesOf(imported));
  const judging = judgingAs({ db: runner.db, actor, ended: [] }, howRead);
  const totals = await judgeFirst(readRows(upload, howRead, howRead.empty), judging, howRead);
  await save(runner, imported, { totals: JSON.stringify(totals) });
}

async function advance(runner: ImportRunner, imported: Import, isEnding: () => boolean): Promise<void> {
  // However far it had come: unlike a job it begins anew each time.
  refuseEndedEachTime(imported.failures);
  const actor = await actorOfImport(runner.db, imported);
  if (actor === undefined) return save(runner, imported, discardedFor('not allowed'));
  const report = reporter(runner, imported, isEnding);
  const judging = { db: runner.db, actor, ended: [] };
  if (imported.state === 'reading') await read(runner, imported, judging, report);
  else await goOn(runner, imported, judging, report);
}

type ForAny = Omit<Judging, 'match' | 'makesUsernames'>;

function judgingAs(judging: ForAny, how: HowRead): Judging {
  return { ...judging, match: how.match, makesUsernames: makesUsernames(how) };
}

async function read(runner: ImportRunner, imported: Import, judging: ForAny, report: Report): Promise<void> {
  const { upload, stage } = filesOf(runner.folder, imported.file);
  // Before the first row is judged: whatever is changed from then on may change what it would do.
  const revision = await readRevision(runner.db);
  const howRead = await recogniseAs(upload, choicesOf(imported));
  await save(runner, imported, { reading: JSON.stringify(howRead) });
  let emptyRows = 0;
  const rows = readRows(upload, howRead, howRead.empty, {
    onEncoding: (encoding) =>
      save(runner, imported, { reading: JSON.stringify({ ...howRead, encoding, isPlain: false }) }),
    onEmptyRow: () => void emptyRows++,
  });
  const going = { alone: runner.alone, report };
  const totals = await stageRows(stage, rows, judgingAs(judging, howRead), howRead, going);
  const all = emptyRows > 0 ? { ...totals, empty: emptyRows } : totals;
  await saveChecked(runner, imported, all, revision, report);
}

async function recogniseAs(
  upload: string,
  { match, empty = 'leave', usernames, ...choice }: Choices,
): Promise<HowRead> {
  const reading = await recognise(upload, choice);
  // By a username that is made nobody is found.
  const isMade = match === 'username' && makesUsernames({ ...reading, usernames });
  return { ...reading, match: (isMade ? undefined : match) ?? matchOf(reading), empty, usernames };
}

/** By number last: those of a file from elsewhere are somebody else’s here. */
function matchOf({ columns }: Pick<HowRead, 'columns'>): HowRead['match'] {
  return MATCHES.find((name) => columns.some(({ field }) => field === name)) ?? 'username';
}

/** What would be done otherwise than it was shown is shown first. */
async function goOn(runner: ImportRunner, imported: Import, judging: ForAny, report: Report): Promise<void> {
  const revision = await readRevision(runner.db);
  const { how, totals: shown } = checkedOf(imported);
  let totals = shown;
  const { stage: path } = filesOf(runner.folder, imported.file);
  const stage = openStage(path);
  const going = { alone: runner.alone, report: () => report(totals) };
  try {
    if (imported.revision !== revision) {
      stage.requireRoomToJudge();
      totals = {
        ...(await stage.inOne(() => judgeAll(stage, judgingAs(judging, how), report, true))),
        absent: shown.absent,
        empty: shown.empty,
      };
    }
    await report(totals, true);
    await inSteps(stage, placeRows(stage, totals), going);
    await saveStage(stage, going.report);
  } catch (error) {
    // Once it cannot be applied, its rows are of no use.
    if (isStageFull(error) || isStageDamaged(error)) stage.discard();
    throw error;
  } finally {
    stage.close();
  }
  if (totals.differences > 0 && imported.revision !== revision)
    return saveChecked(runner, imported, totals, revision, report);
  await transact(runner.db, async (trx) => {
    if (await lockLeased(trx, imported))
      await beginApplying(trx, runner.folder, imported, totals, runner.clock());
  });
}

async function saveChecked(
  runner: ImportRunner,
  imported: Import,
  totals: Totals,
  revision: number,
  report: Report,
): Promise<void> {
  await report(totals, true);
  const isKept = (await findBulkOfAbsent(runner.db, imported.id)) !== undefined;
  const absent = isKept ? totals.absent : await countAbsent(runner, imported, () => report(totals));
  const judged = imported.judged + 1;
  const known = JSON.stringify({ ...totals, absent });
  const checked = { state: 'checked', judged, revision, totals: known } as const;
  await save(runner, imported, { ...checked, ...FREE, touched_at: runner.clock() });
}

async function countAbsent(runner: ImportRunner, imported: Import, report: () => Promise<void>) {
  const present = new BitSet();
  const stage = openStage(filesOf(runner.folder, imported.file).stage);
  try {
    for (const users of stage.users()) {
      for (const user of users) present.add(user);
      await report();
    }
  } finally {
    stage.close();
  }
  const write = <T>(work: (trx: Trx) => Promise<T>) => whileLeased(runner, imported, work);
  return saveAbsentUsers(runner.db, imported.id, present, { write, report });
}

function reporter(runner: ImportRunner, imported: Import, isEnding: () => boolean): Report {
  let last = performance.now();
  return async (totals, isNow = false) => {
    if (isEnding()) throw new AbandonedError('Roster is ending.');
    if (!isNow && performance.now() - last < REPORT_EVERY_MS) return;
    last = performance.now();
    const shown = imported.state === 'reading' ? { totals: JSON.stringify(totals) } : {};
    await save(runner, imported, { ...shown, leased_until: runner.clock() + LEASE });
    // One at a time, so that the lease of this one is not over meanwhile.
    if (imported.size <= SMALL_BYTES) return;
    await runNext(runner, isEnding, SMALL_BYTES);
    await lookAtNext(runner);
  };
}

async function save(
  runner: ImportRunner,
  imported: Import,
  values: Parameters<typeof saveImport>[2],
): Promise<void> {
  await whileLeased(runner, imported, (trx) => saveImport(trx, imported.id, values));
}

/** Once it is somebody else's, nothing more is written. @throws AbandonedError */
async function whileLeased<T>(
  { db }: ImportRunner,
  imported: Import,
  work: (trx: Trx) => Promise<T>,
): Promise<T> {
  return transact(db, async (trx) => {
    if (await lockLeased(trx, imported)) return work(trx);
    throw new AbandonedError('It is not wanted any more as it was.');
  });
}

async function fail(runner: ImportRunner, imported: Import, error: unknown): Promise<void> {
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
