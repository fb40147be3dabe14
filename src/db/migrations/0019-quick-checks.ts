/** Of a check, whether it was a quick one, which says nothing of what it has left out. */
import { type QueryExecutorProvider, sql } from 'kysely';

export async function sqlite(trx: QueryExecutorProvider): Promise<void> {
  await sql`
    alter table maintenance_runs add column is_quick integer not null default 0 check (is_quick in (0, 1))`.execute(
    trx,
  );
}

export async function postgres(trx: QueryExecutorProvider): Promise<void> {
  await sql`alter table maintenance_runs add column is_quick boolean not null default false`.execute(trx);
}
