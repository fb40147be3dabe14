/** The file with the key that secrets in the database are sealed with: beside the database, and in no copy of it. */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { StartError } from '../errors.ts';

const BYTES = 32;
const LINE = /^([\w-]{43})\s*$/;

/**
 * The key in a file; undefined where there is no such file.
 * @throws StartError when it cannot be read, or is no key.
 */
export function readKeyFile(path: string): Buffer | undefined {
  let line: string;
  try {
    line = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new StartError(`${path} cannot be read: ${(error as Error).message}.`);
  }
  const key = LINE.exec(line)?.[1];
  if (key === undefined)
    throw new StartError(
      `${path} holds no key of Roster's; put the right file there, or give SECRET_KEY_FILE another path.`,
    );
  return Buffer.from(key, 'base64url');
}

/**
 * Makes a file with a new key, for its owner alone; it is on disk before anything is sealed with it.
 * @throws StartError, also when there is a file already.
 */
export function makeKeyFile(path: string): Buffer {
  const key = randomBytes(BYTES);
  // Under another name first: whoever is killed on the way leaves no half of a key in its place.
  const draft = `${path}.${process.pid}.new`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const file = openSync(draft, 'w', 0o600);
    writeSync(file, `${key.toString('base64url')}\n`);
    fsyncSync(file);
    closeSync(file);
    linkSync(draft, path);
    syncFolder(path);
  } catch (error) {
    throw new StartError(
      `${path}, for the key that secrets are sealed with, cannot be made: ${(error as Error).message}.`,
    );
  } finally {
    rmSync(draft, { force: true });
  }
  return key;
}

/** A name is on disk once its folder is. */
export function syncFolder(path: string): void {
  // Windows opens no folder, and needs none to be synced.
  if (process.platform === 'win32') return;
  const folder = openSync(dirname(path), 'r');
  fsyncSync(folder);
  closeSync(folder);
}
