/** Whether users are found, by the index of search texts, by all that they are called: everyone, or of very many some. */
import { CompiledQuery, sql } from 'kysely';
import { number } from '../../lib/formats.ts';
import { giveWay } from '../../lib/progress.ts';
import type { Db } from '../schema.ts';
import { readSnapshot } from '../transact.ts';
import { hasIndex } from './trigrams.ts';

const MOST_LOOKED_FOR = 20_000;
const USERS_AT_ONCE = 500;

/** Of `count` users every `step`th is looked for. */
type Sample = { count: number; step: number };

export async function meansOfCheckingSearches(db: Db): Promise<string> {
  if (!(await hasIndex(db)))
    return 'their indexes alone, which find what a field starts with, as the extension pg_trgm is not there';
  const { count, step } = await sampleOf(db);
  const whom =
    step === 1
      ? 'every user'
      : `one of ${number.format(step)} users (of ${number.format(count)}, others each time)`;
  return `looking for ${whom} by all that they are called`;
}

/** Those with an index of pg_trgm: others are looked through as files are. */
export async function* findWronglyIndexed(db: Db): AsyncGenerator<number> {
  if (!(await hasIndex(db))) return;
  const { step } = await sampleOf(db);
  const rest = Math.floor(Math.random() * step);
  for (let after = 0; ; ) {
    const users = await readSnapshot(db, (trx) => look(trx, after, step, rest));
    for (const { id, is_found } of users) if (!is_found) yield id;
    const last = users.at(-1);
    if (last === undefined) return;
    after = last.id;
    await giveWay();
  }
}

async function sampleOf(db: Db): Promise<Sample> {
  const { count } = await db
    .selectFrom('users')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return { count, step: Math.max(1, Math.ceil(count / MOST_LOOKED_FOR)) };
}

/** By their whole text, and so by every three characters of it. */
async function look(trx: Db, after: number, step: number, rest: number) {
  // The index is to answer, also where to read the table would be faster.
  await trx.executeQuery(CompiledQuery.raw('set local enable_seqscan = off'));
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
