/** Where a restore works: beside the database, in a folder that nobody needs once it has ended, or was ended. */
import { readdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { besideFile } from '../database-url.ts';
import { ignoreErrors, isSameFile } from '../lib/make-file.ts';
import { removeLeftOvers } from './draft-folder.ts';
import { dateAsideOf } from './file-names.ts';

export function restoringBeside(databaseUrl: string, secretKeyFile: string): string {
  return besideFile(databaseUrl, secretKeyFile, '.restoring');
}

/** What is left of them: a folder that holds all of a database, and one more name for the one that is there, or half a copy of it. @returns the names of what is gone */
export function removeKilledRestores(databaseUrl: string, secretKeyFile: string): string[] {
  const ifAllowed = (remove: () => string[]) =>
    ignoreErrors(['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM'], remove) ?? [];
  return [
    ...ifAllowed(() => removeLeftOvers(restoringBeside(databaseUrl, secretKeyFile))),
    ...ifAllowed(() => removeHalfAside(besideFile(databaseUrl, secretKeyFile, ''))),
  ];
}

/** Of what was to be put aside before the other one took its place. For whoever has it open, so that nobody is between the two. @returns the names of what is gone */
export function removeHalfAside(path: string): string[] {
  const removed: string[] = [];
  for (const name of readdirSync(dirname(path))) {
    const whole = name.replace(/\.new$/, '');
    if (!whole.startsWith(basename(path)) || dateAsideOf(whole) === undefined) continue;
    const aside = join(dirname(path), name);
    if (name === whole && !isSameFile(aside, path)) continue;
    rmSync(aside);
    removed.push(name);
  }
  return removed;
}
