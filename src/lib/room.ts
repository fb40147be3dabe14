/** How much fits on a disk. */
import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';

/** In bytes: so much is left to all others by whatever somebody has written to a disk, such as a file that is brought. */
export const SPARE = 256 * 1024 * 1024;

/** In bytes, of the disk that a folder is on. */
export function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

/** Beside a file that need not be there. */
export function roomBeside(path: string): number {
  return freeBytes(dirname(path));
}
