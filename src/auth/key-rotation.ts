/** Which file holds the key of a database, also while one is changed for another. */
import { hash } from 'node:crypto';
import { renameSync } from 'node:fs';
import { StartError } from '../errors.ts';
import { ignoreErrors, isThere, makeFileOnce, syncFolder } from '../lib/make-file.ts';
import { readKeyFile, writeKey } from './key-file.ts';

export function fingerprintOf(key: Buffer): string {
  return hash('sha256', Buffer.concat([Buffer.from('Roster key '), key]), 'hex').slice(0, 16);
}

/** Of a change of the key that was stopped just before its end, the new file takes its place. @throws StartError when the key with that fingerprint is in none of its places. */
export function readKeyFinishingChange(path: string, fingerprint: string): Buffer {
  const key = readKeyFile(path);
  if (key && fingerprintOf(key) === fingerprint) return key;
  if (isKeyIn(nextKeyFile(path), fingerprint)) moveNextIntoPlace(path, key);
  const now = readKeyFile(path);
  if (now && fingerprintOf(now) === fingerprint) return now;
  const { what, todo } = missing(path, fingerprint);
  throw new StartError(`${what} ${todo}`);
}

export type MissingKey = { what: string; todo: string };

/** Changes nothing, other than a start. */
export function lookForKey(path: string, fingerprint: string): MissingKey | undefined {
  try {
    if ([path, nextKeyFile(path)].some((one) => isKeyIn(one, fingerprint))) return undefined;
    const { what, todo } = missing(path, fingerprint);
    return { what, todo: `Roster does not start like this. ${todo}` };
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    return { what: error.message, todo: `Roster does not start before it can read the key ${fingerprint}.` };
  }
}

function missing(path: string, fingerprint: string): MissingKey {
  const former = formerKeyFile(path, fingerprint);
  const why = isKeyIn(former, fingerprint)
    ? `does not hold it: it is in ${former}`
    : isThere(path)
      ? 'holds another key'
      : 'is not there';
  return {
    what: `Secrets in the database are sealed with the key ${fingerprint}, and ${path} ${why}.`,
    todo: `Put the file with that key there, or set SECRET_KEY_FILE to where it is. If it is lost for good: npm run roster -- give-up-key ${fingerprint}`,
  };
}

export function nextKeyFile(path: string): string {
  return `${path}.next`;
}

/** It is kept, for it opens earlier backups. */
export function formerKeyFile(path: string, fingerprint: string): string {
  return `${path}.${fingerprint}`;
}

export function isKeyIn(path: string, fingerprint: string): boolean {
  const key = readKeyFile(path);
  return key !== undefined && fingerprintOf(key) === fingerprint;
}

/** Several may do so at once. */
export function moveNextIntoPlace(path: string, before: Buffer | undefined): void {
  // First a second file, whose name is never given to another key: at no moment is either of them nowhere.
  if (before) makeFileOnce(formerKeyFile(path, fingerprintOf(before)), (draft) => writeKey(draft, before));
  ignoreErrors(['ENOENT'], () => renameSync(nextKeyFile(path), path));
  syncFolder(path);
}
