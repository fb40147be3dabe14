/** What lies in the place of a database before it is opened, and is not what Roster left there: see `generation.ts`. */
import { closeSync, existsSync, openSync, realpathSync, statSync } from 'node:fs';
import { StartError } from '../../errors.ts';
import type { Stopwatch } from '../../lib/clock.ts';
import { generationOf, isOneHistory } from './generation.ts';
import { readHeader } from './header.ts';
import { readLog, readSalts } from './log-file.ts';
import { findMissingPage } from './missing-pages.ts';

/** @throws StartError where a log is there and no file, which SQLite would make of it. */
export function refuseLogWithoutFile(path: string): void {
  // In this order: of two who start, the other one makes the file before the log.
  if (sizeOf(`${path}-wal`) > 0 && !existsSync(path))
    throw new StartError(
      `There is no file ${path}, but ${path}-wal is there: put the file back that belongs to it, or move ${path}-wal and ${path}-shm away.`,
    );
}

/** @throws StartError where file and log are surely not of one making, or a quick look shows that a part is missing. */
export function refuseUnmatchedFiles(path: string, stopwatch?: Stopwatch): void {
  // SQLite keeps its files where a symbolic link leads to.
  const real = realpathSync(path);
  const log = `${real}-wal`;
  const descriptor = openSync(real, 'r');
  try {
    if (isUnmatched(descriptor, log))
      throw new StartError(
        `${path} and ${log} are not of one making: if ${path} is a copy that was put back, move ${log} and ${real}-shm away; if not, put the file back that belongs to ${log}. Nothing was changed.`,
      );
    // With a log nobody knows which pages are to be there.
    const missing = sizeOf(log) > 0 ? undefined : findMissingPage(descriptor, stopwatch);
    // While another process writes, it may have looked like one.
    if (missing !== undefined && sizeOf(log) === 0 && findMissingPage(descriptor, stopwatch) !== undefined)
      throw new StartError(`${path} ${missing}: put a whole copy of it back. Nothing was changed.`);
  } finally {
    closeSync(descriptor);
  }
}

function isUnmatched(descriptor: number, path: string): boolean {
  const salts = readSalts(path);
  const header = readHeader(descriptor);
  const log = salts === undefined ? undefined : readLog(path);
  if (!header || log?.first === undefined || log.last === undefined || log.isWhole) return false;
  // Where another process has begun a new log meanwhile, file and log are of two moments.
  return readSalts(path) === salts && !isOneHistory(generationOf(header.version), log.first, log.last);
}

function sizeOf(path: string): number {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats?.isFile() ? stats.size : 0;
}
