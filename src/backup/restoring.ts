/** Where a restore works: beside the database, in a folder that nobody needs once it has ended, or was ended. */
import { besideFile } from '../database-url.ts';
import { unless } from '../lib/make-file.ts';
import { removeLeftOvers } from './draft-folder.ts';

/** The path by which drafts there are named. */
export function restoringBeside(databaseUrl: string, secretKeyFile: string): string {
  return besideFile(databaseUrl, secretKeyFile, '.restoring');
}

/** It holds all of a database. */
export function removeKilledRestores(databaseUrl: string, secretKeyFile: string): void {
  const beside = restoringBeside(databaseUrl, secretKeyFile);
  unless(['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM'], () => removeLeftOvers(beside));
}
