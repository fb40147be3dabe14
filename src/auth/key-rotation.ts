/** Which file holds the key of a database, also while one is changed for another. */
import { hash } from 'node:crypto';
import { renameSync } from 'node:fs';
import { StartError } from '../errors.ts';
import { makeFileOnce, syncFolder, unless } from '../lib/make-file.ts';
import { readKeyFile, writeKey } from './key-file.ts';

/** Of a key, which is random itself: 16 hex digits. */
export function fingerprintOf(key: Buffer): string {
  return hash('sha256', Buffer.concat([Buffer.from('Roster key '), key]), 'hex').slice(0, 16);
}

/**
 * The key with a fingerprint, from where it has to be.
 * @throws StartError when it is not there.
 */
export function checkedKey(path: string, known: string): Buffer {
  const key = readKeyFile(path);
  if (key && fingerprintOf(key) === known) return key;
  // A change of the key that was stopped just before its end, or ends just now.
  if (isKeyIn(nextOf(path), known)) takePlace(path, key);
  const now = readKeyFile(path);
  if (now && fingerprintOf(now) === known) return now;
  const former = formerOf(path, known);
  const what = isKeyIn(former, known)
    ? `does not hold it: it is in ${former}`
    : now
      ? 'holds another key'
      : 'is not there';
  throw new StartError(
    `Secrets in the database are sealed with the key ${known}, and ${path} ${what}. Put the file with that key there, or set SECRET_KEY_FILE to where it is. If it is lost for good: npm run roster -- give-up-key ${known}`,
  );
}

/** Where a key waits that is to be the database's. */
export function nextOf(path: string): string {
  return `${path}.next`;
}

/** Where a key is kept that was the database's before: it opens earlier backups. */
export function formerOf(path: string, fingerprint: string): string {
  return `${path}.${fingerprint}`;
}

export function isKeyIn(path: string, fingerprint: string): boolean {
  const key = readKeyFile(path);
  return key !== undefined && fingerprintOf(key) === fingerprint;
}

/** Puts the next key in its place; several may do so at once. */
export function takePlace(path: string, before: Buffer | undefined): void {
  // First a second file, whose name is never given to another key: at no moment is either of them nowhere.
  if (before) makeFileOnce(formerOf(path, fingerprintOf(before)), (draft) => writeKey(draft, before));
  unless(['ENOENT'], () => renameSync(nextOf(path), path));
  syncFolder(path);
}
