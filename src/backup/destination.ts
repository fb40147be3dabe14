/** Where a backup is to go: into a folder that is there, under its date, or to a file that is not. */
import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { dirname, extname, join, resolve } from 'node:path';
import { readKeyFile } from '../auth/key-file.ts';
import { isBackup } from '../db/backup-file.ts';
import { StartError } from '../errors.ts';
import { isFull } from '../lib/disk-space.ts';
import { isFolder, isThere } from '../lib/make-file.ts';
import { datedName, keyBeside } from './file-names.ts';
import { folderAt, refuseTaken, sentenceOfRefused } from './target-file.ts';

export type Destination = { file: string; isDated: boolean };

type Choice = {
  now: number;
  isForced: boolean;
  withKey: boolean;
  /** Roster's own files, which never are. */
  own: readonly string[];
};

/** @param path with a slash at its end it is a folder's, which is not taken for a file where its disk is not there. @throws StartError */
export function chooseDestination(path: string, { now, isForced, withKey, own }: Choice): Destination {
  try {
    if (isFolder(path) || /[/\\]$/.test(path)) return { file: freeName(writable(path), now), isDated: true };
    writable(dirname(resolve(path)));
    refuseOwn(path, own);
    refuseOthers(path, isForced, isBackup);
    if (withKey) {
      refuseOwn(keyBeside(path), own);
      refuseOthers(keyBeside(path), isForced, isKeyFile);
    }
    refuseNoFolder(path);
    return { file: resolve(path), isDated: false };
  } catch (error) {
    throw sentenceOf(path, error);
  }
}

export function sentenceOf(path: string, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (isFull(error) || code === 'SQLITE_FULL')
    return new StartError(`There is no more room for ${path}: nothing was kept of it.`);
  if (code?.startsWith('SQLITE_'))
    return new StartError(`${path} cannot be made (${(error as Error).message}).`);
  return sentenceOfRefused(path, error);
}

/** What has no ending is to be a folder, of which somebody thinks that it is there. */
function refuseNoFolder(path: string): void {
  const whole = resolve(path);
  if (!isThere(whole) && extname(whole) === '')
    throw new StartError(
      `There is no folder ${whole}: make it, or name a file with an ending, such as ${whole}.db.`,
    );
}

function writable(path: string): string {
  const folder = folderAt(path);
  accessSync(folder, constants.W_OK);
  return folder;
}

function freeName(folder: string, now: number): string {
  const file = join(folder, datedName(now));
  // Of two that begin in the same second.
  return isThere(file) || isThere(keyBeside(file)) ? freeName(folder, now + 1_000) : file;
}

/** With --force nothing is replaced that a backup has not put there: no device, and no database that is worked with. */
function refuseOthers(path: string, isForced: boolean, isOurs: (path: string) => boolean): void {
  refuseTaken(path, isForced);
  if (isThere(path) && !isOurs(path))
    throw new StartError(
      `${path} is there, and no backup has put it there: give another name, or move it away.`,
    );
}

function isKeyFile(path: string): boolean {
  return statSync(path).isFile() && readKeyFile(path) !== undefined;
}

function refuseOwn(path: string, own: readonly string[]): void {
  const found = statSync(path, { throwIfNoEntry: false });
  const isOwn = own.filter(isThere).some((one) => {
    const { dev, ino } = statSync(one);
    return found?.dev === dev && found.ino === ino;
  });
  const real = join(realpathSync(dirname(resolve(path))), resolve(path).slice(dirname(resolve(path)).length));
  if (isOwn || own.includes(resolve(path)) || own.includes(real))
    throw new StartError(`${path} is what Roster itself works with: give the backup another name.`);
}
