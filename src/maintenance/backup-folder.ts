/** The folder into which Roster itself makes backups: whether it is there, and what lies in it. */
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { dateOf } from '../backup/file-names.ts';
import { isFolder } from '../lib/make-file.ts';

/** @returns what is said at start, where no backup can be made: Roster serves all the same */
export function folderWarningOf(folder: string | undefined): string | undefined {
  if (folder === undefined || canWrite(folder)) return undefined;
  const why = existsSync(folder) ? `it may not write into ${folder}` : `there is no folder ${folder}`;
  return `Warning: ${why}, so Roster makes no backups until that is mended. It tries each hour, and when it is started again, as with another BACKUP_FOLDER.`;
}

function canWrite(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return isFolder(folder);
  } catch {
    return false;
  }
}

/** By their names, which is fast also on a slow disk; undefined where it cannot be read. */
export function backupsIn(folder: string): { count: number; oldest: number } | undefined {
  try {
    const dates = readdirSync(folder).flatMap((name) => dateOf(name) ?? []);
    return { count: dates.length, oldest: Math.min(...dates) };
  } catch {
    return undefined;
  }
}
