/** Whether the index of search texts has everyone; and of some users, whether it has all that they are called. */
import { CompiledQuery, sql } from 'kysely';
import { number } from '../../lib/formats.ts';
import { letTimersRun } from '../../lib/progress.ts';
import type { Db } from '../schema.ts';
import { readSnapshot } from '../transact.ts';
import { hasIndex } from './trigrams.ts';

/** One takes some 20 ms among a hundred thousand users. */
const MOST_LOOKED_FOR = 100;
const USERS_AT_ONCE = 20;
const MOST_MISSED = 10_000;

export async function meansOfCheckingSearches(db: Db): Promise<string> {
  if (!(await hasIndex(db)))
    return 'their indexes alone, which find what a field starts with, as the extension pg_trgm is not there';
  const count = await countUsers(db);
  const some =
    count > MOST_LOOKED_FOR
      ? `some ${MOST_LOOKED_FOR} of ${number.format(count)} users, others each time,`
      : 'every user';
  return `asking their index for everyone, and for ${some} by all that they are called`;
}

/** By an index of pg_trgm: others are looked through as files are. */
export async function* findWronglyIndexed(db: Db): AsyncGenerator<number> {
  if (!(await hasIndex(db))) return;
  const missed = new Set(await readSnapshot(db, findMissed));
  yield* missed;
  const step = Math.max(1, Math.ceil((await countUsers(db)) / MOST_LOOKED_FOR));
  const rest = Math.floor(Math.random() * step);
  for (let after = 0; ; ) {
    const users = await readSnapshot(db, (trx) => lookFor(trx, after, step, rest));
    for (const { id, is_found } of users) if (!is_found && !missed.has(id)) yield id;
    const last = users.at(-1);
    if (last === undefined) return;
    after = last.id;
    await letTimersRun();
  }
}

async function countUsers(db: Db): Promise<number> {
  const { count } = await db
    .selectFrom('users')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return count;
}

/** It is to answer, also where to read the table would be faster; and say who, not only on which page they are. */
async function askIndex(trx: Db): Promise<void> {
  await trx.executeQuery(CompiledQuery.raw("set local enable_seqscan = off; set local work_mem = '256MB'"));
}

/** Those whom it does not have at all: what has any text is what it has. */
async function findMissed(trx: Db): Promise<number[]> {
  await askIndex(trx);
  const { rows } = await sql<{ id: number }>`
    with indexed as materialized (select id from users where search_text like '%')
    select id from users where not exists (select from indexed where indexed.id = users.id)
    order by id limit ${sql.lit(MOST_MISSED)}`.execute(trx);
  return rows.map(({ id }) => id);
}

/** By their whole text, and so by every three characters of it. */
async function lookFor(trx: Db, after: number, step: number, rest: number) {
  await askIndex(trx);
  const { rows } = await sql<{ id: number; is_found: boolean }>`
    select id, id = any(array(
      select found.id from users as found
      where found.search_text like '%' || regexp_replace(sought.search_text, '([\\\\%_])', '\\\\\\1', 'g') || '%'
    )) as is_found
    from users as sought where id > ${after} and id % ${step} = ${rest} order by id limit ${sql.lit(USERS_AT_ONCE)}`.execute(
    trx,
  );
  return rows;
}
