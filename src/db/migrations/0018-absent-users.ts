/** Who is in the directory and not in the file of an import: ranges of the users’ numbers. */
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
    create table absent_users (
      import_id ${number} not null,
      first_id ${number} not null,
      last_id ${number} not null,
      primary key (import_id, first_id)
    ) ${end}`.execute(trx);
}
