/** What a backup becomes before it takes the place of a database: of today's version it is, and goes on where that one has ended. */
import { commandLine } from '../auth/actor.ts';
import { deleteAccess } from '../auth/credentials.ts';
import { engineOf } from '../db/engine.ts';
import { raiseRevision, readRevision } from '../db/revision.ts';
import type { Db } from '../db/schema.ts';
import { transact } from '../db/transact.ts';
import { raiseAllLastIds } from '../erasure/last-ids.ts';
import { eraseKnown } from '../erasure/ledger-replay.ts';
import { recordAccess, recordPutBack } from '../history/record.ts';
import { findFolder } from '../imports/folder.ts';
import { endLostImports } from '../imports/lost-files.ts';
import { stopJobs } from '../jobs/queries.ts';
import { forgetRuns } from '../maintenance/queries.ts';
import { applyKeyPlan, type KeyPlan } from './key-plan.ts';
import type { Summary } from './summary.ts';

/** Sessions that were ended since, links that were used or withdrawn, forms that were sent, waits that are over. */
const NOT_BROUGHT_BACK = [
  'sessions',
  'invitations',
  'tickets',
  'used_drafts',
  'guesses',
  'kept_answers',
] as const;

type Wishes = {
  withoutAccess: boolean;
  key: KeyPlan;
  former: Pick<Summary, 'lastIds' | 'revision'> | undefined;
  ledgers: readonly string[];
  importFolder: string;
  of: string;
  now: number;
};

/** `erased`: how many were, who had been since. @throws LastAdministratorError */
export async function reconcile(db: Db, wishes: Wishes): Promise<{ erased: number; stopped: number }> {
  const { withoutAccess, key, former, ledgers, importFolder, of, now } = wishes;
  const stopped = await engineOf(db).overwrite(db, async (trx) => {
    for (const table of NOT_BROUGHT_BACK) await trx.deleteFrom(table).execute();
    await forgetRuns(trx);
    if (withoutAccess) await deleteAccess(trx);
    await applyKeyPlan(trx, key);
    await endLostImports(trx, findFolder(importFolder), now);
    return stopJobs(trx);
  });
  const erased = await eraseKnown(db, ledgers);
  const revision = await readRevision(db);
  await transact(db, async (trx) => {
    // Nothing that somebody still has in a window is about something else.
    if (former) await raiseAllLastIds(trx, former.lastIds);
    if (key.kind === 'given up')
      await recordAccess(trx, commandLine, 'second factors given up', undefined, now, String(key.count));
    await recordPutBack(trx, commandLine, now, of);
    await raiseRevision(trx, Math.max(0, (former?.revision ?? 0) - revision) + 1);
  });
  return { erased, stopped };
}
