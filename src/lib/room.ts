/** How much fits on a disk. */
import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';

/** In bytes, of the disk that a folder is on. */
export function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

/** Beside a file that need not be there. */
export function roomBeside(path: string): number {
  return freeBytes(dirname(path));
}
