/** How much fits on a disk, and what of it is left to everybody else. */
import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { NoRoomError } from '../errors.ts';

/** In bytes: so much is left to all others by whatever somebody has written to a disk, such as a file that is brought. */
export const SPARE = 256 * 1024 * 1024;

export const LOOK_AGAIN_AFTER_BYTES = 16 * 1024 * 1024;

export const NO_ROOM = 'There is too little room on Roster’s disk for this file. Tell whoever runs Roster.';

export function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

export function roomBeside(path: string): number {
  return freeBytes(dirname(path));
}

/** @throws NoRoomError where so many bytes more leave too little */
export function refuseWithoutRoom(folder: string, bytes = 0): void {
  if (!hasRoomFor(folder, bytes)) throw new NoRoomError(NO_ROOM);
}

export function hasRoomFor(folder: string, bytes: number, spare = SPARE): boolean {
  return freeBytes(folder) >= bytes + spare;
}

export function isFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT', 'EFBIG'].includes((error as NodeJS.ErrnoException).code ?? '');
}
