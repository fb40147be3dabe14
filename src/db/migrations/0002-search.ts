/** The text that users are found by, and what searches it. */
import { sql } from 'kysely';
import type { Trx } from '../schema.ts';
import { rebuildSearch } from '../search.ts';

const REPORT_EVERY = 50_000;

export async function sqlite(trx: Trx): Promise<void> {
  await sql`alter table users add column search_text text not null default ''`.execute(trx);
  // So that a page by number skips over ids alone; the rows themselves are some thirty times as long.
  await sql`create index users_id on users (id)`.execute(trx);
  await rebuildSearch(trx, sayHowFar);
}

export async function postgres(trx: Trx): Promise<void> {
  await sql`alter table users add column search_text text collate "C" not null default ''`.execute(trx);
  await rebuildSearch(trx, sayHowFar);
}

/** Ten million users take minutes, in which whoever has started Roster sees no page yet. */
function sayHowFar(done: number): void {
  if (done % REPORT_EVERY === 0) console.log(`${done.toLocaleString('en')} users can be searched for`);
}
