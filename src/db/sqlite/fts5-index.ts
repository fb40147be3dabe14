/** The search index: FTS5 by trigrams (https://sqlite.org/fts5.html#the_trigram_tokenizer), one for a range of ids. */
import { CompiledQuery, sql } from 'kysely';
import type { TextChange } from '../engine.ts';
import type { Db, Trx } from '../schema.ts';
import type { Statements } from './statements.ts';

/** A query of FTS5 cannot be stopped: this many ids take it some 20 ms at worst, while nobody else is answered. */
export const IDS_IN_RANGE = 2 ** 18;
const IDS_AHEAD = 100_000;
/** On a level: https://sqlite.org/fts5.html#the_crisismerge_configuration_option */
const MOST_SEGMENTS = 16;

export async function indexUsersAfter(trx: Trx, after: number): Promise<void> {
  let first = await firstIdFrom(trx, after + 1);
  while (first !== null) {
    const range = rangeOf(first);
    const end = (range + 1) * IDS_IN_RANGE;
    const index = sql.table(indexNameOf(range));
    await makeIndex(trx, range);
    await sql`
      insert into ${index} (rowid, search_text)
      select id, search_text from users where id >= ${first} and id < ${end} order by id`.execute(trx);
    first = await firstIdFrom(trx, end);
    // Where somebody was there before, more batches are to come: their parts are merged after the last.
    if (after === 0) await mergeIndex(trx, range);
  }
}

async function mergeIndex(trx: Trx, range: number): Promise<void> {
  const index = sql.table(indexNameOf(range));
  await sql`insert into ${index} (${index}) values ('optimize')`.execute(trx);
}

async function firstIdFrom(trx: Trx, id: number): Promise<number | null> {
  const { first } = await trx
    .selectFrom('users')
    .select(({ fn }) => fn.min('id').as('first'))
    .where('id', '>=', id)
    .executeTakeFirstOrThrow();
  return first;
}

/** Each user once, in the order of their numbers, what is deleted before what is inserted: FTS5 writes a segment whenever it goes back. */
export function writeSearchTexts(writer: Statements, changes: readonly TextChange[]): void {
  const inOrder = inOne(changes).toSorted((one, other) => one.id - other.id);
  for (const [range, some] of Map.groupBy(inOrder, ({ id }) => rangeOf(id))) {
    const index = indexNameOf(range);
    const steps = some.flatMap(({ id, before, after }) => [
      { id, text: before, command: 'delete' },
      { id, text: after },
    ]);
    const given = JSON.stringify(steps.filter(({ text }) => text !== undefined));
    const write = `
      insert into ${index} (${index}, rowid, search_text)
      select value ->> 'command', value ->> 'id', value ->> 'text' from jsonb_each(?)`;
    writer.run(write, [given]);
  }
  if (inOrder.length > 0) for (const step of FLUSH) writer.run(step);
}

// At a savepoint FTS5 writes what it holds in memory, and merges: its errors are none of the commit's.
const FLUSH = ['savepoint written', 'release written'];

function inOne(changes: readonly TextChange[]): TextChange[] {
  const all = new Map<number, TextChange>();
  for (const change of changes)
    all.set(change.id, { ...change, before: (all.get(change.id) ?? change).before });
  return [...all.values()].filter(({ before, after }) => before !== after);
}

/** Outside any savepoint: SQLite that rolls the making of a virtual table back to one can commit nothing any more. */
export function makeIndexesAhead(writer: Statements, endOfIndexes: number): number {
  // Before the migrations there is nothing to index.
  if (endOfIndexes === 0 && !isMade(writer, 0)) return 0;
  const { rows } = writer.run<{ seq: number }>(`select seq from sqlite_sequence where name = 'users'`);
  const last = rows[0]?.seq ?? 0;
  if (last + IDS_AHEAD < endOfIndexes) return endOfIndexes;
  // One that is there may be damaged: who does not change what users are called, or makes it anew, does not meet it.
  const missing = [rangeOf(last + 1), rangeOf(last + IDS_AHEAD)].filter((range) => !isMade(writer, range));
  for (const range of new Set(missing)) for (const text of makingOf(range)) writer.run(text);
  return (rangeOf(last + IDS_AHEAD) + 1) * IDS_IN_RANGE;
}

function isMade(writer: Statements, range: number): boolean {
  return writer.run('select 1 from sqlite_schema where name = ?', [indexNameOf(range)]).rows.length > 0;
}

/** By a command alone: in a process with others, rows whose texts wait in a group would be indexed twice. */
export async function makeSearchIndex(trx: Trx): Promise<void> {
  // All that there were, for another process may count on those that it has made ahead.
  for (const range of new Set([0, ...(await rangesOf(trx, false))])) {
    await sql`drop table if exists ${sql.table(indexNameOf(range))}`.execute(trx);
    await makeIndex(trx, range);
  }
  await indexUsersAfter(trx, 0);
}

// Without the text, and the sizes that only a ranking needs. With fewer segments FTS5 would soon merge all of an index at once, for most of a second.
function makingOf(range: number): string[] {
  const index = indexNameOf(range);
  return [
    `create virtual table if not exists ${index} using fts5(
      search_text, tokenize = 'trigram case_sensitive 1', content = '', columnsize = 0)`,
    `insert into ${index} (${index}, rank) values ('crisismerge', ${MOST_SEGMENTS})`,
  ];
}

async function makeIndex(trx: Trx, range: number): Promise<void> {
  for (const text of makingOf(range)) await trx.executeQuery(CompiledQuery.raw(text));
}

export function indexNameOf(range: number): string {
  return `users_search_${range}`;
}

export function rangeOf(id: number): number {
  return Math.floor(id / IDS_IN_RANGE);
}

const INDEXES: CompiledQuery<{ name: string }> = CompiledQuery.raw(
  `select name from sqlite_schema where type = 'table' and sql like 'create virtual table %'`,
) as never;

export async function rangesOf(db: Db, isReversed: boolean): Promise<number[]> {
  const { rows } = await db.executeQuery(INDEXES);
  const ranges = rows
    .map(({ name }) => Number(name.slice(indexNameOf(0).length - 1)))
    .sort((one, other) => one - other);
  return isReversed ? ranges.reverse() : ranges;
}
