/** Writes all tables anew. VACUUM FULL keeps what somebody may still see, so those who began before are waited for. */
import { setTimeout } from 'node:timers/promises';
import { type RawBuilder, sql } from 'kysely';
import { UnavailableError } from '../../errors.ts';
import { Deadline } from '../../lib/deadline.ts';
import type { Purged } from '../engine.ts';
import type { Db } from '../schema.ts';
import { transact } from '../transact.ts';

const WAIT_FOR_READERS_MS = 5_000;
const LOOK_AGAIN_AFTER_MS = 200;
/** Whoever asks for a table waits behind this, and gives up later: `timeouts.ts`. */
const LOCK_TIMEOUT = '2s';

type Reader = { name: string; since: Date | null };
type Step = { table: string; take: (db: Db) => Promise<unknown> };

export async function purge(db: Db): Promise<Purged> {
  const { rows } = await sql<{ name: string }>`
    select tablename as name from pg_tables where schemaname = current_schema()`.execute(db);
  const tables = rows.map(({ name }) => name);
  // First, so that the samples of what was deleted are not seen any more either.
  for (const name of tables) await sql`analyze ${sql.table(name)}`.execute(db);
  const heldBy = await takeSteps(db, await forgetSamples(db));
  if (heldBy) return heldUp(heldBy);
  const reader = await waitForReaders(db);
  if (reader) return heldUp(reader);
  // https://www.postgresql.org/docs/18/catalog-pg-statistic.html
  const isOwner = await isDatabaseOwner(db);
  const lockedBy = await takeSteps(db, writeAnew(isOwner ? [...tables, 'pg_catalog.pg_statistic'] : tables));
  if (lockedBy) return heldUp(lockedBy);
  return { kind: isOwner ? 'gone' : 'kept' };
}

function heldUp({ name, since }: Reader): Purged {
  const time = since ? ` since ${since.toISOString()}` : '';
  return {
    kind: 'held up',
    why: `Not all was written anew: ${name} has been at work in the database${time}. Run this again once that has ended.`,
  };
}

async function waitForReaders(db: Db): Promise<Reader | undefined> {
  // From now on nobody who begins sees what was deleted before.
  const xid = await transact(db, (trx) =>
    readValue(trx, sql<{ value: string }>`select pg_current_xact_id()::xid::text as value`),
  );
  const deadline = Deadline.in(WAIT_FOR_READERS_MS);
  for (;;) {
    const reader = await findReader(db, xid);
    if (reader === undefined || deadline.isPast) return reader;
    await setTimeout(LOOK_AGAIN_AFTER_MS);
  }
}

/** As PostgreSQL computes what may be removed: transactions under way count in all databases, and what is read in this one. */
async function findReader(db: Db, xid: string): Promise<Reader | undefined> {
  const isOlder = (column: string) => sql`age(${sql.ref(column)}) > age(${xid}::xid)`;
  const { rows } = await sql<Reader>`
    select 'process ' || pid as name, xact_start as since from pg_stat_activity
    where pid <> pg_backend_pid()
      and (${isOlder('backend_xid')} or (coalesce(datname, current_database()) = current_database() and ${isOlder('backend_xmin')}))
    union all
    select 'the prepared transaction ' || gid, prepared from pg_prepared_xacts where ${isOlder('transaction')}
    union all
    select 'the replication slot ' || slot_name, null from pg_replication_slots
    where ${isOlder('xmin')} or ${isOlder('catalog_xmin')}
    limit 1`.execute(db);
  return rows[0];
}

/** Of an empty table ANALYZE keeps old samples (https://www.postgresql.org/docs/18/sql-analyze.html): a column that is given a type, also its own, loses them. */
async function forgetSamples(db: Db): Promise<Step[]> {
  const { rows } = await sql<{ table: string; columns: string }>`
    select relname as "table", string_agg(format('alter %I type %s%s', attname, format_type(atttypid, atttypmod),
      ' collate ' || nullif(attcollation, 0)::regcollation), ', ') as columns
    from pg_attribute join pg_class on pg_class.oid = attrelid
    where relnamespace = current_schema()::regnamespace and relkind = 'r' and attnum > 0 and not attisdropped
      and relname in (select tablename from pg_stats where schemaname = current_schema())
    group by relname`.execute(db);
  const steps: Step[] = [];
  for (const { table, columns } of rows)
    if (await isEmpty(db, table))
      steps.push({ table, take: (one) => transact(one, (trx) => retype(table, columns).execute(trx)) });
  return steps;
}

function retype(table: string, columns: string): RawBuilder<unknown> {
  return sql`alter table ${sql.table(table)} ${sql.raw(columns)}`;
}

async function isEmpty(db: Db, table: string): Promise<boolean> {
  return readValue(db, sql<{ value: boolean }>`select not exists (select from ${sql.table(table)}) as value`);
}

function writeAnew(tables: readonly string[]): Step[] {
  return tables.map((table) => ({
    table,
    take: (one) => sql`vacuum (full) ${sql.table(table)}`.execute(one),
  }));
}

async function takeSteps(db: Db, steps: readonly Step[]): Promise<Reader | undefined> {
  return db.connection().execute(async (one) => {
    await sql`set lock_timeout = ${sql.lit(LOCK_TIMEOUT)}`.execute(one);
    for (const { table, take } of steps) {
      try {
        await take(one);
      } catch (error) {
        if (!(error instanceof UnavailableError)) throw error;
        return findLocker(one, table, error);
      }
    }
    return undefined;
  });
}

/** @throws what it was, where nobody has locked it. */
async function findLocker(db: Db, table: string, error: unknown): Promise<Reader> {
  const { rows } = await sql<Reader>`
    select 'process ' || pid as name, xact_start as since from pg_locks join pg_stat_activity using (pid)
    where relation = ${table}::regclass and granted and pid <> pg_backend_pid() limit 1`.execute(db);
  if (rows[0] === undefined) throw error;
  return rows[0];
}

async function isDatabaseOwner(db: Db): Promise<boolean> {
  return readValue(
    db,
    sql<{ value: boolean }>`
      select pg_has_role(datdba, 'usage') as value from pg_database where datname = current_database()`,
  );
}

async function readValue<T>(db: Db, query: RawBuilder<{ value: T }>): Promise<T> {
  const [row] = (await query.execute(db)).rows;
  if (row === undefined) throw new Error('There is one row.');
  return row.value;
}
