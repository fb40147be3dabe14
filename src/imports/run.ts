/** When imports are checked: one after the other, small ones first, by a process that has the folder. */
import { LEASE } from '../db/lease.ts';
import { transact } from '../db/transact.ts';
import { refuseEndedEachTime } from '../jobs/failures.ts';
import { checkAgain, checkFile, checkFirst } from './check.ts';
import { fail, unnoted } from './failed.ts';
import { actorOfImport } from './import-actor.ts';
import type { Report } from './judge-again.ts';
import { AbandonedError, type ImportRunner, leaseOf, save } from './leased.ts';
import { discardedFor, findUnseenImport, type Import, leaseImport } from './queries.ts';

const REPORT_EVERY_MS = 400;

/** Takes a second at most, and does not wait for those that take minutes. */
export const SMALL_BYTES = 500_000;

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

/** What the first rows would do is known also of a file that waits until another one is read. */
async function lookAtNext(runner: ImportRunner): Promise<void> {
  const waiting = await findUnseenImport(runner.db, runner.folder.id, leaseOf(runner));
  if (waiting === undefined) return;
  await checkFirst(runner, waiting).catch((error) => fail(runner, waiting, error));
}

async function advance(runner: ImportRunner, imported: Import, isEnding: () => boolean): Promise<void> {
  // However far it had come: unlike a job it begins anew each time.
  refuseEndedEachTime(imported.failures);
  const actor = await actorOfImport(runner.db, imported);
  if (actor === undefined) return save(runner, imported, discardedFor('not allowed'));
  const report = reporter(runner, imported, isEnding);
  const judging = { db: runner.db, actor, ended: [] };
  if (imported.state === 'reading') await checkFile(runner, imported, judging, report);
  else await checkAgain(runner, imported, judging, report);
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
