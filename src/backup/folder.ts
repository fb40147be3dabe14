/** Of the backups in a folder only the newest stay. */
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { identityIn } from '../db/backup-file.ts';
import { DAY, SKEW } from '../lib/clock.ts';
import { isThere } from '../lib/make-file.ts';
import { backupOfKey, dateOf, keyBeside } from './file-names.ts';

/** Those alone that are named as Roster names them, whole, and of the same database as `newest`, which stays. @returns the names of those that are gone */
export function removeOlder(newest: string, keep: number, now: number): string[] {
  const folder = dirname(newest);
  const identity = identityIn(newest);
  const others = readdirSync(folder)
    .filter((name) => dateOf(name) !== undefined && name !== basename(newest))
    .filter((name) => identity !== undefined && identityIn(join(folder, name)) === identity)
    .sort((one, other) => age(one, now) - age(other, now));
  const old = others.slice(keep - 1);
  for (const name of old) {
    rmSync(join(folder, name));
    rmSync(keyBeside(join(folder, name)), { force: true });
  }
  return [...old, ...removeLoneKeys(newest, now)];
}

/** Whose backup is gone, or was never finished; only where the same key stays beside the newest: else it may be the last of it. */
function removeLoneKeys(newest: string, now: number): string[] {
  const folder = dirname(newest);
  const key = bytesOf(keyBeside(newest));
  const lone = readdirSync(folder).filter((name) => {
    const backup = backupOfKey(name);
    const date = backup === undefined ? undefined : dateOf(backup);
    return date !== undefined && date < now - DAY && !isThere(join(folder, `${backup}`));
  });
  const same = lone.filter((name) => key && bytesOf(join(folder, name))?.equals(key));
  for (const name of same) rmSync(join(folder, name));
  return same;
}

function bytesOf(path: string): Buffer | undefined {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ? readFileSync(path) : undefined;
}

/** What is dated in the future is of a clock that was ahead once: before all that was made since. */
function age(name: string, now: number): number {
  const date = dateOf(name) ?? 0;
  return date > now + SKEW ? Number.MAX_SAFE_INTEGER - date : now - date;
}
