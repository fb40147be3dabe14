/** How much fits on a disk. */
import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';

/** In bytes, beside a file that need not be there. */
export function roomBeside(path: string): number {
  const { bavail, bsize } = statfsSync(dirname(path));
  return bavail * bsize;
}
