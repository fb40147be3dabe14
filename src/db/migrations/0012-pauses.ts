/** How often in a row a job has failed; and search indexes of SQLite that merge their parts little by little. */
import { type QueryExecutorProvider, sql } from 'kysely';

export async function sqlite(trx: QueryExecutorProvider): Promise<void> {
  await sql`alter table jobs add column failures integer not null default 0`.execute(trx);
  const { rows } = await sql<{ name: string }>`
    select name from sqlite_schema where name glob 'users_search_[0-9]*' and sql like 'create virtual table %'`.execute(
    trx,
  );
  for (const { name } of rows)
    await sql`insert into ${sql.table(name)} (${sql.table(name)}, rank) values ('crisismerge', 16)`.execute(
      trx,
    );
}

export async function postgres(trx: QueryExecutorProvider): Promise<void> {
  await sql`alter table jobs add column failures bigint not null default 0`.execute(trx);
}
