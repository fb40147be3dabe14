/** All whom a list shows, however many, batch by batch; between two of them others have their turn. */
import type { Db, User } from '../../db/schema.ts';
import type { SearchQuery } from '../../db/search-index.ts';
import { chunksOf } from '../../lib/chunks.ts';
import { rowCondition } from './conditions.ts';
import { type Cursor, cursorAt } from './cursor.ts';
import type { FilterResult } from './filter-result.ts';
import { isAscending } from './order.ts';
import { usersAfter } from './page.ts';
import { planRows, type RowsPlan } from './plan.ts';
import { READERS, usersWithIds } from './rows.ts';
import type { ListState } from './state.ts';

/** Others wait for one: a few milliseconds, for what is made of it, too. */
export const WALK_BATCH = 250;
/** To begin a search again costs more than to go on with it. */
const FOUND_AT_ONCE = 10_000;
/** These find all, in order, and do no more than that. */
const PLANS: readonly RowsPlan[] = ['index', 'ids'];

/** @throws TooBroadError at the deadline by which the filter was resolved */
export async function* walk(db: Db, list: ListState, result: FilterResult): AsyncGenerator<User[]> {
  const planned = planRows(list, result);
  if (planned === 'search') return yield* walkFound(db, list, result);
  const plan = PLANS.includes(planned) ? planned : 'scan';
  const first = { isFromEnd: false, offset: 0, limit: WALK_BATCH };
  let last: Cursor | undefined;
  for (;;) {
    const users = last
      ? await usersAfter(db, list, last, WALK_BATCH, result, plan)
      : await READERS[plan](db, list, first, result, plan);
    if (users.length > 0) yield users;
    if (users.length < WALK_BATCH) return;
    last = cursorAt('after', users.at(-1) as User, list.sort);
  }
}

async function* walkFound(
  db: Db,
  list: ListState,
  { search, terms, deadline }: FilterResult,
): AsyncGenerator<User[]> {
  const isReversed = !isAscending(list.sort, false);
  const query = { terms, condition: rowCondition(list), isReversed, limit: FOUND_AT_ONCE };
  let range: SearchQuery['range'];
  for (;;) {
    const ids = (await search?.find(db, { ...query, range }, deadline)) ?? [];
    for (const some of chunksOf(ids, WALK_BATCH)) yield await usersWithIds(db, some);
    const last = ids.at(-1);
    if (last === undefined || ids.length < FOUND_AT_ONCE) return;
    range = { operator: isReversed ? '<' : '>', id: last };
  }
}
