/** Those who may sign in, by when they last did: also those who never have, who may have no credentials. */
import { type QueryExecutorProvider, type RawBuilder, sql } from 'kysely';

export async function sqlite(trx: QueryExecutorProvider): Promise<void> {
  await make(trx, sql`integer`, sql`users.is_active = 1`, sql`strict`);
}

export async function postgres(trx: QueryExecutorProvider): Promise<void> {
  await make(trx, sql`bigint`, sql`users.is_active`, sql``);
}

async function make(
  trx: QueryExecutorProvider,
  number: RawBuilder<unknown>,
  isActive: RawBuilder<unknown>,
  end: RawBuilder<unknown>,
): Promise<void> {
  // -1 is never, so that whatever is asked for is a range.
  await sql`
    create table last_sign_ins (
      user_id ${number} primary key references users (id) on delete cascade,
      at ${number} not null check (at >= -1)
    ) ${end}`.execute(trx);
  await sql`
    insert into last_sign_ins (user_id, at)
    select users.id, coalesce(credentials.last_sign_in_at, -1)
    from users left join credentials on credentials.user_id = users.id
    where users.role in ('viewer', 'editor', 'admin') and ${isActive}`.execute(trx);
  await sql`create index last_sign_ins_at on last_sign_ins (at, user_id)`.execute(trx);
  // It had those who may not sign in any more, too.
  await sql`drop index credentials_last_sign_in_at`.execute(trx);
}
