/** Where the files of imports lie: a folder of this machine, with an identity, so that no other one is taken for it. */
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { ClosedFolderError } from '../errors.ts';
import { copyOwner } from '../lib/file-owner.ts';
import { ignoreErrors, makeFileOnce } from '../lib/make-file.ts';

export type Folder = { path: string; id: string; host: string };

const IDENTITY = 'identity';

/** Undefined where there is none, and so no import. @throws ClosedFolderError */
export function findFolder(path: string): Folder | undefined {
  const id = orClosed(path, () =>
    ignoreErrors(['ENOENT'], () => readFileSync(join(path, IDENTITY), 'utf8').trim()),
  );
  return id === undefined ? undefined : { path, id, host: hostname() };
}

/** For its owner alone. @throws ClosedFolderError */
export function makeFolder(path: string): Folder {
  const made = findFolder(path);
  if (made) return made;
  orClosed(path, () => {
    const first = mkdirSync(path, { recursive: true, mode: 0o700 });
    // Of the same as what it is in, each in the other.
    for (const folder of foldersFrom(first, path)) copyOwner(folder, dirname(folder));
    makeFileOnce(join(path, IDENTITY), (draft) => {
      writeFileSync(draft, `${randomBytes(16).toString('hex')}\n`, { mode: 0o600, flush: true });
      copyOwner(draft, path);
    });
  });
  return makeFolder(path);
}

/** @param first of those that were made; undefined where none was */
function foldersFrom(first: string | undefined, path: string): string[] {
  if (first === undefined) return [];
  return first === path ? [path] : [...foldersFrom(first, dirname(path)), path];
}

function orClosed<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw isClosed(error) ? new ClosedFolderError(sentenceOf(path), { cause: error }) : error;
  }
}

function sentenceOf(path: string): string {
  return `The folder of imports, ${path}, cannot be read and written by the user who runs Roster: make it theirs.`;
}

function isClosed(error: unknown): boolean {
  return ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');
}

const OWN =
  /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.(?:csv|upload|stage(?:\.new(?:-\w{6})?)?(?:-journal)?)$/;

export function ownerOf(name: string): string | undefined {
  return OWN.exec(name)?.[1];
}

/** Whoever made it is done with it within seconds, or was ended. */
export function isDraft(path: string): boolean {
  return /\.stage\.new(?:-\w{6})?(?:-journal)?$/.test(path);
}

export function newName(): string {
  return randomUUID();
}

/** `upload`: what somebody has brought; `stage`: the rows read from it, with what they would do. */
export function filesOf(folder: Pick<Folder, 'path'>, name: string): { upload: string; stage: string } {
  const path = join(folder.path, name);
  return { upload: `${path}.csv`, stage: `${path}.stage` };
}
