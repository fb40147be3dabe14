/** The file with the key that secrets in the database are sealed with: beside the database, and in no copy of it. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { StartError } from '../errors.ts';
import { copyOwner } from '../lib/file-owner.ts';
import { makeFileOnce } from '../lib/make-file.ts';

const KEY_BYTES = 32;
// An editor may have put U+FEFF, which counts as white space, before it.
const KEY_LINE = /^\s*([\w-]{43})\s*$/;

/** Undefined where there is no such file. @throws StartError when it cannot be read, or is no key. */
export function readKeyFile(path: string): Buffer | undefined {
  let line: string;
  try {
    line = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new StartError(`${path} cannot be read: ${(error as Error).message}.`);
  }
  const key = KEY_LINE.exec(line)?.[1];
  if (key === undefined)
    throw new StartError(
      `${path} holds no key of Roster's; put the right file there, or give SECRET_KEY_FILE another path.`,
    );
  return Buffer.from(key, 'base64url');
}

/** @returns what is in the file then: somebody else may make it at the same moment. @throws StartError */
export function makeKeyFile(path: string): Buffer {
  try {
    placeKey(path, randomBytes(KEY_BYTES), dirname(path));
  } catch (error) {
    throw new StartError(
      `${path}, for the key that secrets are sealed with, cannot be made: ${(error as Error).message}.`,
    );
  }
  const key = readKeyFile(path);
  if (key === undefined) throw new StartError(`${path} has been made, and is not there any more.`);
  return key;
}

/** Where there is none. @param of whoever is to read it has this, too */
export function placeKey(path: string, key: Buffer, of: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  makeFileOnce(path, (draft) => {
    writeKey(draft, key);
    copyOwner(draft, of);
  });
}

/** It is on the disk before anything is sealed with it. */
export function writeKey(path: string, key: Buffer): void {
  writeFileSync(path, `${key.toString('base64url')}\n`, { mode: 0o600, flush: true });
}
