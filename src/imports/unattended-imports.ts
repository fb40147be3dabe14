/** Imports that stay half applied since nobody has their folder any more: after an hour any Roster takes them back. */
import type { Db } from '../db/schema.ts';
import { transact } from '../db/transact.ts';
import { findRunningJobs, type Job, lockJobOfSet } from '../jobs/queries.ts';
import { HOUR } from '../lib/clock.ts';
import { isOfOtherFolder } from './apply.ts';
import type { Folder } from './folder.ts';
import { findImport } from './queries.ts';
import { importIdOf, takeBack } from './take-back.ts';

/** Of jobs that are under way there are few. */
const AT_ONCE = 1_000;

/** Whoever has it may be down for a while; a machine that comes back later finds it taken back. */
export async function takeBackUnattended(db: Db, folder: Folder | undefined, now: number): Promise<void> {
  const jobs = await findRunningJobs(db, AT_ONCE);
  for (const job of jobs.filter((one) => isOfOtherFolder(one, folder)))
    if (await isUnattended(db, job, now)) await takeUnattendedBack(db, job, now);
}

async function takeUnattendedBack(db: Db, { set_id }: Job, now: number): Promise<void> {
  await transact(db, async (trx) => {
    const job = await lockJobOfSet(trx, set_id);
    // Somebody may have come back to it at this moment.
    if (job?.state === 'running' && (await isUnattended(trx, job, now)))
      await takeBack(trx, job, 'unattended', now);
  });
}

async function isUnattended(db: Db, job: Job, now: number): Promise<boolean> {
  const { touched_at = 0 } = (await findImport(db, importIdOf(job))) ?? {};
  return Math.max(touched_at, job.leased_until) < now - HOUR;
}
