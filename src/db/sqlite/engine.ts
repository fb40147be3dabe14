/** SQLite, where it differs from PostgreSQL beyond its SQL. */
import { setTimeout } from 'node:timers/promises';
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import { Deadline } from '../../lib/deadline.ts';
import { executeCached } from '../cached-query.ts';
import type { Engine, NumberedTable, Purged, ScrubResult } from '../engine.ts';
import { type Db, ROLES, type Schema, type Trx } from '../schema.ts';
import { transact } from '../transact.ts';
import { giveWay, runBatch } from './batch-queue.ts';
import type { SqliteConnection } from './connection.ts';
import { checkOf, findDamage } from './damage.ts';
import { findWronglyIndexed } from './fts5-check.ts';
import { indexUsersAfter, makeSearchIndex, rangeOf, rangesOf } from './fts5-index.ts';
import { mergeIndexes, mergeIndexesAfter } from './fts5-merge.ts';
import { sqliteSearch } from './fts5-search.ts';
import { migrationOf, withMigration } from './generation.ts';
import { compareSchema } from './schema-parts.ts';
import { overwriteFreePages } from './scrub.ts';

/** Kept from a bulk load on, by a process that has nothing else to do. */
const BULK_CACHE_KIB = 256 * 1024;
const MOST_MAPPABLE_BYTES = 0x7fff0000;

/** The adapter of `dialect.ts`, which knows the connection that writes. */
type OwnerOfFile = {
  emptyLog(): Promise<boolean>;
  clearGaps(from: number): Promise<number | 'held up' | 'kept'>;
  vacuum(): Promise<void>;
};

/** Other processes read for moments, one after the other; for whoever reads for longer it is not waited. */
const LONGEST_MOMENT_MS = 500;
const LOOK_AGAIN_AFTER_MS = 2;

/** The name in `secrets` of a database in which what was deleted long ago has never been overwritten. */
const TO_BE_WRITTEN_ANEW = 'has to be written anew';

const IN_LOG =
  'Nothing that was deleted before is in its file any more; it is in the log beside it until whoever is reading the database ends.';

const WRITTEN_ANEW =
  'The database file is written anew, once, as a part of this update, so that nothing stays in it of what was deleted: some 8 s for a million users.';

const NOT_WRITTEN_ANEW =
  'That was not possible, and can be done in a quiet hour with: npm run roster -- purge';

export const sqliteEngine: Engine = {
  name: 'sqlite',

  async prepare() {},

  // Writers take turns, so each count is one row.
  counterShard: sql<SqlBool>`true`,
  countersOfKind: 1,
  longestBatch: 100,
  fewestInBatch: 1,
  numbersInOrder: true,
  isLogKept: false,

  readVersion,
  lockVersion: readVersion,
  async writeVersion(trx, version) {
    const both = withMigration(await readHeaderVersion(trx), version);
    await sql`pragma user_version = ${sql.lit(both)}`.execute(trx);
  },

  async makeCounters(trx) {
    const kinds = [true, false].flatMap((is_active) => ROLES.map((role) => ({ is_active, role, count: 0 })));
    await trx
      .insertInto('user_counts')
      .values(kinds)
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  },
  async prepareBulkLoad(trx) {
    await sql`pragma cache_size = ${sql.lit(-BULK_CACHE_KIB)}`.execute(trx);
  },
  async indexesOfUsers(trx) {
    const { rows } = await sql<{ name: string; sql: string }>`
      select name, sql from sqlite_schema where type = 'index' and tbl_name = 'users' and sql is not null`.execute(
      trx,
    );
    return rows;
  },
  makeSearchIndex,
  // With those of all that are committed together: after each transaction alone FTS5 would write a segment of its own.
  async indexSearchTexts(trx, changes) {
    await trx.getExecutor().provideConnection(async (connection) => {
      (connection as SqliteConnection).texts.push(...changes);
    });
  },
  indexUsersAfter,
  mergeIndexesAfter,
  async writeTogether(trx, writes) {
    for (const write of writes) await trx.executeQuery(write);
  },
  searchIndexOf: async () => sqliteSearch,
  isOneOf: (column, values) => sql<SqlBool>`${sql.ref(column)} in (select value from json_each(${values}))`,
  tableOf: (values) => sql`json_each(${values}) as given`,
  rowsOf,
  skipOver,
  runBatch,
  giveWay,
  overwrite,
  async finishBulkLoad() {},
  finishMigrations,
  scrub,
  purge,

  async readProduct(db) {
    const { rows } = await sql<{ version: string }>`select sqlite_version() as version`.execute(db);
    return `SQLite ${rows[0]?.version}`;
  },
  countConnections: async () => [],
  compareSchema,
  findDamage,
  meansOfFindingDamage: async (_db, isQuick) => `SQLite's own ${checkOf(isQuick)}`,
  findWronglyIndexed,
  meansOfCheckingSearches: async () => 'comparing all that their index holds with what every user is called',
  async readSize(db) {
    const size = sql<{
      size: number;
    }>`select page_count * page_size as size from pragma_page_count, pragma_page_size`;
    return (await size.execute(db)).rows[0]?.size ?? 0;
  },
  adviseOnBackups: async () => [],

  readLastId,
  async writeLastId(trx, id, table = 'users') {
    await sql`delete from sqlite_sequence where name = ${table}`.execute(trx);
    await sql`insert into sqlite_sequence (name, seq) values (${table}, ${id})`.execute(trx);
  },
  async raiseLastId(trx, id, table) {
    if ((await readLastId(trx, table)) < id) await sqliteEngine.writeLastId(trx, id, table);
  },
};

