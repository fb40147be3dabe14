/** PostgreSQL, where it differs from SQLite beyond its SQL. */
import { type SqlBool, sql } from 'kysely';
import { NotUniqueError, StartError } from '../../errors.ts';
import type { Engine } from '../engine.ts';
import type { Db } from '../schema.ts';
import { transact } from '../transact.ts';

export const postgresEngine: Engine = {
  name: 'postgres',

  async prepare(db) {
    const { rows } = await sql<{
      encoding: string;
    }>`select current_setting('server_encoding') as encoding`.execute(db);
    const encoding = rows[0]?.encoding;
    if (encoding !== 'UTF8') {
      throw new StartError(
        `The database has the encoding ${encoding}; make one with the encoding UTF8 for Roster.`,
      );
    }
    if (!(await hasVersionTable(db))) await makeVersionTable(db);
  },

  // By connection, of which each has one transaction at a time; the process behind it has a number.
  ownCount: sql<SqlBool>`slot = pg_backend_pid() % 32`,

  async readVersion(db) {
    if (!(await hasVersionTable(db))) return 0;
    const { rows } = await sql<{ version: number }>`select version from roster_version`.execute(db);
    return rows[0]?.version ?? 0;
  },
  async lockVersion(trx) {
    const { rows } = await sql<{ version: number }>`select version from roster_version for update`.execute(
      trx,
    );
    return rows[0]?.version ?? 0;
  },
  async writeVersion(trx, version) {
    await sql`update roster_version set version = ${version}`.execute(trx);
  },

  async prepareBulkLoad(trx) {
    await sql`lock table users in exclusive mode`.execute(trx);
    await sql`set local maintenance_work_mem = '256MB'`.execute(trx);
  },
  async indexesOfUsers(trx) {
    const { rows } = await sql<{ name: string; sql: string }>`
      select indexname as name, indexdef as sql from pg_indexes
      where schemaname = current_schema() and tablename = 'users' and indexname <> 'users_pkey'`.execute(trx);
    return rows;
  },
  async finishBulkLoad(db) {
    await sql`vacuum (analyze) users`.execute(db);
  },

  async readLastId(db) {
    const { rows } = await sql<{ last: number }>`
      select case when is_called then last_value else 0 end as last from users_id_seq`.execute(db);
    return rows[0]?.last ?? 0;
  },
  async writeLastId(trx, id) {
    if (id > 0) await sql`select setval('users_id_seq', ${id})`.execute(trx);
  },
};

async function hasVersionTable(db: Db): Promise<boolean> {
  const { rows } = await sql<{
    name: string | null;
  }>`select to_regclass('roster_version')::text as name`.execute(db);
  return Boolean(rows[0]?.name);
}

/** Of several that make it at once, each finds it there afterwards. */
async function makeVersionTable(db: Db): Promise<void> {
  try {
    await transact(db, async (trx) => {
      await sql`create table if not exists roster_version (is_one boolean primary key check (is_one), version integer not null)`.execute(
        trx,
      );
      await sql`insert into roster_version (is_one, version) values (true, 0) on conflict do nothing`.execute(
        trx,
      );
    });
  } catch (error) {
    // "If not exists" looks first, and of those who see nothing all but one then meet the catalogue's unique index.
    if (!(error instanceof NotUniqueError)) throw error;
  }
}
