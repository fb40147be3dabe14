/** When someone has last signed in: null for never, 0 where that was before it was noted, if ever. */
import { type QueryExecutorProvider, sql } from 'kysely';

// A session began with signing in; who has signed out, or stayed away for long, has none.
const SINCE_SESSIONS = sql`
  update credentials set last_sign_in_at = (select max(created_at) from sessions where sessions.user_id = credentials.user_id)
  where user_id in (select user_id from sessions)`;

export async function sqlite(trx: QueryExecutorProvider): Promise<void> {
  await sql`alter table credentials add column last_sign_in_at integer check (last_sign_in_at >= 0)`.execute(
    trx,
  );
  await sql`update credentials set last_sign_in_at = 0`.execute(trx);
  await SINCE_SESSIONS.execute(trx);
  await sql`create index credentials_last_sign_in_at on credentials (last_sign_in_at)`.execute(trx);
}

export async function postgres(trx: QueryExecutorProvider): Promise<void> {
  // With a default no row is written, for which everyone who is signed in would wait.
  await sql`
    alter table credentials add column last_sign_in_at bigint default 0 check (last_sign_in_at >= 0)`.execute(
    trx,
  );
  await sql`alter table credentials alter column last_sign_in_at drop default`.execute(trx);
  await SINCE_SESSIONS.execute(trx);
  await sql`create index credentials_last_sign_in_at on credentials (last_sign_in_at, user_id)`.execute(trx);
}
