/** Where a backup, or an export, lies until it is whole: a folder beside it, by whose name it is seen later whether anybody is still at it. */
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { hashOf } from '../auth/tokens.ts';
import { DAY } from '../lib/clock.ts';
import { ignoreErrors, isThere } from '../lib/make-file.ts';
import { dateOf, keyBeside } from './file-names.ts';

const DRAFT = /^(.+)\.new-([\w-]{8})-(\d+)$/;

/** Another user's are in nobody's way. */
const REFUSED = ['EACCES', 'EPERM'];

const machine = () => hashOf(hostname()).slice(0, 8);

export function makeDraftFolder(file: string): string {
  const path = `${file}.new-${machine()}-${process.pid}`;
  // Node's way of removing says of a name that no disk takes neither that, nor what it is called.
  if (isThere(path)) rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { mode: 0o700 });
  return path;
}

/** What was left by whoever was killed while making this file, or a backup in the same folder. @returns the names of what is gone */
export function removeLeftOvers(file: string): string[] {
  const folder = dirname(file);
  const removed: string[] = [];
  for (const name of ignoreErrors(REFUSED, () => readdirSync(folder)) ?? []) {
    const [, of = '', host, pid] = DRAFT.exec(name) ?? [];
    const isOurs = of === basename(file) || dateOf(of) !== undefined;
    if (!isOurs || !isAbandoned(join(folder, name), host === machine() ? Number(pid) : undefined)) continue;
    ignoreErrors(REFUSED, () => {
      if (dateOf(of) !== undefined) removeLoneKey(join(folder, of));
      rmSync(join(folder, name), { recursive: true, force: true });
      removed.push(name);
    });
  }
  return removed;
}

/** Which has its place before its backup: of a name that neither had, it is of whoever was killed between the two. */
function removeLoneKey(backup: string): void {
  if (!isThere(backup)) rmSync(keyBeside(backup), { force: true });
}

/** @param pid undefined for another machine's. Where it is, another process may have the number by now. */
function isAbandoned(path: string, pid: number | undefined): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats?.isDirectory()) return false;
  return (pid !== undefined && !isRunning(pid)) || stats.mtimeMs < Date.now() - DAY;
}

/** This process has just begun: what bears its number is an earlier one's. */
function isRunning(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
