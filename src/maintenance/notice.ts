/** What administrators are told on the list: that there is no backup of late, and that the last check has found something. */
import type { Config } from '../config.ts';
import type { Db } from '../db/schema.ts';
import { durationOf } from './duration.ts';
import { findLastRun } from './queries.ts';
import { LATE_AFTER } from './verdict.ts';

/** Each a sentence. @param since when this Roster was started: it makes its first backup soon after */
export async function findNotices(
  db: Db,
  { backupFolder }: Config,
  now: number,
  since = performance.timeOrigin,
): Promise<string[]> {
  const check = await findLastRun(db, 'check');
  return [
    ...(await backupNotice(db, backupFolder !== undefined, now, since)),
    ...(check?.outcome === 'bad' ? ['The last check of the database found something.'] : []),
  ];
}

/** Nothing for whoever keeps the database in another way. */
async function backupNotice(db: Db, isSet: boolean, now: number, since: number): Promise<string[]> {
  const good = await findLastRun(db, 'backup', 'good');
  if (good === undefined) {
    const isOverdue = isSet && now - since > LATE_AFTER;
    const isBad = (await findLastRun(db, 'backup', 'bad')) !== undefined;
    return isOverdue || isBad ? ['There is no good backup yet.'] : [];
  }
  const age = now - good.begun_at;
  return age > LATE_AFTER ? [`The last good backup is ${durationOf(age)} old.`] : [];
}
