/** The file that a command is to write, a backup or an export: in a folder that is there, and not over another one unasked. */
import { resolve } from 'node:path';
import { StartError } from '../errors.ts';
import { isFolder, isThere } from '../lib/make-file.ts';

/** @throws StartError */
export function folderAt(path: string): string {
  const folder = resolve(path);
  if (!isFolder(folder)) throw new StartError(`There is no folder ${folder}: make it, or write elsewhere.`);
  return folder;
}

/** @throws StartError */
export function refuseTaken(path: string, isForced: boolean): void {
  if (isThere(path) && !isForced)
    throw new StartError(`There is a file ${path} already: give another name, or --force to replace it.`);
}

export function sentenceOfRefused(path: string, error: unknown): unknown {
  const { syscall, code } = error as NodeJS.ErrnoException;
  return syscall === undefined ? error : new StartError(`${path} cannot be written (${code}).`);
}
