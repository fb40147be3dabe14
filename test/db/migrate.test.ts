import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { openDatabase } from '../../src/db/database.ts';
import { engineOf } from '../../src/db/engine.ts';
import { type Migration, migrate } from '../../src/db/migrate.ts';
import { MIGRATIONS } from '../../src/db/migration-list.ts';
import type { Db, Trx } from '../../src/db/schema.ts';
import { tablesOf } from '../engines.ts';
import { readyUrl, temporaryDatabase, temporaryUrl } from '../support.ts';

function onEach(run: (trx: Trx) => Promise<unknown>): Migration {
  const up = async (trx: Trx) => void (await run(trx));
  return { sqlite: up, postgres: up };
}

function creating(table: string): Migration {
  return onEach((trx) => sql`create table ${sql.table(table)} (a integer)`.execute(trx));
}

/** In the place of Roster's own, which have run by then. */
const OURS = MIGRATIONS.map(() => onEach(async () => {}));
const VERSION = MIGRATIONS.length;

/** The tables that these tests make, and the version. */
async function contents(db: Db) {
  const all = await tablesOf(db);
  const tables = all.filter((name) => /^(one|two|half|once|newer)$/.test(name));
  return { tables, version: await engineOf(db).readVersion(db) };
}

test('migrations run in order, once, and each leaves its number', async () => {
  const db = await temporaryDatabase();
  await migrate(db, [...OURS, creating('one')]);
  await migrate(db, [...OURS, creating('one'), creating('two')]);
  await migrate(db, [...OURS, creating('one'), creating('two')]);
  expect(await contents(db)).toEqual({ tables: ['one', 'two'], version: VERSION + 2 });
});

test('one that fails leaves nothing of itself, and those before it stay', async () => {
  const db = await temporaryDatabase();
  const failing = onEach(async (trx) => {
    await sql`create table half (a integer)`.execute(trx);
    await sql`insert into nowhere values (1)`.execute(trx);
  });
  await expect(migrate(db, [...OURS, creating('one'), failing])).rejects.toThrow('nowhere');
  expect(await contents(db)).toEqual({ tables: ['one'], version: VERSION + 1 });
});

test('one that is killed on the way leaves nothing of itself', async () => {
  const url = await temporaryUrl();
  const migrating = spawn(process.execPath, [join(import.meta.dirname, 'killed-migration.ts'), url]);
  await once(migrating.stdout, 'data');
  migrating.kill('SIGKILL');
  await once(migrating, 'exit');
  const db = await temporaryDatabase(url);
  expect(await contents(db)).toEqual({ tables: [], version: VERSION });
  await migrate(db, [...OURS, creating('half')]);
  expect(await contents(db)).toEqual({ tables: ['half'], version: VERSION + 1 });
});

test('started by several at once, each runs once', async () => {
  const url = await temporaryUrl();
  const opened = await Promise.all([1, 2, 3, 4].map(() => openDatabase(url)));
  let runs = 0;
  const counting = onEach(async () => {
    runs++;
  });
  await Promise.all(opened.map((db) => migrate(db, [...OURS, counting, creating('once')])));
  expect(runs).toBe(1);
  expect(await contents(opened[0] as Db)).toEqual({ tables: ['once'], version: VERSION + 2 });
  for (const db of opened) await db.destroy();
});

test('a database that a newer Roster has written is refused in one sentence and left as it was', async () => {
  const url = await readyUrl();
  const db = await temporaryDatabase(url);
  await migrate(db, [...OURS, creating('newer')]);
  await expect(openDatabase(url)).rejects.toMatchObject({
    name: 'StartError',
    message: expect.stringContaining(
      `was written by a newer Roster (version ${VERSION + 1}, this one knows ${VERSION}); update Roster.`,
    ),
  });
  expect(await contents(db)).toEqual({ tables: ['newer'], version: VERSION + 1 });
});

test('several that start at the same time, or nearly so, all start', async () => {
  for (let round = 0; round < 20; round++) {
    const url = await temporaryUrl();
    const starts = Array.from({ length: 6 }, async (_, index) => {
      for (let turn = 0; turn < index * round; turn++) await new Promise((resolve) => setImmediate(resolve));
      await (await openDatabase(url)).destroy();
    });
    await Promise.all(starts);
  }
});
