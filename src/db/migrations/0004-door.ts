/** What keeps the door: tickets between password and code, codes that were wrong, and drafts that were used. */
import { type QueryExecutorProvider, type RawBuilder, sql } from 'kysely';

export async function sqlite(trx: QueryExecutorProvider): Promise<void> {
  await make(trx, sql`integer`, sql`strict`);
}

export async function postgres(trx: QueryExecutorProvider): Promise<void> {
  await make(trx, sql`bigint`, sql``);
}

async function make(
  trx: QueryExecutorProvider,
  number: RawBuilder<unknown>,
  end: RawBuilder<unknown>,
): Promise<void> {
  for (const column of ['code_failures', 'code_failed_at'])
    await sql`
      alter table credentials add column ${sql.ref(column)} ${number} not null default 0
      check (${sql.ref(column)} >= 0)`.execute(trx);
  await sql`
    create table tickets (
      token_hash text primary key,
      user_id ${number} not null references users (id) on delete cascade,
      credentials_hash text not null,
      created_at ${number} not null check (created_at >= 0)
    ) ${end}`.execute(trx);
  await sql`create index tickets_user_id on tickets (user_id)`.execute(trx);
  await sql`create index tickets_created_at on tickets (created_at)`.execute(trx);
  await sql`
    create table used_drafts (
      draft_hash text primary key,
      session_id ${number} not null,
      used_at ${number} not null check (used_at >= 0)
    ) ${end}`.execute(trx);
  await sql`create index used_drafts_used_at on used_drafts (used_at)`.execute(trx);
}
