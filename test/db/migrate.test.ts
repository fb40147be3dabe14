import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { Kysely, sql } from 'kysely';
import { expect, onTestFinished, test } from 'vitest';
import { openDatabase, sqliteVersion } from '../../src/db/database.ts';
import { type Migration, migrate } from '../../src/db/migrate.ts';
import type { Db, Schema } from '../../src/db/schema.ts';
import { sqliteDialect } from '../../src/db/sqlite/dialect.ts';
import { temporaryFolder } from '../support.ts';

function open(path: string): Db {
  const db = new Kysely<Schema>({ dialect: sqliteDialect(path) });
  onTestFinished(() => db.destroy());
  return db;
}

function creating(table: string): Migration {
  return {
    async up(trx) {
      await sql`create table ${sql.table(table)} (a integer) strict`.execute(trx);
    },
  };
}

/** Everything in a database file: its tables and its version. */
function contents(path: string) {
  const db = new Sqlite(path, { readonly: true });
  const tables = db
    .prepare("select name from sqlite_schema where type = 'table' order by name")
    .pluck()
    .all();
  const version = db.pragma('user_version', { simple: true });
  db.close();
  return { tables, version };
}

test('migrations run in order, once, and each leaves its number', async () => {
  const path = join(temporaryFolder(), 'test.db');
  const db = open(path);
  await migrate(db, [creating('one')], sqliteVersion);
  await migrate(db, [creating('one'), creating('two')], sqliteVersion);
  await migrate(db, [creating('one'), creating('two')], sqliteVersion);
  expect(contents(path)).toEqual({ tables: ['one', 'two'], version: 2 });
});

test('one that fails leaves nothing of itself, and those before it stay', async () => {
  const path = join(temporaryFolder(), 'test.db');
  const failing: Migration = {
    async up(trx) {
      await creating('half').up(trx);
      await sql`insert into nowhere values (1)`.execute(trx);
    },
  };
  await expect(migrate(open(path), [creating('one'), failing], sqliteVersion)).rejects.toThrow('nowhere');
  expect(contents(path)).toEqual({ tables: ['one'], version: 1 });
});

test('one that is killed on the way leaves nothing of itself', async () => {
  const path = join(temporaryFolder(), 'test.db');
  const migrating = spawn(process.execPath, [join(import.meta.dirname, 'killed-migration.ts'), path]);
  await once(migrating.stdout, 'data');
  migrating.kill('SIGKILL');
  await once(migrating, 'exit');
  const db = open(path);
  expect(contents(path)).toEqual({ tables: ['one'], version: 1 });
  await migrate(db, [creating('one'), creating('half')], sqliteVersion);
  expect(contents(path)).toEqual({ tables: ['half', 'one'], version: 2 });
});

test('started by several at once, each runs once', async () => {
  const path = join(temporaryFolder(), 'roster.db');
  const opened = await Promise.all([1, 2, 3].map(() => openDatabase(`sqlite:${path}`)));
  for (const db of opened) await db.destroy();
  expect(contents(path)).toMatchObject({ tables: ['sqlite_sequence', 'user_counts', 'users'], version: 1 });
});
