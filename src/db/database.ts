/** Opens the database that a URL names, checked and migrated. */
import { Kysely } from 'kysely';
import { StartError } from '../errors.ts';
import { engineOf } from './engine.ts';
import { migrate, refuseNewer } from './migrate.ts';
import * as users from './migrations/0001-users.ts';
import * as search from './migrations/0002-search.ts';
import * as access from './migrations/0003-access.ts';
import * as door from './migrations/0004-door.ts';
import type { Db, Schema } from './schema.ts';
import { sqliteDialect } from './sqlite/dialect.ts';
import { checkSqliteFile, prepareSqliteFile } from './sqlite/file.ts';
import { refuseForeignParts, refuseLogWithoutFile } from './sqlite/left-over.ts';

/** In their order; the first has number 1. */
export const MIGRATIONS = [users, search, access, door];

/**
 * @param url `sqlite:` and a path, relative to the working folder, or `postgres://…`.
 * @param requests given where requests are answered: none then waits long, and so many connections are shared.
 * @throws StartError when the database cannot be used; it is left as it was.
 */
export async function openDatabase(url: string, requests?: { connections: number }): Promise<Db> {
  const name = nameOf(url);
  const bringUpToDate = async (db: Db) => {
    await engineOf(db).prepare(db);
    refuseNewer(name, await engineOf(db).readVersion(db), MIGRATIONS.length);
    await migrate(db, MIGRATIONS);
  };
  if (isSqlite(url)) {
    refuseLogWithoutFile(name);
    prepareSqliteFile(name, MIGRATIONS.length);
    refuseForeignParts(name);
    return opened(name, () => openSqlite(name), bringUpToDate);
  }
  const db = await opened(name, () => openPostgres(url), bringUpToDate);
  if (requests === undefined) return db;
  await db.destroy();
  return openPostgres(url, requests);
}

/**
 * Opens a database that is there, to read it as it is: nothing of it is changed.
 * @throws StartError also when it has to be brought up to date first.
 */
export async function openToRead(url: string): Promise<Db> {
  const name = nameOf(url);
  const checkVersion = async (db: Db) => {
    const version = await engineOf(db).readVersion(db);
    refuseNewer(name, version, MIGRATIONS.length);
    if (version === 0) throw new StartError(`${name} is no database of Roster's.`);
    if (version < MIGRATIONS.length)
      throw new StartError(`${name} has to be brought up to date: start Roster with it once.`);
  };
  if (!isSqlite(url)) return opened(name, () => openPostgres(url), checkVersion);
  checkSqliteFile(name, MIGRATIONS.length);
  refuseForeignParts(name);
  return opened(name, () => openSqlite(name, { isReadOnly: true }), checkVersion);
}

function isSqlite(url: string): boolean {
  return url.startsWith('sqlite:');
}

/** The path of a file, or the address of a server without user and password. */
function nameOf(url: string): string {
  if (isSqlite(url)) return url.slice('sqlite:'.length);
  const { host, pathname } = new URL(url);
  return `postgres://${host}${pathname}`;
}

function openSqlite(path: string, options?: { isReadOnly: boolean }): Db {
  return new Kysely<Schema>({ dialect: sqliteDialect(path, options) });
}

async function openPostgres(url: string, requests?: { connections: number }): Promise<Db> {
  // Loaded where it is wanted alone: it would be a part of every start.
  const { postgresDialect } = await import('./postgres/dialect.ts');
  const { openPool } = await import('./postgres/pool.ts');
  return new Kysely<Schema>({ dialect: postgresDialect(openPool(url, requests)) });
}

/** @param name what to call the database in a sentence. */
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
    throw new StartError(`${name} cannot be opened: ${reasonOf(error)}.`, { cause: error });
  }
}

/** What went wrong in the end: the innermost error says most. */
function reasonOf(error: unknown): string {
  const { cause, message, code } = error as Error & { code?: string };
  return cause instanceof Error ? reasonOf(cause) : message || String(code);
}
