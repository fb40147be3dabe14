/** PostgreSQL, where it differs from SQLite beyond its SQL. */
import { CompiledQuery, type RawBuilder, type SqlBool, sql } from 'kysely';
import { StartError } from '../../errors.ts';
import { letTimersRun } from '../../lib/progress.ts';
import type { Connections, Engine } from '../engine.ts';
import { type Db, ROLES, type Trx } from '../schema.ts';
import { transact } from '../transact.ts';
import { adviseOnBackups } from './backups.ts';
import { findDamage, meansOfFindingDamage } from './damage.ts';
import { asTooBroad } from './errors.ts';
import { APPLICATION } from './pool.ts';
import { purge } from './purge.ts';
import { compareSchema } from './schema-parts.ts';
import { findWronglyIndexed, meansOfCheckingSearches } from './search-check.ts';
import { makeSearchIndex, postgresSearch } from './trigrams.ts';

const SLOTS = 32;

/** So many numbers are left out one by one, in milliseconds and beside whoever writes: more than others note ahead. */
const FEW = 10_000;

export const postgresEngine: Engine = {
  name: 'postgres',

  async prepare(db) {
    if (await oneValue(db, sql<{ value: boolean }>`select pg_is_in_recovery() as value`))
      throw new StartError(
        'The server is a standby, which only reads; give Roster the address of the primary, or of whatever leads there.',
      );
    const encoding = await oneValue(
      db,
      sql<{ value: string }>`select current_setting('server_encoding') as value`,
    );
    if (encoding !== 'UTF8') {
      throw new StartError(
        `The database has the encoding ${encoding}; make one with the encoding UTF8 for Roster.`,
      );
    }
    // In this order: Roster makes its table of the version before that of the users, perhaps just now elsewhere.
    const hasUsers = await hasTable(db, 'users');
    if (await hasTable(db, 'roster_version')) return;
    if (hasUsers) {
      throw new StartError(
        'The database has a table "users" that is not Roster\'s; give Roster one of its own.',
      );
    }
    await makeVersionTable(db);
  },

  // By connection, of which each has one transaction at a time; the process behind it has a number.
  counterShard: sql<SqlBool>`slot = abs(pg_backend_pid() % ${sql.lit(SLOTS)})`,
  countersOfKind: SLOTS,
  // Each waits for the rows that it wants, and for no file.
  longestBatch: 300,
  // It begins with a dozen journeys to the server, which on a busy machine may take all of that time.
  fewestInBatch: 100,
  numbersInOrder: false,
  isLogKept: true,

  async readVersion(db) {
    if (!(await hasTable(db, 'roster_version'))) return 0;
    return (await oneValue(db, sql<{ value: number }>`select version as value from roster_version`)) ?? 0;
  },
  async lockVersion(trx) {
    return (
      (await oneValue(trx, sql<{ value: number }>`select version as value from roster_version for update`)) ??
      0
    );
  },
  async writeVersion(trx, version) {
    await sql`update roster_version set version = ${version}`.execute(trx);
  },

  async makeCounters(trx) {
    const roles = sql.join(ROLES.map((role) => sql.lit(role)));
    await sql`
      insert into user_counts (is_active, role, slot, count)
      select is_active, role, slot, 0
      from unnest(array[false, true]) as is_active, unnest(array[${roles}]) as role,
        generate_series(0, ${sql.lit(SLOTS - 1)}) as slot
      on conflict do nothing`.execute(trx);
  },
  async prepareBulkLoad(trx) {
    await sql`set local lock_timeout = '10s'`.execute(trx);
    await sql`lock table users in exclusive mode`.execute(trx);
    await sql`set local maintenance_work_mem = '256MB'`.execute(trx);
  },
  async indexesOfUsers(trx) {
    const { rows } = await sql<{ name: string; sql: string }>`
      select indexname as name, indexdef as sql from pg_indexes
      where schemaname = current_schema() and tablename = 'users' and indexname <> 'users_pkey'`.execute(trx);
    return rows;
  },
  makeSearchIndex,
  // An index of PostgreSQL's own.
  async indexSearchTexts() {},
  async indexUsersAfter() {},
  async mergeIndexesAfter() {},
  writeTogether,
  searchIndexOf: postgresSearch,
  isOneOf: (column, values) => sql<SqlBool>`${sql.ref(column)} = any(${arrayOf(values)})`,
  tableOf: (values) => sql`unnest(${arrayOf(values)}) as given (value)`,
  rowsOf: (table, _columns, rows) =>
    sql`json_populate_recordset(null::${sql.table(table)}, ${rows}) as given`,
  skipOver: (_db, query) => asTooBroad(query),
  // It is the server that works, on everyone's statements at once.
  runBatch: asTooBroad,
  giveWay: letTimersRun,
  // A row's earlier version stays in its file until the next vacuum.
  overwrite: transact,
  async finishBulkLoad(db) {
    await sql`vacuum (analyze) users, user_counts`.execute(db);
  },
  async finishMigrations() {},
  // A row that is gone lies in its file until the next vacuum, and then as bytes that nothing has overwritten yet.
  scrub: async () => 'kept',
  purge,

  async readProduct(db) {
    const version = await oneValue(
      db,
      sql<{ value: string }>`select current_setting('server_version') as value`,
    );
    return `PostgreSQL ${version?.split(' ')[0]}`;
  },
  async countConnections(db) {
    const { rows } = await sql<Connections>`
      select coalesce(host(client_addr), 'the server itself') as address, count(*) as count from pg_stat_activity
      where datname = current_database() and application_name = ${APPLICATION} group by 1 order by 1`.execute(
      db,
    );
    return rows;
  },
  compareSchema,
  findDamage,
  meansOfFindingDamage,
  findWronglyIndexed,
  meansOfCheckingSearches,
  async readSize(db) {
    const tables = sql<{ value: number }>`
      select coalesce(sum(pg_total_relation_size(oid)), 0)::bigint as value from pg_class
      where relkind = 'r' and relnamespace = current_schema()::regnamespace`;
    return Number((await oneValue(db, tables)) ?? 0);
  },
  adviseOnBackups,

  async readLastId(db, table = 'users') {
    const sequence = sql.id(`${table}_id_seq`);
    const last = sql<{ value: number }>`select last_value as value from ${sequence} where is_called`;
    return (await oneValue(db, last)) ?? 0;
  },
  async writeLastId(trx, id, table = 'users') {
    if (id > 0) await sql`select setval(${`${table}_id_seq`}::regclass, ${id})`.execute(trx);
  },
  async raiseLastId(trx, id, table) {
    const sequence = `${table}_id_seq`;
    const missing = id - (await postgresEngine.readLastId(trx, table));
    if (missing <= 0) return;
    if (missing <= FEW) {
      await sql`select count(nextval(${sequence}::regclass)) from generate_series(1, ${missing}::integer)`.execute(
        trx,
      );
      return;
    }
    await sql`set local lock_timeout = '10s'`.execute(trx);
    // Until the end of the transaction nobody is given one: it would be set back to what was given already.
    await sql`lock table ${sql.table(table)} in share row exclusive mode`.execute(trx);
    await sql`select setval(${sequence}::regclass, ${id}) from ${sql.id(sequence)} where not is_called or last_value < ${id}`.execute(
      trx,
    );
  },
};

