/** Opens the database that a URL names, checked and migrated. */
import { Kysely } from 'kysely';
import { StartError } from '../errors.ts';
import { engineOf } from './engine.ts';
import { migrate, refuseNewer } from './migrate.ts';
import * as users from './migrations/0001-users.ts';
import { postgresDialect } from './postgres/dialect.ts';
import { openPool } from './postgres/pool.ts';
import type { Db, Schema } from './schema.ts';
import { sqliteDialect } from './sqlite/dialect.ts';
import { prepareSqliteFile } from './sqlite/file.ts';

const MIGRATIONS = [users];

/**
 * @param url `sqlite:` and a path, relative to the working folder, or `postgres://…`.
 * @param requests given where requests are answered: none then waits long, and so many connections are shared.
 * @throws StartError when the database cannot be used; it is left as it was.
 */
export async function openDatabase(url: string, requests?: { connections: number }): Promise<Db> {
  return url.startsWith('sqlite:') ? openSqlite(url.slice('sqlite:'.length)) : openPostgres(url, requests);
}

async function openSqlite(path: string): Promise<Db> {
  prepareSqliteFile(path, MIGRATIONS.length);
  return prepared(path, () => new Kysely<Schema>({ dialect: sqliteDialect(path) }));
}

async function openPostgres(url: string, requests: { connections: number } | undefined): Promise<Db> {
  const open = (limits?: typeof requests) =>
    new Kysely<Schema>({ dialect: postgresDialect(openPool(url, limits)) });
  const { host, pathname } = new URL(url);
  const db = await prepared(`postgres://${host}${pathname}`, open);
  if (requests === undefined) return db;
  await db.destroy();
  return open(requests);
}

/** @param name what to call the database in a sentence. */
async function prepared(name: string, open: () => Db): Promise<Db> {
  let db: Db | undefined;
  try {
    db = open();
    const engine = engineOf(db);
    await engine.check(db);
    refuseNewer(name, await engine.readVersion(db), MIGRATIONS.length);
    await migrate(db, MIGRATIONS);
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
