/** Who was erased; and on SQLite what it takes to overwrite what was deleted. */
import { type QueryExecutorProvider, type RawBuilder, sql } from 'kysely';

export async function sqlite(trx: QueryExecutorProvider): Promise<void> {
  await make(trx, sql`integer`, sql`strict`);
  // What fills the pages that are free, for a moment.
  await sql`create table zeros (content blob not null) strict`.execute(trx);
  // Until now what was deleted has stayed in pages that are still in use.
  await sql`
    insert into secrets (name, value)
    select 'has to be written anew', '1' where exists (select 1 from users) or exists (select 1 from changes)`.execute(
    trx,
  );
}

export async function postgres(trx: QueryExecutorProvider): Promise<void> {
  await make(trx, sql`bigint`, sql``);
}

async function make(
  trx: QueryExecutorProvider,
  number: RawBuilder<unknown>,
  end: RawBuilder<unknown>,
): Promise<void> {
  await sql`
    create table erasures (
      user_id ${number} primary key,
      created_at ${number} not null,
      set_id ${number} not null,
      gone_at ${number}
    ) ${end}`.execute(trx);
  await sql`create index erasures_pending on erasures (user_id) where gone_at is null`.execute(trx);
}
