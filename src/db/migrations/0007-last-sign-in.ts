/** When someone has last signed in: null for never, 0 where that was before it was noted, if ever. */
import { type QueryExecutorProvider, type RawBuilder, sql } from 'kysely';

export async function sqlite(trx: QueryExecutorProvider): Promise<void> {
  await addColumn(trx, sql`integer`);
  await sql`create index credentials_last_sign_in_at on credentials (last_sign_in_at)`.execute(trx);
}

export async function postgres(trx: QueryExecutorProvider): Promise<void> {
  await addColumn(trx, sql`bigint`);
  await sql`create index credentials_last_sign_in_at on credentials (last_sign_in_at, user_id)`.execute(trx);
}

async function addColumn(trx: QueryExecutorProvider, number: RawBuilder<unknown>): Promise<void> {
  await sql`
    alter table credentials add column last_sign_in_at ${number} check (last_sign_in_at >= 0)`.execute(trx);
  // A session began with signing in; who has signed out, or stayed away for long, has none.
  await sql`
    update credentials set last_sign_in_at = coalesce(
      (select max(created_at) from sessions where sessions.user_id = credentials.user_id), 0)`.execute(trx);
}
