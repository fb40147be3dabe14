/** What forms were answered, for those that are sent again. */
import { type QueryExecutorProvider, type RawBuilder, sql } from 'kysely';

export async function sqlite(trx: QueryExecutorProvider): Promise<void> {
  await make(trx, sql`integer`, sql`strict, without rowid`);
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
    create table kept_answers (
      hash text primary key,
      at ${number} not null check (at >= 0),
      answer text not null
    ) ${end}`.execute(trx);
  await sql`create index kept_answers_at on kept_answers (at)`.execute(trx);
}
