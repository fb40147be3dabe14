/** What is wanted no more is gone from the folder: the files of what is over, and of what nobody has touched for a day. */
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Db } from '../db/schema.ts';
import { keepRefusedAlone } from '../db/stage.ts';
import { transact } from '../db/transact.ts';
import { DAY, HOUR } from '../lib/clock.ts';
import { unless } from '../lib/make-file.ts';
import { tidyAbsent } from './absent.ts';
import { type Folder, filesOf, ownerOf } from './folder.ts';
import {
  DISCARDABLE,
  findFiles,
  forgetImports,
  type Import,
  isGone,
  isImportToForget,
  LIVE,
} from './queries.ts';

export async function tidyImports(db: Db, folder: Folder, now: number): Promise<void> {
  try {
    await transact(db, (trx) => forgetImports(trx, now - DAY, now));
    await tidyAbsent(db);
  } finally {
    // Also on a full disk, where nothing can be written before some of them are gone.
    await removeFiles(db, folder, now);
  }
}

async function removeFiles(db: Db, folder: Folder, now: number): Promise<void> {
  // Read first: what has come since is not taken for what nobody knows.
  const names = readdirSync(folder.path);
  const known = new Map((await findFiles(db, folder.id)).map((one) => [one.file, one]));
  for (const name of names) {
    const file = ownerOf(name);
    if (file === undefined) continue;
    const found = known.get(file);
    if (found === undefined) removeAbandoned(join(folder.path, name), now);
    else if (isGone(found) || isOld(found, now)) rmSync(join(folder.path, name), { force: true });
    else if (!LIVE.includes(found.state)) keepRefused(folder, file);
  }
}

/** Also where a process has ended before its files were gone. */
export async function isToTidy(db: Db, folder: Folder, now: number): Promise<boolean> {
  if (await isImportToForget(db, folder.id, now - DAY)) return true;
  const there = new Set(readdirSync(folder.path).map(ownerOf));
  return (await findFiles(db, folder.id)).some((one) => isGone(one) && there.has(one.file));
}

/** It is about to be forgotten, though that cannot be written yet. */
function isOld({ state, touched_at }: Pick<Import, 'state' | 'touched_at'>, now: number): boolean {
  return DISCARDABLE.includes(state) && touched_at < now - DAY;
}

/** What somebody brings is there before it is known. */
function removeAbandoned(path: string, now: number): void {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats && stats.mtimeMs < now - HOUR) rmSync(path, { force: true });
}

/** Of what is done the refused rows can still be downloaded. */
function keepRefused(folder: Folder, file: string): void {
  const { upload, stage } = filesOf(folder, file);
  if (!existsSync(upload)) return;
  unless(['ENOENT'], () => keepRefusedAlone(stage));
  rmSync(upload, { force: true });
}