async function oneValue<T>(db: Db, query: RawBuilder<{ value: T }>): Promise<T | undefined> {
  const { rows } = await query.execute(db);
  return rows[0]?.value;
}

async function hasTable(db: Db, name: string): Promise<boolean> {
  return (
    (await oneValue(db, sql<{ value: string | null }>`select to_regclass(${name})::text as value`)) !== null
  );
}

async function makeVersionTable(db: Db): Promise<void> {
  try {
    await transact(db, async (trx) => {
      await sql`
        create table roster_version (
          is_one boolean primary key check (is_one),
          version integer not null
        )`.execute(trx);
      await sql`insert into roster_version (is_one, version) values (true, 0)`.execute(trx);
    });
  } catch (error) {
    // Of several that make it at once all but one are refused, for one reason or another; by then it is there.
    if (!(await hasTable(db, 'roster_version'))) throw error;
  }
}

/** As one statement, which takes one journey. PostgreSQL writes from the last to the first: so it is always one order. */
async function writeTogether(trx: Trx, writes: readonly CompiledQuery[]): Promise<void> {
  const parameters: unknown[] = [];
  const statements: string[] = [];
  for (const write of writes) {
    const before = parameters.length;
    statements.push(write.sql.replaceAll(/\$(\d+)/g, (_, number) => `$${Number(number) + before}`));
    parameters.push(...write.parameters);
  }
  const last = statements.pop();
  if (last === undefined) return;
  const others = statements.map((statement, index) => `write_${index} as (${statement})`);
  const first = others.length > 0 ? `with ${others.join(', ')} ` : '';
  await trx.executeQuery(CompiledQuery.raw(first + last, parameters));
}

function arrayOf(values: readonly number[] | readonly string[]): RawBuilder<unknown> {
  return sql`${values}::${sql.raw(typeof values[0] === 'string' ? 'text[]' : 'bigint[]')}`;
}
