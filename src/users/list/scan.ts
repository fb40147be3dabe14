/** Pages for which no index has both the filter and the order: something is gone through, in stretches. */
import { engineOf } from '../../db/engine.ts';
import type { Db } from '../../db/schema.ts';
import type { Search } from '../../db/search-index.ts';
import { usersByIds } from '../../db/users-by-ids.ts';
import { TooBroadError } from '../../errors.ts';
import type { Term } from '../../search/terms.ts';
import type { Filter, Sort } from './address.ts';
import { orderOf } from './address.ts';
import { boundsOf, hasDates, inBounds, splitBounds } from './filters.ts';
import { inRange, isAscending, type KeyRange, orderBySort, rangesAfter, type Slice } from './order.ts';

/** Rows that are looked through in one go: a few milliseconds, in which SQLite answers nobody else. */
const BATCH = 2_000;

/** The same, of an index that is not left for the rows. */
const LONG_STRETCH = 20_000;

/** The first of several stretches, each twice as long as the one before: at least so many rows, and so many for each sought. */
const FIRST_STRETCH = 50;
const ROWS_FOR_EACH = 3;

export type FilterAndOrder = Filter & { sort: Sort };

/** How someone is to be found. */
export type SearchContext = {
  /** What is searched for. */
  terms: readonly Term[];
  /** How to search for it. */
  search: Search | undefined;
  /** Whether fewer have the role than have the status, if there is one. */
  isByRole: boolean;
  /** When to give up, as by `performance.now()`. */
  until: number;
};

/** Yields after each stretch, and returns the ids of those who are in the window. */
type Walk = AsyncGenerator<void, number[]>;

/** How many stretches of an order are gone through for those with a role before they are gathered: mostly that is enough. */
const HEAD_START = 12;

/** Up to so many are kept while those with a role are gone through. */
const MOST_KEPT = 10_000;

/**
 * The ids of a window, by whichever way is the shorter: through the order, for those who match, or through those who match,
 * for those who come first in the order.
 * @throws TooBroadError when neither comes to an end in time.
 */
export async function scanForPage(db: Db, list: FilterAndOrder, sought: SearchContext, window: Slice) {
  const walks = [scanInOrder(db, list, sought, window)];
  if (list.q === undefined && list.role) {
    if (window.offset + window.limit <= MOST_KEPT) walks.push(topByRole(db, list, sought, window));
  } else if (list.q === undefined && hasDates(list) && orderOf(list.sort).column === 'id')
    walks.push(topByDate(db, list, window));
  for (;;) {
    for (const walk of walks) {
      const { done, value } = await walk.next();
      if (done) return value;
    }
    if (performance.now() > sought.until) throw new TooBroadError('Too many rows had to be looked through.');
  }
}

/** Goes through an order and keeps who matches. */
async function* scanInOrder(
  db: Db,
  list: FilterAndOrder,
  sought: SearchContext,
  { isFromEnd, offset, limit, place }: Slice,
): Walk {
  const wanted = offset + limit;
  const ids: number[] = [];
  const length = Math.min(BATCH, Math.max(FIRST_STRETCH, ROWS_FOR_EACH * wanted));
  for await (const found of scanBatches(db, list, sought, { isFromEnd, place }, length)) {
    ids.push(...found);
    if (ids.length >= wanted) break;
    yield;
  }
  return ids.slice(offset, wanted);
}

/** Goes through those who have a role, and keeps who comes first in the order. */
async function* topByRole(
  db: Db,
  list: FilterAndOrder,
  sought: SearchContext,
  { isFromEnd, offset, limit, place }: Slice,
): Walk {
  for (let turn = 0; turn < HEAD_START; turn++) yield;
  let first: number[] = [];
  const byTime = { ...list, sort: 'created' as const };
  for await (const found of scanBatches(db, byTime, sought, { isFromEnd: false }, BATCH)) {
    if (found.length > 0) {
      const users = usersByIds(db, [...first, ...found]);
      const rows = orderBySort(place ? users.where(inRange(list.sort, place)) : users, list.sort, isFromEnd)
        .select('users.id')
        .limit(offset + limit);
      first = (await engineOf(db).runBatch(() => rows.execute())).map(({ id }) => id);
    }
    yield;
  }
  return first.slice(offset);
}

/** The ids of those who match, from one stretch of an order after the other, each twice as long as the one before. */
async function* scanBatches(
  db: Db,
  list: FilterAndOrder,
  { terms, search, isByRole }: SearchContext,
  { isFromEnd, place }: Pick<Slice, 'isFromEnd' | 'place'>,
  firstLength: number,
): AsyncGenerator<number[]> {
  const { sort } = list;
  const { column } = orderOf(sort);
  // What the order's index has is not gone through.
  const [indexed, asked] = splitBounds(list, sort, isByRole);
  const has = search ? terms.map(search.has) : [];
  let places: readonly (KeyRange | undefined)[] = [place];
  let length = firstLength;
  while (places.length > 0) {
    const [next] = places;
    const rows = orderBySort(db.selectFrom('users').where(inBounds(indexed)), sort, isFromEnd)
      .select(['users.id', `users.${column} as key`])
      .select((where) => where.and([inBounds(asked)(where), ...has]).as('is_match'))
      .$if(next !== undefined, (query) => query.where(inRange(sort, next as KeyRange)))
      .limit(length);
    const runBatch = await engineOf(db).runBatch(() => rows.execute());
    yield runBatch.filter(({ is_match }) => is_match).map(({ id }) => id);
    const last = runBatch.at(-1);
    if (last === undefined || runBatch.length < length) places = places.slice(1);
    else {
      const beyond = rangesAfter(sort, { side: isFromEnd ? 'before' : 'after', ...last });
      // A tie that was asked for is not left.
      places = place?.isTie ? beyond.slice(0, 1) : beyond;
    }
    length = Math.min(BATCH, 2 * length);
  }
}

/** Goes through those who were created in the filter's dates, and keeps who comes first in the order of ids. */
async function* topByDate(db: Db, list: FilterAndOrder, { isFromEnd, offset, limit, place }: Slice): Walk {
  const { runBatch } = engineOf(db);
  const { isActive, from = 0, before } = boundsOf(list);
  const sign = isAscending(list.sort, isFromEnd) ? 1 : -1;
  let first: number[] = [];
  let start = from;
  for (;;) {
    const ends = db
      .selectFrom('users')
      .select('created_at')
      .where(inBounds({ isActive, from: start, before }))
      .orderBy('created_at')
      .limit(1)
      .offset(LONG_STRETCH);
    const [beyond] = await runBatch(() => ends.execute());
    // However many were created at one moment, it is gone past.
    const end = beyond && Math.max(beyond.created_at, start + 1);
    const dated = db
      .selectFrom('users')
      .select('users.id')
      .where(inBounds({ isActive, from: start, before: end ?? before }))
      .$if(place !== undefined, (query) => query.where(inRange(list.sort, place as KeyRange)))
      // With a limit, so that it is the dates that are gone through.
      .limit(Number.MAX_SAFE_INTEGER);
    const rows = db
      .selectFrom(dated.as('users'))
      .select('id')
      .orderBy('id', sign > 0 ? 'asc' : 'desc')
      .limit(offset + limit);
    const found = await runBatch(() => rows.execute());
    first = [...first, ...found.map(({ id }) => id)]
      .sort((one, other) => sign * (one - other))
      .slice(0, offset + limit);
    if (end === undefined) return first.slice(offset);
    start = end;
    yield;
  }
}
