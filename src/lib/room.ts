/** How much fits on a disk. */
import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { number } from './formats.ts';

/** In bytes, beside a file that need not be there. */
export function roomBeside(path: string): number {
  const { bavail, bsize } = statfsSync(dirname(path));
  return bavail * bsize;
}

/** "12.5 MB" */
export function megabytes(bytes: number): string {
  return `${number.format(Math.ceil(bytes / 100_000) / 10)} MB`;
}
