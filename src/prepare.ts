/** A database before it is served: brought up to date, with its key, and what is to be said of it. */
import { existsSync } from 'node:fs';
import { hasAdministrator } from './auth/administrators.ts';
import { loadKey } from './auth/secret-key.ts';
import { removeKilledRestores } from './backup/restore-folder.ts';
import { eraseFromCopy, noDatabase } from './cli/named-database.ts';
import type { Config } from './config.ts';
import { nameOf, openDatabase } from './db/database.ts';
import { engineOf } from './db/engine.ts';
import type { Db } from './db/schema.ts';
import { noteLastIds } from './erasure/last-ids.ts';
import { ledgerOf } from './erasure/ledger.ts';
import { StartError } from './errors.ts';
import { findRunningJobs, type Job } from './jobs/queries.ts';
import { number } from './lib/formats.ts';
import { folderWarningOf } from './maintenance/backup-folder.ts';
import { findExposedFiles } from './operations/exposed-files.ts';
import { isLoopback } from './settings.ts';

const MOST_SAID = 10;

const BY_START =
  'Warning: the database lacks the extension pg_trgm, so searches find only what a field starts with. With it, run: npm run roster -- rebuild-search';

const noAdministrator = (database: string) =>
  `There is no administrator in ${database} yet, and whoever reaches Roster could change everything: start it once without HOST, ORIGIN and TRUST_PROXY and make one in a browser on this machine, or make one with: npm run roster -- admin alice --email alice@example.com`;

export const newDatabase = (name: string) => `There was no database, so Roster has made a new one: ${name}`;

type Opened = { db: Db; secretKey: Buffer; databaseId: string; ledger: string };
/** `made`: its name, where it was not there; `isOpen`: it has no administrator yet. */
export type Found = { made: string | undefined; isOpen: boolean };

/** Brings it up to date, and says what is to be said of it. @param undo closes it @throws StartError when it must not be served */
export async function openPrepared(config: Config, undo: AsyncDisposableStack): Promise<Opened & Found> {
  let made: string | undefined;
  let db: Db | undefined;
  undo.defer(async () => {
    await db?.destroy();
    // Where it could not even be opened, its file may be there all the same.
    if (made !== undefined && (db || existsSync(made))) console.warn(newDatabase(made));
  });
  db = await open(config, (name) => {
    // Served to others it has an administrator, so it is there, or not where it should be.
    if (config.requireDatabase || isForOthers(config)) throw new StartError(noDatabase(name));
    made = name;
  });
  const isOpen = !(await hasAdministrator(db));
  if (isOpen && isForOthers(config)) throw new StartError(noAdministrator(nameOf(config.databaseUrl)));
  const { opened, newlySealed } = await withKey(config, db);
  if (newlySealed > 0) console.warn(nowSealed(newlySealed, config.secretKeyFile));
  await prepare(config, opened);
  const removed = removeKilledRestores(config.databaseUrl, config.secretKeyFile);
  if (removed.length > 0) console.warn(leftByRestore(removed));
  return { ...opened, made, isOpen };
}

/** For other processes: it is closed again. @throws StartError when it must not be served */
export async function prepareForOthers(config: Config): Promise<Found> {
  await using undo = new AsyncDisposableStack();
  const { db, made, isOpen } = await openPrepared(config, undo);
  undo.move();
  await db.destroy();
  return { made, isOpen };
}

/** What another process has prepared, and says all there is to say of. @throws StartError */
export async function openAgain(config: Config, undo: AsyncDisposableStack): Promise<Opened> {
  const refuseNew = (name: string) => {
    throw new StartError(noDatabase(name));
  };
  // Newer code would bring it up to date beside those that work with it.
  const db = await open(config, refuseNew, 'stop Roster, and start it again');
  undo.defer(() => db.destroy());
  return (await withKey(config, db)).opened;
}

function open(config: Config, announceNew: (name: string) => void, howToUpdate?: string) {
  const { databaseUrl, databaseConnections, readUrls, readLag } = config;
  const announce = (name: string, isNew: boolean) => isNew && announceNew(name);
  const following = readUrls.length > 0 ? { urls: readUrls, longestLag: readLag } : undefined;
  return openDatabase(databaseUrl, { connections: databaseConnections, following, announce, howToUpdate });
}

async function prepare(config: Config, { db, ledger }: Opened): Promise<void> {
  for (const warning of findExposedFiles(config)) console.warn(warning);
  if ((await engineOf(db).searchIndexOf(db)).prefixOnly) console.warn(BY_START);
  await eraseFromCopy(db, ledger);
  await noteLastIds(db, ledger).catch(({ message }: Error) => console.warn(`Warning: ${message}`));
  const folderWarning = folderWarningOf(config.backupFolder);
  if (folderWarning) console.warn(folderWarning);
  for (const job of await findRunningJobs(db, MOST_SAID)) console.warn(goesOn(job));
}

async function withKey({ databaseUrl, secretKeyFile }: Config, db: Db) {
  const { key, databaseId, newlySealed } = await loadKey(db, secretKeyFile);
  const opened = { db, secretKey: key, databaseId, ledger: ledgerOf(databaseUrl, secretKeyFile) };
  return { opened, newlySealed };
}

function isForOthers({ host, origin, trustProxy }: Config): boolean {
  return !isLoopback(host) || origin !== undefined || trustProxy.length > 0;
}

function nowSealed(count: number, path: string): string {
  const what =
    count === 1 ? 'The secret of 1 second factor is' : `The secrets of ${count} second factors are`;
  return `${what} now sealed with the key in ${path}. Copies of the database from before hold it in clear: remove those, or have the second factors set up anew.`;
}

function leftByRestore(names: readonly string[]): string {
  return `What a restore or a backup that was stopped before its end had left beside the database is removed: ${names.join(', ')}`;
}

function goesOn({ set_id, done, left_out, total }: Job): string {
  return `Under way: ${number.format(done + left_out)} of ${number.format(total)} users are done, and it goes on by itself; how far it is stands at /history/${set_id}`;
}
