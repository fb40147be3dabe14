/** Pages for which no index has both the filter and the order: something is gone through, in stretches. */
import { engineOf } from '../db/engine.ts';
import type { Db } from '../db/schema.ts';
import { TooBroadError } from '../errors.ts';
import type { Filter, Sort } from './list.ts';
import { orderOf } from './list.ts';
import { inOrder, isAscending, isAt, type Place, placesBeyond, type Window } from './list-order.ts';
import { boundsOf, hasDates, isInBounds, type Matches } from './matches.ts';

/** Rows that are looked through in one go: a few milliseconds, in which SQLite answers nobody else. */
const STRETCH = 2_000;

/** The same, of an index that is not left for the rows. */
const LONG_STRETCH = 20_000;

export type FilterAndOrder = Filter & { sort: Sort };

/** Yields after each stretch, and returns the ids of those who are in the window. */
type Walk = AsyncGenerator<void, number[]>;

/**
 * The ids of a window, by whichever way is the shorter: through the order, for those who match, or through those who match,
 * for those who come first in the order of ids.
 * @throws TooBroadError when neither comes to an end in time.
 */
export async function walkToWindow(db: Db, list: FilterAndOrder, matches: Matches, window: Window) {
  const walks = [lookThrough(db, list, matches, window)];
  if (list.q === undefined && hasDates(list) && orderOf(list.sort).column === 'id')
    walks.push(gather(db, list, window));
  for (;;) {
    for (const walk of walks) {
      const { done, value } = await walk.next();
      if (done) return value;
    }
    if (performance.now() > matches.until) throw new TooBroadError('Too many rows had to be looked through.');
  }
}

/** Goes through an order and keeps who matches. */
async function* lookThrough(
  db: Db,
  list: FilterAndOrder,
  { pieces, search }: Matches,
  { isFromEnd, offset, limit, place }: Window,
): Walk {
  const { sort } = list;
  const { column } = orderOf(sort);
  const { isActive, ...dates } = boundsOf(list);
  // What the order's index has is not gone through.
  const bounds = column === 'created_at' ? { isActive, ...dates } : { isActive };
  const has = search ? pieces.map(search.has) : [];
  const ids: number[] = [];
  let places: readonly (Place | undefined)[] = [place];
  while (places.length > 0) {
    const [next] = places;
    const rows = inOrder(db.selectFrom('users').where(isInBounds(bounds)), sort, isFromEnd)
      .select(['users.id', `users.${column} as key`])
      .select((where) => where.and([isInBounds(dates)(where), ...has]).as('is_match'))
      .$if(next !== undefined, (query) => query.where(isAt(sort, next as Place)))
      .limit(STRETCH);
    const stretch = await engineOf(db).stretch(() => rows.execute());
    ids.push(...stretch.filter(({ is_match }) => is_match).map(({ id }) => id));
    const last = stretch.at(-1);
    if (ids.length >= offset + limit) break;
    if (last === undefined || stretch.length < STRETCH) places = places.slice(1);
    else {
      const beyond = placesBeyond(sort, { side: isFromEnd ? 'before' : 'after', ...last });
      // A tie that was asked for is not left.
      places = place?.isTie ? beyond.slice(0, 1) : beyond;
    }
    yield;
  }
  return ids.slice(offset, offset + limit);
}

/** Goes through those who were created in the filter's dates, and keeps who comes first in the order of ids. */
async function* gather(db: Db, list: FilterAndOrder, { isFromEnd, offset, limit, place }: Window): Walk {
  const { stretch } = engineOf(db);
  const { isActive, from = 0, before } = boundsOf(list);
  const sign = isAscending(list.sort, isFromEnd) ? 1 : -1;
  let first: number[] = [];
  let start = from;
  for (;;) {
    const ends = db
      .selectFrom('users')
      .select('created_at')
      .where(isInBounds({ isActive, from: start, before }))
      .orderBy('created_at')
      .limit(1)
      .offset(LONG_STRETCH);
    const [beyond] = await stretch(() => ends.execute());
    // However many were created at one moment, it is gone past.
    const end = beyond && Math.max(beyond.created_at, start + 1);
    const dated = db
      .selectFrom('users')
      .select('users.id')
      .where(isInBounds({ isActive, from: start, before: end ?? before }))
      .$if(place !== undefined, (query) => query.where(isAt(list.sort, place as Place)))
      // With a limit, so that it is the dates that are gone through.
      .limit(Number.MAX_SAFE_INTEGER);
    const rows = db
      .selectFrom(dated.as('users'))
      .select('id')
      .orderBy('id', sign > 0 ? 'asc' : 'desc')
      .limit(offset + limit);
    const found = await stretch(() => rows.execute());
    first = [...first, ...found.map(({ id }) => id)]
      .sort((one, other) => sign * (one - other))
      .slice(0, offset + limit);
    if (end === undefined) return first.slice(offset);
    start = end;
    yield;
  }
}
