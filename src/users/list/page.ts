/** The list of users in the database: those on a page. */
import type { Db, User } from '../../db/schema.ts';
import { noneIfTooBroad } from '../../errors.ts';
import { countPages, labelOf, type Neighbours, Page } from '../../pagination.ts';
import type { Cursor, Filter, ListState } from './address.ts';
import { type FilterResult, resolveFilter } from './filter-result.ts';
import { rangesAfter } from './order.ts';
import { readSlice } from './rows.ts';

/** The state of a list that may have become shorter, with the nearest page that there still is. */
export async function nearestPage(db: Db, list: ListState): Promise<ListState> {
  if (list.page === 1 || list.cursor) return list;
  const matches = await resolveFilter(db, list).catch(noneIfTooBroad);
  if (!matches?.total.isExact) return list;
  const { count } = matches.total;
  return { ...list, page: Math.max(1, Math.min(list.page, countPages(count, list.perPage))) };
}

/** A page, and the state that leads to just that page again. */
type Found = { list: ListState; page: Page<User> };

/**
 * The page that a state asks for; undefined past the end of the list.
 * @param matches who the filter lets through.
 * @throws TooBroadError
 */
export async function readPage(db: Db, list: ListState, matches: FilterResult): Promise<Found | undefined> {
  return list.cursor ? readPageByCursor(db, list, list.cursor, matches) : readPageByNumber(db, list, matches);
}

async function readPageByNumber(db: Db, list: ListState, matches: FilterResult): Promise<Found | undefined> {
  const { perPage } = list;
  const { total } = matches;
  const pages = Math.max(1, countPages(total.count, perPage));
  // Where nobody has counted to the end, a number that no database counts to is beyond it, too.
  if (!Number.isSafeInteger(list.page * perPage)) return undefined;
  if (list.page < 1 || (total.isExact && list.page > pages)) return undefined;
  // Beyond what is counted, one more than is shown tells whether there is a next page.
  const limit = total.isExact ? perPage : perPage + 1;
  const users = await listUsers(db, list, matches, { offset: (list.page - 1) * perPage, limit });
  if (users.length === 0 && list.page > 1) return undefined;
  const neighbours = { hasPrev: list.page > 1, hasNext: users.length > perPage || list.page < pages };
  const page = new Page(users.slice(0, perPage), list.page, perPage, total.count, {
    ...neighbours,
    ...total,
  });
  return { list: { ...list, cursor: undefined }, page };
}

async function readPageByCursor(
  db: Db,
  list: ListState,
  cursor: Cursor,
  matches: FilterResult,
): Promise<Found | undefined> {
  const { perPage } = list;
  const { total } = matches;
  const pages = Math.max(1, countPages(total.count, perPage));
  const users = await usersBeyond(db, list, cursor, perPage + 1, matches);
  const isMore = users.length > perPage;
  const isForward = cursor.side === 'after';
  if (!isForward && !isMore) return readPageByNumber(db, { ...list, page: 1 }, matches);
  if (users.length === 0) return readPageByNumber(db, { ...list, page: total.isExact ? pages : 1 }, matches);
  const isAnyBehind =
    (await usersBeyond(db, list, turned(cursor), 1, matches, { isIncluded: true })).length > 0;
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
  return { list: { ...list, page: number, cursor: isLast ? undefined : cursor }, page };
}

/**
 * The users at `offset` to `offset + limit` of those that a filter lets through, ordered.
 *
 * Rows are skipped over in the index alone and from the nearer end, so the last page costs what the first does.
 */
export async function listUsers(
  db: Db,
  list: Filter & Pick<ListState, 'sort'>,
  matches: FilterResult,
  { offset, limit }: { offset: number; limit: number },
): Promise<User[]> {
  const { count, isExact } = matches.total;
  if (!isExact) return readSlice(db, list, matches, { isFromEnd: false, offset, limit });
  const most = Math.min(limit, count - offset);
  if (most <= 0) return [];
  const after = count - offset - most;
  const isFromEnd = after < offset;
  const window = { isFromEnd, offset: isFromEnd ? after : offset, limit: most };
  const users = await readSlice(db, list, matches, window);
  return isFromEnd ? users.reverse() : users;
}

/** Up to `limit` users on the far side of a boundary, the nearest first; no row is skipped over to get there. */
async function usersBeyond(
  db: Db,
  list: ListState,
  cursor: Cursor,
  limit: number,
  matches: FilterResult,
  options?: { isIncluded: boolean },
): Promise<User[]> {
  const users: User[] = [];
  for (const place of rangesAfter(list.sort, cursor, options)) {
    if (users.length === limit) break;
    const window = { isFromEnd: cursor.side === 'before', offset: 0, limit: limit - users.length, place };
    users.push(...(await readSlice(db, list, matches, window)));
  }
  return users;
}

function turned(cursor: Cursor): Cursor {
  return { ...cursor, side: cursor.side === 'after' ? 'before' : 'after' };
}
