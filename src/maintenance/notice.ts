/** What administrators are told on the list: that there is no backup of late, and that a check has found something. */
import type { Config } from '../config.ts';
import type { Db } from '../db/schema.ts';
import { concernsOf } from './concerns.ts';
import { findFinding, findLastBackups } from './queries.ts';

/** Each a sentence. @param since when this Roster was started */
export async function findNotices(
  db: Db,
  { backupFolder }: Config,
  now: number,
  since = performance.timeOrigin,
): Promise<string[]> {
  const finding = await findFinding(db);
  const backups = await findLastBackups(db);
  const facts = { finding, backups, isSet: backupFolder !== undefined, since };
  return concernsOf(facts, now).flatMap(({ notice }) => notice ?? []);
}
