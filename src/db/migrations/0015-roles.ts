/** What stands beside a change of a role has kinds of its own, so that no list of another kind has to go past it. */
import { type QueryExecutorProvider, sql } from 'kysely';

const ACCESS = 7;
const ROLE = 13;
const OWN_ROLE = 14;

async function move(trx: QueryExecutorProvider): Promise<void> {
  await sql`
    update change_sets
    set kind = case when event = 'role changed' then ${sql.lit(ROLE)} else ${sql.lit(OWN_ROLE)} end, event = 'role changed'
    where kind = ${sql.lit(ACCESS)} and event in ('role changed', 'own role changed')`.execute(trx);
}

export const sqlite = move;
export const postgres = move;
