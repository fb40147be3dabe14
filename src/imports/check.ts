/** What the rows of a file would do: its first ones, all of them, and all once more when it is confirmed. */
import { findBulkOfAbsent } from '../bulk/job.ts';
import { FREE } from '../db/lease.ts';
import { readRevision } from '../db/revision.ts';
import type { Trx } from '../db/schema.ts';
import { isStageDamaged, isStageFull, openStage } from '../db/stage-file.ts';
import { transact } from '../db/transact.ts';
import { BitSet } from '../lib/bit-set.ts';
import { saveAbsentUsers } from './absent-users.ts';
import { beginApplying, placeRows } from './apply.ts';
import { judgeFirst, stageRows } from './fill-stage.ts';
import { filesOf } from './folder.ts';
import { actorOfImport } from './import-actor.ts';
import { checkedOf, choicesOf } from './json-columns.ts';
import { judgeAll, type Report } from './judge-again.ts';
import type { Judging } from './judge-rows.ts';
import { type ImportRunner, save, whileLeased } from './leased.ts';
import { makesUsernames } from './made-usernames.ts';
import { discardedFor, type Import, lockLeased } from './queries.ts';
import { recognise } from './reading/recognise.ts';
import { readRows } from './reading/rows.ts';
import { inSteps, save as saveStage } from './stage-steps.ts';
import { type Choices, type HowRead, MATCHES, type Totals } from './types.ts';

export async function checkFirst(runner: ImportRunner, imported: Import): Promise<void> {
  const actor = await actorOfImport(runner.db, imported);
  if (actor === undefined) return save(runner, imported, discardedFor('not allowed'));
  const { upload } = filesOf(runner.folder, imported.file);
  const howRead = await recogniseAs(upload, choicesOf(imported));
  const judging = judgingAs({ db: runner.db, actor, ended: [] }, howRead);
  const totals = await judgeFirst(readRows(upload, howRead, howRead.empty), judging, howRead);
  await save(runner, imported, { totals: JSON.stringify(totals) });
}

export async function checkFile(
  runner: ImportRunner,
  imported: Import,
  judging: ForAny,
  report: Report,
): Promise<void> {
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

/** What would be done otherwise than it was shown is shown first. */
export async function checkAgain(
  runner: ImportRunner,
  imported: Import,
  judging: ForAny,
  report: Report,
): Promise<void> {
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

type ForAny = Omit<Judging, 'match' | 'makesUsernames'>;

function judgingAs(judging: ForAny, how: HowRead): Judging {
  return { ...judging, match: how.match, makesUsernames: makesUsernames(how) };
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
