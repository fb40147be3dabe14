/** Databases as earlier Rosters have left them. */
import { Kysely, sql } from 'kysely';
import { MIGRATIONS } from '../../src/db/database.ts';
import { engineOf } from '../../src/db/engine.ts';
import { migrate } from '../../src/db/migrate.ts';
import { postgresDialect } from '../../src/db/postgres/dialect.ts';
import { openPool } from '../../src/db/postgres/pool.ts';
import type { Db, Schema, Trx, User } from '../../src/db/schema.ts';
import { sqliteDialect } from '../../src/db/sqlite/dialect.ts';
import { prepareSqliteFile } from '../../src/db/sqlite/file.ts';
import { transact } from '../../src/db/transact.ts';

/** Rows in one statement. */
const ROWS = 500;

/** Makes a database of a version, with users who came when it was of version 1. */
export async function makeVersion(version: number, url: string, users: readonly User[]): Promise<void> {
  const db = openBare(url);
  await engineOf(db).prepare(db);
  await migrate(db, MIGRATIONS.slice(0, 1));
  await transact(db, (trx) => insertFirstUsers(trx, users));
  await migrate(db, MIGRATIONS.slice(0, version));
  await db.destroy();
}

/** Opens a database, an empty one where there is none, and leaves it at the version it has. */
function openBare(url: string): Db {
  if (!url.startsWith('sqlite:')) return new Kysely<Schema>({ dialect: postgresDialect(openPool(url)) });
  const path = url.slice('sqlite:'.length);
  prepareSqliteFile(path, MIGRATIONS.length);
  return new Kysely<Schema>({ dialect: sqliteDialect(path) });
}

/** With the columns, and in the counts, of version 1. */
async function insertFirstUsers(trx: Trx, users: readonly User[]): Promise<void> {
  for (let from = 0; from < users.length; from += ROWS) {
    const rows = users.slice(from, from + ROWS).map(
      (user) => sql`(${user.id}, ${user.username}, ${user.username_key}, ${user.email}, ${user.email_key},
          ${user.full_name}, ${user.is_active}, ${user.created_at}, ${user.updated_at}, ${user.version})`,
    );
    await sql`
      insert into users (id, username, username_key, email, email_key, full_name, is_active, created_at, updated_at,
        version)
      values ${sql.join(rows)}`.execute(trx);
  }
  for (const isActive of [false, true]) {
    const count = users.filter(({ is_active }) => is_active === isActive).length;
    const slot = engineOf(trx).name === 'postgres' ? sql`slot = 3` : sql`true`;
    await sql`update user_counts set count = ${count} where is_active = ${isActive} and ${slot}`.execute(trx);
  }
  await engineOf(trx).writeLastId(trx, users.at(-1)?.id ?? 0);
}
