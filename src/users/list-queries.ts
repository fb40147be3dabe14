/** The list of users in the database: how many there are, and those on a page. */
import type { Db, User } from '../db/schema.ts';
import { countPages, labelOf, type Neighbours, Page, type Total } from '../pagination.ts';
import type { Boundary, Filter, ListState } from './list.ts';
import { conditionsOf, hasDates, MOST_COUNTED, matches, placesBeyond, readWindow } from './list-rows.ts';
import { type Counts, countByStatus } from './queries.ts';

/** How many users a filter lets through; kept rather than counted, unless it is by date, and then up to a limit. */
export async function countUsers(db: Db, filter: Filter, known?: Counts): Promise<Total> {
  if (!hasDates(filter)) {
    const counts = known ?? (await countByStatus(db));
    return { count: filter.status ? counts[filter.status] : counts.active + counts.inactive, isExact: true };
  }
  const { count } = await db
    .selectFrom((from) =>
      from
        .selectFrom('users')
        .select('id')
        .where(matches(conditionsOf(filter)))
        .limit(MOST_COUNTED + 1)
        .as('counted'),
    )
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return { count: Math.min(count, MOST_COUNTED), isExact: count <= MOST_COUNTED };
}

/** The state of a list that may have become shorter, with the nearest page that there still is. */
export async function nearestPage(db: Db, list: ListState): Promise<ListState> {
  if (list.page === 1 || list.boundary) return list;
  const { count, isExact } = await countUsers(db, list);
  if (!isExact) return list;
  return { ...list, page: Math.max(1, Math.min(list.page, countPages(count, list.perPage))) };
}

/** A page, and the state that leads to just that page again. */
type Found = { list: ListState; page: Page<User> };

/**
 * The page that a state asks for; undefined past the end of the list.
 * @param total how many users the filter lets through.
 * @throws TooBroadError
 */
export async function readPage(db: Db, list: ListState, total: Total): Promise<Found | undefined> {
  return list.boundary ? readBeyond(db, list, list.boundary, total) : readNumber(db, list, total);
}

async function readNumber(db: Db, list: ListState, total: Total): Promise<Found | undefined> {
  const { perPage } = list;
  const pages = Math.max(1, countPages(total.count, perPage));
  if (list.page < 1 || (total.isExact && list.page > pages)) return undefined;
  // Beyond what is counted, one more than is shown tells whether there is a next page.
  const limit = total.isExact ? perPage : perPage + 1;
  const users = await listUsers(db, list, { offset: (list.page - 1) * perPage, limit, total });
  if (users.length === 0 && list.page > 1) return undefined;
  const neighbours = { hasPrev: list.page > 1, hasNext: users.length > perPage || list.page < pages };
  const page = new Page(users.slice(0, perPage), list.page, perPage, total.count, {
    ...neighbours,
    ...total,
  });
  return { list: { ...list, boundary: undefined }, page };
}

async function readBeyond(
  db: Db,
  list: ListState,
  boundary: Boundary,
  total: Total,
): Promise<Found | undefined> {
  const { perPage } = list;
  const pages = Math.max(1, countPages(total.count, perPage));
  const users = await usersBeyond(db, list, boundary, perPage + 1, total);
  const isMore = users.length > perPage;
  const isForward = boundary.side === 'after';
  if (!isForward && !isMore) return readNumber(db, { ...list, page: 1 }, total);
  if (users.length === 0) return readNumber(db, { ...list, page: total.isExact ? pages : 1 }, total);
  const isAnyBehind =
    (await usersBeyond(db, list, turned(boundary), 1, total, { isIncluded: true })).length > 0;
  const neighbours: Neighbours = {
    hasPrev: isForward ? isAnyBehind : isMore,
    hasNext: isForward ? isMore : isAnyBehind,
  };
  const shown = users.slice(0, perPage);
  const number = labelOf(list.page, total.isExact ? pages : undefined, neighbours);
  const known = { ...neighbours, ...total };
  const page = new Page(isForward ? shown : shown.reverse(), number, perPage, total.count, known);
  // At the end of the list its number says as much, unless the page begins elsewhere than one of that number would.
  const isLast = total.isExact && !neighbours.hasNext && shown.length === total.count - (pages - 1) * perPage;
  return { list: { ...list, page: number, boundary: isLast ? undefined : boundary }, page };
}

/**
 * The users at `offset` to `offset + limit` of the `total` that a filter lets through, ordered.
 *
 * Rows are skipped over in the index alone and from the nearer end, so the last page costs what the first does.
 */
export async function listUsers(
  db: Db,
  list: Filter & Pick<ListState, 'sort'>,
  { offset, limit, total }: { offset: number; limit: number; total: Total },
): Promise<User[]> {
  if (!total.isExact) return readWindow(db, list, list.sort, false, { isFromEnd: false, offset, limit });
  const count = Math.min(limit, total.count - offset);
  if (count <= 0) return [];
  const after = total.count - offset - count;
  const isFromEnd = after < offset;
  const window = { isFromEnd, offset: isFromEnd ? after : offset, limit: count };
  const users = await readWindow(db, list, list.sort, true, window);
  return isFromEnd ? users.reverse() : users;
}

/** Up to `limit` users on the far side of a boundary, the nearest first; no row is skipped over to get there. */
async function usersBeyond(
  db: Db,
  list: ListState,
  boundary: Boundary,
  limit: number,
  total: Total,
  options?: { isIncluded: boolean },
): Promise<User[]> {
  const users: User[] = [];
  for (const place of placesBeyond(list.sort, boundary, options)) {
    if (users.length === limit) break;
    const window = { isFromEnd: boundary.side === 'before', offset: 0, limit: limit - users.length, place };
    users.push(...(await readWindow(db, list, list.sort, total.isExact, window)));
  }
  return users;
}

function turned(boundary: Boundary): Boundary {
  return { ...boundary, side: boundary.side === 'after' ? 'before' : 'after' };
}
