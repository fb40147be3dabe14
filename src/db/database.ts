/** Opens the database that a URL names, checked and migrated. */
import { Kysely } from 'kysely';
import { filePathOf } from '../database-url.ts';
import { StartError } from '../errors.ts';
import type { Stopwatch } from '../lib/clock.ts';
import { bytesOf } from '../lib/formats.ts';
import { isThere } from '../lib/make-file.ts';
import { engineOf } from './engine.ts';
import { migrate, refuseNewer } from './migrate.ts';
import { MIGRATIONS } from './migration-list.ts';
import type { ReplicaOptions } from './postgres/replica-set.ts';
import type { Db, Schema } from './schema.ts';
import { type Kept, keepBeforeMigration } from './sqlite/before-migration.ts';
import { checkSqliteFile, prepareSqliteFile, versionOfFile } from './sqlite/file.ts';
import { expectRequests, openSqlite } from './sqlite/open.ts';
import { refuseLogWithoutFile, refuseUnmatchedFiles } from './sqlite/unmatched-files.ts';

// With `connections` requests are answered, of which none waits long; with `following` pages are read on replicas. `announce` is called
// before anything is changed, and ends it by throwing. Nothing is kept of a copy; with `howToUpdate` nothing is brought up to date.
export type Opening = {
  connections?: number;
  following?: ReplicaOptions | undefined;
  announce?: (name: string, isNew: boolean) => void;
  isCopy?: boolean;
  howToUpdate?: string | undefined;
  stopwatch?: Stopwatch | undefined;
};

/** Makes it where there is none. @throws StartError when it cannot be used; it is left as it was. */
export async function openDatabase(
  url: string,
  { connections, following, announce = () => {}, isCopy = false, howToUpdate, stopwatch }: Opening = {},
): Promise<Db> {
  const name = nameOf(url);
  const path = filePathOf(url);
  const isFound = path === undefined || isFile(path);
  if (!isFound) announce(name, true);
  let kept: Kept | undefined;
  const bringUpToDate = async (db: Db) => {
    if (isFound) announce(name, (await engineOf(db).readVersion(db)) === 0);
    await engineOf(db).prepare(db);
    const version = await engineOf(db).readVersion(db);
    refuseNewer(name, version, MIGRATIONS.length);
    if (version === MIGRATIONS.length) return;
    if (howToUpdate) throw tooOld(name, howToUpdate);
    if (version > 0 && isFound && !isCopy && !kept) console.log(broughtWithoutCopy(name, version, path));
    await migrate(db, MIGRATIONS);
    await engineOf(db).finishMigrations(db);
  };
  if (path !== undefined) {
    refuseLogWithoutFile(path);
    prepareSqliteFile(path, MIGRATIONS.length);
    refuseUnmatchedFiles(path, stopwatch);
    const isKept = isFound && !isCopy && !howToUpdate;
    const open = async () => {
      kept = isKept ? await keepBeforeMigration(path, MIGRATIONS.length) : undefined;
      if (kept) console.log(keptBeforeMigration(name, kept));
      return openSqlite(path, { stopwatch });
    };
    const db = await opened(name, open, bringUpToDate);
    if (connections !== undefined) expectRequests(db);
    return db;
  }
  const db = await opened(name, () => openPostgres(url), bringUpToDate);
  if (connections === undefined) return db;
  await db.destroy();
  return openPostgres(url, { connections, following });
}

/** One that this process has open already, for another of its threads. */
export async function openForThread(url: string, stopwatch?: Stopwatch): Promise<Db> {
  const path = filePathOf(url);
  return path === undefined
    ? openPostgres(url, { connections: 3 })
    : openSqlite(path, { isBeside: true, stopwatch });
}

