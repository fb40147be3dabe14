/** Where compiled code is kept for the next start: it runs as Roster, so nobody else may have put it there. */
import { lstatSync, mkdirSync } from 'node:fs';
import module from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

// Whoever may write to node_modules itself writes the code that runs anyway.
export const FOLDER = fileURLToPath(new URL('../node_modules/.cache/roster', import.meta.url));

/** @returns the folder, where it is used */
export function keepCompiledCode() {
  // NODE_COMPILE_CACHE has named one.
  if (module.getCompileCacheDir() !== undefined || !isFolderOwn()) return undefined;
  module.enableCompileCache(FOLDER);
  // NODE_DISABLE_COMPILE_CACHE has none used.
  return module.getCompileCacheDir() === undefined ? undefined : FOLDER;
}

/** Makes it where it is not there. */
export function isFolderOwn() {
  try {
    mkdirSync(FOLDER, { recursive: true, mode: 0o700 });
    return isOwn(dirname(FOLDER)) && isOwn(FOLDER);
  } catch {
    // What cannot be made or looked at is not one's own.
    return false;
  }
}

/** @param {string} folder */
function isOwn(folder) {
  const found = lstatSync(folder);
  // Windows has no such owners and modes: there a folder takes after the project's.
  const isMine =
    process.getuid === undefined || (found.uid === process.getuid() && (found.mode & 0o022) === 0);
  return found.isDirectory() && isMine;
}
