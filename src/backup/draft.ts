/** A backup as it is going to be: a copy of it, brought up to date and looked through. What it was made from stays as it is. */
import { chmodSync, constants, copyFileSync, existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Finding, findFaults } from '../check/run.ts';
import { checkBackup, openDatabase } from '../db/database.ts';
import { engineOf } from '../db/engine.ts';
import type { Db } from '../db/schema.ts';
import { StartError } from '../errors.ts';
import { bytesOf } from '../lib/formats.ts';
import { roomBeside } from '../lib/room.ts';

const LOG = '-wal';
/** For what bringing it up to date takes. */
const RESERVE = 32 * 1024 * 1024;

export type Draft = { path: string; db: Db; version: number; faults: Finding[] };

type How = { folder: string; say: (what: string) => void };

/** @param folder for it alone. @throws StartError where it is none of Roster's, of a newer one, or damaged */
export async function openDraft(file: string, { folder, say }: How): Promise<Draft> {
  const version = checkBackup(file);
  const path = join(folder, 'restored.db');
  say('copying it');
  copy(file, path);
  say('bringing it up to date');
  const db = await openDatabase(`sqlite:${path}`, { isCopy: true }).catch((error: Error) => {
    throw new StartError(damaged(file, error.message.replaceAll(path, file)), { cause: error });
  });
  try {
    say('looking for damage');
    return { path, db, version, faults: await lookThrough(db, file) };
  } catch (error) {
    await db.destroy();
    throw error;
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
async function lookThrough(db: Db, file: string): Promise<Finding[]> {
  for await (const { what, isOfSearch } of engineOf(db).findDamage(db, false))
    if (!isOfSearch) throw new StartError(damaged(file, what));
  const faults: Finding[] = [];
  for await (const fault of findFaults(db, { quick: true })) faults.push(fault);
  return faults;
}

function damaged(file: string, why: string): string {
  return `${file} cannot be restored: ${why} Take another backup. Nothing was changed.`;
}
