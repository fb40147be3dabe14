/** Whether there is room: before a backup is begun, and while changes go on that the log of the database keeps for its sake. */
import { realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { StartError } from '../errors.ts';
import type { freeBytes } from '../lib/disk-space.ts';
import { bytesOf } from '../lib/formats.ts';
import { whereLies } from '../lib/make-file.ts';

/** What a disk is to have left in any case: on a full one nothing can be changed. */
const RESERVE = 64 * 1024 * 1024;

export type FreeBytes = typeof freeBytes;

/** @throws StartError */
export function requireRoomForBackup(folder: string, size: number, free: FreeBytes): void {
  const room = free(folder);
  if (room < size + RESERVE)
    throw new StartError(
      `There is room for ${bytesOf(room)} in ${folder}, and a backup needs ${bytesOf(size + RESERVE)}: make room, or give another folder.`,
    );
}

/** A reader of SQLite's keeps its log from beginning anew, so it grows by all that others change. @returns throws StartError where that takes half of the room */
export function watchLog(database: string, free: FreeBytes): () => void {
  const file = realpathSync(database);
  const before = logSize(file);
  return () => {
    const grown = logSize(file) - before;
    if (grown > 0 && free(dirname(file)) < Math.max(grown, RESERVE))
      throw new StartError(
        `So much is changed meanwhile that the log beside ${database} would fill the disk (it has grown by ${bytesOf(grown)}): make room, or make the backup when less is done.`,
      );
  };
}

export function logSize(database: string): number {
  return statSync(`${whereLies(database)}-wal`, { throwIfNoEntry: false })?.size ?? 0;
}
