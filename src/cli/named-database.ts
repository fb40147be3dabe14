/** Which database a command works on: said before it is changed, and none is made in passing. */
import { mkdirSync, readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { ledgersBeside } from '../backup/file-names.ts';
import { readConfig } from '../config.ts';
import { DEFAULT_DATABASE_URL, filePathOf } from '../database-url.ts';
import { nameOf, openDatabase, openToRead } from '../db/database.ts';
import type { Db } from '../db/schema.ts';
import { reserveIds } from '../erasure/id-reservations.ts';
import { raiseLastIdsToLedger } from '../erasure/last-ids.ts';
import { ledgerOf } from '../erasure/ledger.ts';
import { eraseAgain, eraseKnown, findMissing, isAnyMissing } from '../erasure/ledger-replay.ts';
import { StartError } from '../errors.ts';
import { isThere } from '../lib/make-file.ts';

const BY_ADMIN = 'npm run roster -- admin alice --email alice@example.com --new-database';

/** Without `erases` whoever was erased since it was copied is left to whoever opens it next. @throws StartError where there is none yet */
export async function openNamed(
  env: NodeJS.ProcessEnv,
  { mayMake = false, byCommand = BY_ADMIN, erases = true } = {},
): Promise<Db> {
  const { databaseUrl, ledger } = namedIn(env);
  const db = await openDatabase(databaseUrl, {
    announce: (name, isNew) => {
      if (isNew && !mayMake) throw new StartError(noDatabase(name, byCommand));
      sayWhich('Database', name, isNew);
    },
  });
  try {
    if (isThere(ledger)) await (erases ? eraseFromCopy : raiseLastIdsToLedger)(db, ledger);
    if (erases) await eraseKnown(db, besideBackup(databaseUrl));
    makeFolderOf(ledger);
    reserveIds(db, ledger, ({ message }) => console.warn(`Warning: ${message}`));
    return db;
  } catch (error) {
    await db.destroy();
    throw error;
  }
}

/** As the first start does, which may come after this. Where that fails, noting numbers there says why. */
function makeFolderOf(ledger: string): void {
  try {
    mkdirSync(dirname(ledger), { recursive: true, mode: 0o700 });
  } catch {}
}

/** Before anything is done with it, or served of it: it may be a copy of before that was put back. @throws StartError */
export async function eraseFromCopy(db: Db, ledger: string): Promise<void> {
  const erased = await eraseAgain(db, ledger);
  if (erased === 0) return;
  const who = erased === 1 ? '1 user who was erased since is' : `${erased} users who were erased since are`;
  console.warn(`This database is from before: ${who} erased from it again.`);
}

/** The same where nothing is changed. @throws StartError */
export async function refuseErased(db: Db, databaseUrl: string, ledger: string): Promise<void> {
  const { users } = await findMissing(db, ledger);
  if (users.length > 0 || (await isAnyMissing(db, besideBackup(databaseUrl))))
    throw new StartError(
      `${nameOf(databaseUrl)} holds people who were erased since: start Roster with it once.`,
    );
}

/** What lies beside a backup, which somebody may work with where it is. */
function besideBackup(databaseUrl: string): string[] {
  const path = filePathOf(databaseUrl);
  return path !== undefined && isThere(path) ? ledgersBeside(path) : [];
}

/** One of another version is not brought up to date in passing. @throws StartError */
export async function openUpToDate(url: string): Promise<Db> {
  // Closed before it is opened again: with a descriptor, the locks of the whole process on the file would be gone.
  await (await openToRead(url)).destroy();
  return openDatabase(url, { announce: (name) => sayWhich('Database', name) });
}

/** `ledger`: the path of the file in which it is noted who was erased from it. */
export function namedIn({ DATABASE_URL, SECRET_KEY_FILE }: NodeJS.ProcessEnv) {
  const { databaseUrl, secretKeyFile } = readConfig({ DATABASE_URL, SECRET_KEY_FILE });
  return { databaseUrl, secretKeyFile, ledger: ledgerOf(databaseUrl, secretKeyFile) };
}

export function sayWhich(what: string, name: string, isNew = false): void {
  console.log(`${what}: ${name}${isNew ? ', which is new' : ''}`);
}

/** Whether the project's own database is meant and nothing was ever kept where it would be, not even a key. */
export function isFirstUse({ DATABASE_URL, REQUIRE_DATABASE }: NodeJS.ProcessEnv): boolean {
  const { databaseUrl, requireDatabase } = readConfig({ DATABASE_URL, REQUIRE_DATABASE });
  const folder = dirname(filePathOf(DEFAULT_DATABASE_URL) ?? '');
  const isUntouched = !isThere(folder) || readdirSync(folder).length === 0;
  return !requireDatabase && databaseUrl === DEFAULT_DATABASE_URL && isUntouched;
}

export function noDatabase(name: string, byCommand = BY_ADMIN): string {
  return `There is no database of Roster's at ${name}. Give DATABASE_URL the one that is meant, and see that its disk is there; to make a new one: ${byCommand}`;
}
