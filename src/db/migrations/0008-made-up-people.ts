/** Who was made up to try Roster with. */
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
  await sql`
    create table made_up_people (
      user_id ${number} primary key references users (id) on delete cascade
    ) ${end}`.execute(trx);
}
