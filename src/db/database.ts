/** Opens the database that a URL names, checked and migrated. */
import { Kysely, sql } from 'kysely';
import { StartError } from '../errors.ts';
import { migrate, type VersionStore } from './migrate.ts';
import * as users from './migrations/0001-users.ts';
import type { Db, Schema } from './schema.ts';
import { sqliteDialect } from './sqlite/dialect.ts';
import { prepareSqliteFile, refuseNewer } from './sqlite/file.ts';

const MIGRATIONS = [users];

/** SQLite keeps the number in the file's header (https://sqlite.org/pragma.html#pragma_user_version). */
export const sqliteVersion: VersionStore = {
  async read(db) {
    const { rows } = await sql<{ user_version: number }>`pragma user_version`.execute(db);
    return rows[0]?.user_version ?? 0;
  },
  async write(trx, version) {
    await sql`pragma user_version = ${sql.lit(version)}`.execute(trx);
  },
};

/**
 * @param url `sqlite:` and a path, relative to the working folder.
 * @throws StartError when the file cannot be used; it is left as it was.
 */
export async function openDatabase(url: string): Promise<Db> {
  const path = url.slice('sqlite:'.length);
  prepareSqliteFile(path, MIGRATIONS.length);
  let db: Db | undefined;
  try {
    db = new Kysely<Schema>({ dialect: sqliteDialect(path) });
    // Asked again: the newest version may still be in the write-ahead log beside the file.
    refuseNewer(path, await sqliteVersion.read(db), MIGRATIONS.length);
    await migrate(db, MIGRATIONS, sqliteVersion);
    return db;
  } catch (error) {
    await db?.destroy();
    if (error instanceof StartError) throw error;
    throw new StartError(`${path} cannot be opened: ${(error as Error).message}.`, { cause: error });
  }
}
