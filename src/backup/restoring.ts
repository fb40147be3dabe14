/** Where a restore works: beside the database, in a folder that nobody needs once it has ended, or was ended. */
import { filePathOf, pathBeside } from '../database-url.ts';
import { unless, whereLies } from '../lib/make-file.ts';
import { removeLeftOvers } from './draft-folder.ts';

/** The path by which drafts there are named. */
export function restoringBeside(databaseUrl: string, secretKeyFile: string): string {
  const path = filePathOf(databaseUrl);
  if (path === undefined) return pathBeside(databaseUrl, secretKeyFile, '.restoring');
  // The file lies where a symbolic link leads to, and another one takes its place there.
  return `${whereLies(path)}.restoring`;
}

/** It holds all of a database. */
export function removeKilledRestores(databaseUrl: string, secretKeyFile: string): void {
  const beside = restoringBeside(databaseUrl, secretKeyFile);
  unless(['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM'], () => removeLeftOvers(beside));
}
