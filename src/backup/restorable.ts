/** A backup as it is going to be: a copy of it, brought up to date and looked through. What it was made from stays as it is. */
import { chmodSync, constants, copyFileSync, existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Finding } from '../check/finding.ts';
import { findMendable } from '../check/run.ts';
import { refuseTriggersAndViews } from '../check/schema.ts';
import { checkBackup, openAsItIs, openDatabase } from '../db/database.ts';
import { engineOf } from '../db/engine.ts';
import { asStartError } from '../db/failure.ts';
import type { Db } from '../db/schema.ts';
import { StartError } from '../errors.ts';
import { roomBeside } from '../lib/disk-space.ts';
import { bytesOf } from '../lib/formats.ts';
import { countByActive } from './queries.ts';

const LOG = '-wal';
/** For what bringing it up to date takes. */
const RESERVE = 32 * 1024 * 1024;

/** With so many users all that `check` looks at would take long. */
const MANY_USERS = 200_000;

export type Restorable = {
  path: string;
  db: Db;
  version: number;
  faults: Finding[];
  /** Whether only what takes no time was looked at. */
  isLarge: boolean;
};

type OpenOptions = { folder: string; say: (what: string) => void };

/** @param folder for it alone. @throws StartError where it is none of Roster's, of a newer one, or damaged */
export async function openRestorable(file: string, { folder, say }: OpenOptions): Promise<Restorable> {
  checkBackup(file);
  const path = join(folder, 'restored.db');
  say('copying it');
  copy(file, path);
  let db: Db | undefined;
  try {
    const version = await readVersion(path);
    if (version === 0) throw new StartError(`${file} holds nothing: it is no backup of Roster's.`);
    refuseTriggersAndViews(path);
    say('bringing it up to date');
    db = await openDatabase(`sqlite:${path}`, { isCopy: true });
    say('looking for damage');
    return { path, db, version, ...(await lookThrough(db)) };
  } catch (error) {
    await db?.destroy();
    throw explained(error, file, path);
  }
}

/** Log and all, which the file by itself may be older than. */
async function readVersion(path: string): Promise<number> {
  const db = await openAsItIs(`sqlite:${path}`);
  try {
    return await engineOf(db).readVersion(db);
  } finally {
    await db.destroy();
  }
}

/** With the log that is beside it, as where it is a copy that was made by hand. */
function copy(file: string, to: string): void {
  const parts = ['', LOG].filter((ending) => existsSync(file + ending));
  const size = parts.reduce((sum, ending) => sum + statSync(file + ending).size, RESERVE);
  const room = roomBeside(to);
  if (room < size)
    throw new StartError(
      `There is room for ${bytesOf(room)} where the database is to be, and restoring ${file} needs ${bytesOf(size)}: make room. Nothing was changed.`,
    );
  for (const ending of parts) {
    copyFileSync(file + ending, to + ending, constants.COPYFILE_FICLONE);
    chmodSync(to + ending, 0o600);
  }
}

/** @returns what is wrong and can be mended. @throws StartError for what cannot */
async function lookThrough(db: Db): Promise<Pick<Restorable, 'faults' | 'isLarge'>> {
  const faults: Finding[] = [];
  // What cannot be counted is damaged, which is found.
  const { active, inactive } = await countByActive(db).catch(() => ({ active: 0, inactive: 0 }));
  const isLarge = active + inactive > MANY_USERS;
  const looking = { isShort: isLarge, refuse: (what: string) => new StartError(what) };
  for await (const fault of findMendable(db, looking)) faults.push(fault);
  return { faults, isLarge };
}

function explained(error: unknown, file: string, path: string): unknown {
  const told = asStartError(error, 'It is damaged', '');
  if (!(told instanceof StartError)) return error;
  const why = told.message.trim().replaceAll(path, file);
  // Of two moments, as where somebody writes meanwhile; without the log, changes would be missing.
  const cure = existsSync(file + LOG)
    ? `Beside it is ${file}${LOG}, so somebody may be working with it, and that log belongs to it: leave both as they are, and have Roster make a backup of it: npm run roster -- backup.`
    : 'Take another backup.';
  // What it says to do is for a database.
  const reason = why.includes('not of one making') ? '' : ` ${why}`;
  return new StartError(`${file} cannot be restored:${reason} ${cure} Nothing was changed.`, {
    cause: error,
  });
}