function rowsOf(_table: keyof Schema, columns: readonly string[], rows: string): RawBuilder<unknown> {
  const values = columns.map((name) => sql`value ->> ${sql.lit(name)} as ${sql.id(name)}`);
  return sql`(select ${sql.join(values)} from jsonb_each(${rows})) as given`;
}

/** https://sqlite.org/autoinc.html */
async function readLastId(db: Db, table: NumberedTable = 'users'): Promise<number> {
  const [row] = await executeCached(db, 'last id', { table }, (values) => {
    const query = sql<{ seq: number }>`select seq from sqlite_sequence where name = ${values.table}`;
    return { compile: () => query.compile(db) };
  });
  return row?.seq ?? 0;
}

// Mapped into memory, not copied: twice as fast. Not for longer: all that was touched would count as the process's own.
async function skipOver<T>(db: Db, query: () => Promise<T>): Promise<T> {
  await sql`pragma mmap_size = ${sql.lit(MOST_MAPPABLE_BYTES)}`.execute(db);
  try {
    return await query();
  } finally {
    await sql`pragma mmap_size = 0`.execute(db);
  }
}

async function overwrite<T>(db: Db, work: (trx: Trx) => Promise<T>): Promise<T> {
  const result = await transact(db, work);
  await emptyLog(db);
  return result;
}

/** Tried once, for it takes long: where it fails, or is ended, Roster works all the same. */
async function finishMigrations(db: Db): Promise<void> {
  if (!(await hasToBeWrittenAnew(db))) return;
  console.log(WRITTEN_ANEW);
  await purge(db).catch((error) => console.warn(`${NOT_WRITTEN_ANEW}: ${error.message}.`));
}

async function hasToBeWrittenAnew(db: Db): Promise<boolean> {
  const old = db.selectFrom('secrets').select('name').where('name', '=', TO_BE_WRITTEN_ANEW);
  return (await old.executeTakeFirst()) !== undefined;
}

async function scrub(db: Db, ids: readonly number[]): Promise<ScrubResult> {
  // Else it stays in the index. The option `secure-delete` looks into one segment alone, and slows every change.
  await mergeIndexes(db, new Set(ids.map(rangeOf)));
  if (ids.length > 0) await overwriteFreePages(db);
  if (await hasToBeWrittenAnew(db)) return 'kept';
  // Twice, for pages change places while others write.
  for (let time = 1; time <= 2; time++) {
    const state = await clearAllGaps(db);
    if (state !== 'gone') return state;
  }
  return emptyLog(db);
}

async function clearAllGaps(db: Db): Promise<ScrubResult> {
  let from = 0;
  let deadline = Deadline.in(LONGEST_MOMENT_MS);
  while (from < Infinity) {
    const state = await fileOf(db).clearGaps(from);
    if (typeof state === 'number') {
      from = state;
      deadline = Deadline.in(LONGEST_MOMENT_MS);
    } else if (state === 'kept' || deadline.isPast) return state;
    else await setTimeout(LOOK_AGAIN_AFTER_MS);
    await giveWay();
  }
  return 'gone';
}

async function purge(db: Db): Promise<Purged> {
  await mergeIndexes(db, await rangesOf(db, false));
  await fileOf(db).vacuum();
  await transact(db, (trx) =>
    trx.deleteFrom('secrets').where('name', '=', TO_BE_WRITTEN_ANEW).executeTakeFirst(),
  );
  return (await emptyLog(db)) === 'gone' ? { kind: 'gone' } : { kind: 'held up', why: IN_LOG };
}

/** It holds pages as they were. */
async function emptyLog(db: Db): Promise<ScrubResult> {
  return (await fileOf(db).emptyLog()) ? 'gone' : 'held up';
}

function fileOf(db: Db): OwnerOfFile {
  return db.getExecutor().adapter as unknown as OwnerOfFile;
}

async function readVersion(db: Db): Promise<number> {
  return migrationOf(await readHeaderVersion(db));
}

async function readHeaderVersion(db: Db): Promise<number> {
  const { rows } = await sql<{ user_version: number }>`pragma user_version`.execute(db);
  return rows[0]?.user_version ?? 0;
}