/** Changes nothing. @throws StartError also when it has to be brought up to date first, with how */
export async function openToRead(url: string, stopwatch?: Stopwatch): Promise<Db> {
  const name = nameOf(url);
  const checkVersion = async (db: Db) => {
    const version = await engineOf(db).readVersion(db);
    refuseNewer(name, version, MIGRATIONS.length);
    if (version === 0) throw new StartError(`${name} is no database of Roster's.`);
    if (version < MIGRATIONS.length) throw tooOld(name, 'start Roster with it once');
  };
  const path = filePathOf(url);
  if (path === undefined) return opened(name, () => openPostgres(url), checkVersion);
  checkSqliteFile(path, MIGRATIONS.length);
  refuseUnmatchedFiles(path, stopwatch);
  return opened(name, () => openSqlite(path, { isReadOnly: true, stopwatch }), checkVersion);
}

function tooOld(name: string, how: string): StartError {
  return new StartError(`${name} has to be brought up to date: ${how}.`);
}

/** Of whatever version it is, to see what is in it; changes nothing. @throws StartError where file and log are not of one making */
export async function openAsItIs(url: string): Promise<Db> {
  const path = filePathOf(url);
  if (path !== undefined) refuseUnmatchedFiles(path);
  return path === undefined ? openPostgres(url) : openSqlite(path, { isReadOnly: true });
}

/** @returns its version. @throws StartError where the file is none of Roster's, or of a newer one. */
export function checkBackup(path: string): number {
  const version = versionOfFile(path);
  if (version === undefined) throw new StartError(`${path} is no backup of Roster's.`);
  refuseNewer(path, version, MIGRATIONS.length);
  return version;
}

function keptBeforeMigration(name: string, { path, size, version, earlier }: Kept): string {
  const others =
    earlier.length > 0
      ? ` Kept earlier, and to be removed where nobody goes back that far: ${earlier.join(', ')}.`
      : '';
  return `${broughtFrom(name, version)} As it was, it is kept in ${path} (${bytesOf(size)}). To go back: stop Roster, move ${name} and what lies beside it with -wal and -shm away, give that file its name, and start the Roster of before; changes since then are lost. Remove it once all is well: it holds also whoever is erased later.${others}`;
}

/** Where no copy is made now: of PostgreSQL, of what nobody has used, and where one is there, or an empty file in its place. */
function broughtWithoutCopy(name: string, version: number, path: string | undefined): string {
  const what = broughtFrom(name, version);
  return path === undefined
    ? `${what} An older Roster refuses it then: what brings it back is a backup of before, as by pg_dump.`
    : what;
}

function broughtFrom(name: string, version: number): string {
  return `${name} is brought from version ${version} to ${MIGRATIONS.length}.`;
}

/** @throws StartError where it cannot be seen whether there is one: a file that is hidden is not a new one. */
function isFile(path: string): boolean {
  try {
    return isThere(path);
  } catch (error) {
    throw new StartError(`${path} cannot be looked for: ${(error as Error).message}.`);
  }
}

/** Without user and password. */
export function nameOf(url: string): string {
  const path = filePathOf(url);
  if (path !== undefined) return path;
  const { host, pathname } = new URL(url);
  return `postgres://${host}${pathname}`;
}

async function openPostgres(
  url: string,
  requests?: { connections: number; following?: ReplicaOptions | undefined },
): Promise<Db> {
  // Loaded where it is wanted alone: it would be a part of every start.
  const { postgresDialect } = await import('./postgres/dialect.ts');
  const { openPool } = await import('./postgres/pool.ts');
  const pool = openPool(url, requests);
  if (!requests?.following) return new Kysely<Schema>({ dialect: postgresDialect(pool) });
  const { openReplicas } = await import('./postgres/replica-set.ts');
  const replicas = await openReplicas(url, pool, requests.connections, requests.following);
  return new Kysely<Schema>({ dialect: postgresDialect(pool, replicas) });
}

async function opened(
  name: string,
  open: () => Db | Promise<Db>,
  prepare: (db: Db) => Promise<void>,
): Promise<Db> {
  let db: Db | undefined;
  try {
    db = await open();
    await prepare(db);
    return db;
  } catch (error) {
    await db?.destroy();
    if (error instanceof StartError) throw error;
    throw new StartError(`${name} cannot be opened: ${innermostReason(error)}.`, { cause: error });
  }
}

function innermostReason(error: unknown): string {
  const { cause, message, code } = error as Error & { code?: string };
  return cause instanceof Error ? innermostReason(cause) : message || String(code);
}
