/** Files of Roster's that other users of the machine can read: everything that is in the directory, and who is signed in. */
import { mkdtempSync, readdirSync, rmdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Config } from '../config.ts';
import { filePathOf } from '../database-url.ts';
import { whereLies } from '../lib/make-file.ts';

/** Permissions of everyone but the owner. */
const OTHERS = 0o077;

export function findExposedFiles({
  databaseUrl,
  secretKeyFile,
}: Pick<Config, 'databaseUrl' | 'secretKeyFile'>): string[] {
  // Windows has other permissions.
  if (process.platform === 'win32') return [];
  const path = filePathOf(databaseUrl);
  const database = path && whereLies(path);
  const files = database === undefined ? [] : [database, `${database}-wal`, `${database}-shm`];
  const exposed = [...files, ...keysBeside(secretKeyFile)].filter(isExposed);
  const folder = dirname(database ?? secretKeyFile);
  const commands = [
    ...(isExposed(folder) && isOfRosterAlone(folder, [...files, secretKeyFile])
      ? [`chmod 700 ${quotedForShell(folder)}`]
      : []),
    ...(exposed.length > 0 ? [`chmod 600 ${exposed.map(quotedForShell).join(' ')}`] : []),
  ];
  if (commands.length === 0) return [];
  if (!keepsPermissions(folder))
    return [
      `Warning: other users of this machine can read what Roster keeps in ${folder}, whose file system has no permissions. Mount that with umask=077, or keep it elsewhere.`,
    ];
  return [
    `Warning: other users of this machine can read what Roster keeps. Mend it with: ${commands.join(' && ')}`,
  ];
}

function keysBeside(path: string): string[] {
  const names = readdirSync(dirname(path)).filter((name) => name.startsWith(basename(path)));
  return names.sort().map((name) => join(dirname(path), name));
}

/** Whether a folder can be for its owner alone: not on FAT. */
function keepsPermissions(folder: string): boolean {
  try {
    const probe = mkdtempSync(join(folder, 'permissions-'));
    const isKept = !isExposed(probe);
    rmdirSync(probe);
    return isKept;
  } catch {
    // Roster may not write there: whoever put the file there may well mend it.
    return true;
  }
}

function isExposed(path: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat !== undefined && (stat.mode & OTHERS) !== 0;
}

/** A folder that holds other things, too, may be meant to be read. */
function isOfRosterAlone(folder: string, files: readonly string[]): boolean {
  const names = files.map((path) => basename(path));
  return readdirSync(folder).every((name) => names.some((own) => name.startsWith(own)));
}

function quotedForShell(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
