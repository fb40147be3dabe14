/** Makes a file exactly once: whole or not at all, also when several make it at once and some are killed on the way. */
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdtempSync,
  openSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** `write` makes it under the name that it is given, and brings it to the disk. Its folder has to be there. */
export function makeFileOnce(path: string, write: (draft: string) => void): void {
  // Of a name that no other has, for its owner alone.
  const folder = mkdtempSync(`${path}.new-`);
  try {
    const draft = join(folder, basename(folder));
    write(draft);
    try {
      linkSync(draft, path);
    } catch (error) {
      // What a file system without hard links says differs: EPERM on FAT and exFAT, ENOTSUP, ENOSYS, EISDIR elsewhere.
      if (codeOf(error) !== 'EEXIST') moveByFolder(folder, path);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  syncFolder(path);
}

// A folder does not replace one that holds something: one of several makers wins. Whoever comes by moves what it holds, and waits for nobody.
function moveByFolder(folder: string, path: string): void {
  const shared = `${path}.new`;
  try {
    renameSync(folder, shared);
  } catch (error) {
    if (!isThere(shared) && !isThere(path)) throw error;
  }
  for (const name of draftsIn(shared, `${basename(path)}.new-`)) {
    // Asked after the name was read: whatever has come to the path since was moved from under that name.
    if (!isThere(path)) ignoreErrors(['ENOENT'], () => renameSync(join(shared, name), path));
    rmSync(join(shared, name), { force: true });
  }
  ignoreErrors(['ENOENT', 'ENOTEMPTY', 'EEXIST'], () => rmdirSync(shared));
}

/** Follows symbolic links. @throws where that cannot be seen */
export function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

export function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

export function isSameFile(one: string, other: string): boolean {
  const [first, second] = [one, other].map((path) => statSync(path, { throwIfNoEntry: false }));
  return first !== undefined && first.ino === second?.ino && first.dev === second.dev;
}

/** Where a symbolic link leads to; the path as it is where nothing is there. @throws where that cannot be seen */
export function whereLies(path: string): string {
  return isThere(path) ? realpathSync(path) : path;
}

/** @throws where it holds more than drafts: what is somebody else's neither becomes the file nor is it removed. */
function draftsIn(folder: string, prefix: string): string[] {
  const names =
    ignoreErrors(['ENOENT'], () => ignoreErrors(['ENOTDIR'], () => readdirSync(folder)) ?? ['.']) ?? [];
  if (names.every((name) => name.startsWith(prefix))) return names;
  throw new Error(`${folder} is in the way and not Roster's: move it elsewhere`);
}

export function syncFile(path: string): void {
  const file = openSync(path, 'r+');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** A name is on disk once its folder is. */
export function syncFolder(path: string): void {
  // Windows opens no folder, and needs none to be synced.
  if (process.platform === 'win32') return;
  const folder = openSync(dirname(path), 'r');
  ignoreErrors(['EINVAL', 'EBADF', 'ENOTSUP'], () => fsyncSync(folder));
  closeSync(folder);
}

export function ignoreErrors<T>(codes: readonly string[], act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    if (!codes.includes(codeOf(error))) throw error;
    return undefined;
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? '';
}
