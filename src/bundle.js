/** Roster and its packages as a few files, made by `npm ci`: to find and to link a thousand takes half of a start. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import module from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { FOLDER, isFolderOwn } from './compile-cache.js';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** Its own for each project: several may share their packages. */
export const BUNDLES = join(FOLDER, createHash('sha256').update(ROOT).digest('hex'));
export const RECORD = join(BUNDLES, 'record.json');

/** @returns the address of what to load, as long as each file that it was made of is as it was then */
export function findBundle() {
  // What somebody else may have put there is not even read.
  if (!isFolderOwn()) return undefined;
  try {
    /** @type {{ entry: string, stamps: Record<string, string> }} */
    const { entry, stamps } = JSON.parse(readFileSync(RECORD, 'utf8'));
    const isCurrent = Object.entries(stamps).every(([path, stamp]) => stampOf(path) === stamp);
    return isCurrent ? pathToFileURL(entry).href : undefined;
  } catch {
    // None was made, or something of it is gone: what it was made of does as well.
    return undefined;
  }
}

/** Whether one was made that may be used, and something of it, or of what it was made of, is other than it was. */
export function isOutdated() {
  return isFolderOwn() && existsSync(RECORD) && findBundle() === undefined;
}

/** What is logged of an error names the files that the bundle was made of. */
export function nameSources() {
  module.setSourceMapsSupport(true, { nodeModules: true });
}

/** @param {string} path */
export function stampOf(path) {
  const { size, mtimeMs, ctimeMs } = statSync(path);
  return `${size} ${mtimeMs} ${ctimeMs}`;
}
