/** What is wanted no more is gone from the folder: the files of what is over, and of what nobody has touched for a day. */
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Db } from '../db/schema.ts';
import { isStageDamaged, keepRefusedAlone } from '../db/stage-file.ts';
import { transact } from '../db/transact.ts';
import { DAY, MINUTE } from '../lib/clock.ts';
import { ignoreErrors } from '../lib/make-file.ts';
import { cleanUpAbsentUsers } from './absent-users.ts';
import { type Folder, filesOf, isDraft, ownerOf } from './folder.ts';
import {
  DISCARDABLE,
  findFiles,
  forgetImports,
  type Import,
  isGone,
  isImportToForget,
  LIVE,
} from './queries.ts';

/** What is being brought never rests for so long: of what comes beside a file, a form is given 30 seconds for 64 KiB of its 1 MiB. */
const ABANDONED_AFTER = 10 * MINUTE;

export async function cleanUpImports(db: Db, folder: Folder, now: number): Promise<void> {
  try {
    await transact(db, (trx) => forgetImports(trx, now - DAY, now));
    await cleanUpAbsentUsers(db);
  } finally {
    // Also on a full disk, where nothing can be written before some of them are gone.
    await removeFiles(db, folder, now);
  }
}

async function removeFiles(db: Db, folder: Folder, now: number): Promise<void> {
  // Read first: what has come since is not taken for what nobody knows.
  const names = readdirSync(folder.path);
  const known = new Map((await findFiles(db, folder.id)).map((one) => [one.file, one]));
  const faults: unknown[] = [];
  for (const name of names) {
    const file = ownerOf(name);
    if (file === undefined) continue;
    const [found, path] = [known.get(file), join(folder.path, name)];
    try {
      if (isLeft(found, path, now)) rmSync(path, { force: true });
      else if (found && !LIVE.includes(found.state)) keepRefused(folder, file);
    } catch (error) {
      faults.push(error);
    }
  }
  if (faults.length > 0) throw faults[0];
}

/** Also where a process has ended before its files were gone. */
export async function needsCleanup(db: Db, folder: Folder, now: number): Promise<boolean> {
  if (await isImportToForget(db, folder.id, now - DAY)) return true;
  const names = readdirSync(folder.path);
  const known = new Map((await findFiles(db, folder.id)).map((one) => [one.file, one]));
  return names.some((name) => {
    const file = ownerOf(name);
    return file !== undefined && isLeft(known.get(file), join(folder.path, name), now);
  });
}

function isOld({ state, touched_at }: Pick<Import, 'state' | 'touched_at'>, now: number): boolean {
  return DISCARDABLE.includes(state) && touched_at < now - DAY;
}

type Known = Awaited<ReturnType<typeof findFiles>>[number];

/** What somebody brings is there before it is known: of one that was ended meanwhile nobody ever knows. Nor of a draft. */
function isLeft(found: Known | undefined, path: string, now: number): boolean {
  if (found && (isGone(found) || isOld(found, now))) return true;
  if (found && !isDraft(path)) return false;
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats !== undefined && stats.mtimeMs < now - ABANDONED_AFTER;
}

/** Of what is done the refused rows can still be downloaded. */
function keepRefused(folder: Folder, file: string): void {
  const { upload, stage } = filesOf(folder, file);
  if (!existsSync(upload)) return;
  try {
    if (existsSync(stage)) ignoreErrors(['ENOENT'], () => keepRefusedAlone(stage));
  } catch (error) {
    // Nobody can read in it any more, and there are names in it.
    if (!isStageDamaged(error)) throw error;
    rmSync(stage, { force: true });
  }
  rmSync(upload, { force: true });
}
