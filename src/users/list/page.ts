/** A page of the list: by its number, or from a cursor on. */
import type { Db, User } from '../../db/schema.ts';
import { noneIfTooBroad } from '../../errors.ts';
import { countPages, labelOf, type Neighbours, Page } from '../../lib/pagination.ts';
import { type Cursor, oppositeOf } from './cursor.ts';
import { type FilterResult, resolveFilter } from './filter-result.ts';
import { rangesAfter } from './key-range.ts';
import { planRows, type RowsPlan } from './plan.ts';
import { READERS } from './rows.ts';
import type { FilterAndOrder, ListState } from './state.ts';

type FoundPage = { list: ListState; page: Page<User> };

/** Undefined past the end of the list. @throws TooBroadError */
export async function readPage(
  db: Db,
  list: ListState,
  result: FilterResult,
  plan = planRows(list, result),
): Promise<FoundPage | undefined> {
  if (list.cursor) return readPageByCursor(db, list, list.cursor, result, plan);
  const { perPage } = list;
  const { total } = result;
  const pages = Math.max(1, countPages(total.count, perPage));
  // Where nobody has counted to the end, a number that no database counts to is beyond it, too.
  if (!Number.isSafeInteger(list.page * perPage)) return undefined;
  if (list.page < 1 || (total.isExact && list.page > pages)) return undefined;
  // Beyond what is counted, one more than is shown tells whether there is a next page.
  const limit = total.isExact ? perPage : perPage + 1;
  const users = await listUsers(db, list, result, { offset: (list.page - 1) * perPage, limit }, plan);
  if (users.length === 0 && list.page > 1) return undefined;
  const neighbours = { hasPrev: list.page > 1, hasNext: users.length > perPage || list.page < pages };
  const page = new Page(users.slice(0, perPage), list.page, perPage, total.count, {
    ...neighbours,
    ...total,
  });
  return { list, page };
}

async function readPageByCursor(
  db: Db,
  list: ListState,
  cursor: Cursor,
  result: FilterResult,
  plan: RowsPlan,
): Promise<FoundPage | undefined> {
  const { perPage } = list;
  const { total } = result;
  const pages = Math.max(1, countPages(total.count, perPage));
  const users = await usersAfter(db, list, cursor, perPage + 1, result, plan);
  const isMore = users.length > perPage;
  const isForward = cursor.side === 'after';
  const pageAt = (page: number) => readPage(db, { ...list, page, cursor: undefined }, result, plan);
  if (!isForward && !isMore) return pageAt(1);
  if (users.length === 0) return pageAt(total.isExact ? pages : 1);
  const behind = await usersAfter(db, list, oppositeOf(cursor), 1, result, plan, { isIncluded: true });
  const isAnyBehind = behind.length > 0;
  const neighbours: Neighbours = {
    hasPrev: isForward ? isAnyBehind : isMore,
    hasNext: isForward ? isMore : isAnyBehind,
  };
  const shown = users.slice(0, perPage);
  const number = labelOf(list.page, total.isExact ? pages : undefined, neighbours);
  const page = new Page(isForward ? shown : shown.reverse(), number, perPage, total.count, {
    ...neighbours,
    ...total,
  });
  // At the end of the list its number says as much, unless the page begins elsewhere than one of that number would.
  const isLast = total.isExact && !neighbours.hasNext && shown.length === total.count - (pages - 1) * perPage;
  return { list: { ...list, page: number, cursor: isLast ? undefined : cursor }, page };
}

/** Reads from the nearer end, so that the last page costs what the first does. */
export async function listUsers(
  db: Db,
  list: FilterAndOrder,
  result: FilterResult,
  { offset, limit }: { offset: number; limit: number },
  plan = planRows(list, result),
): Promise<User[]> {
  const { count, isExact } = result.total;
  if (!isExact) return READERS[plan](db, list, { isFromEnd: false, offset, limit }, result, plan);
  const most = Math.min(limit, count - offset);
  if (most <= 0) return [];
  const after = count - offset - most;
  const isFromEnd = after < offset;
  const slice = { isFromEnd, offset: isFromEnd ? after : offset, limit: most };
  const users = await READERS[plan](db, list, slice, result, plan);
  return isFromEnd ? users.reverse() : users;
}

/** The nearest first; no row is skipped over to get there. */
export async function usersAfter(
  db: Db,
  list: ListState,
  cursor: Cursor,
  limit: number,
  result: FilterResult,
  plan: RowsPlan,
  options?: { isIncluded: boolean },
): Promise<User[]> {
  const users: User[] = [];
  for (const range of rangesAfter(list.sort, cursor, options)) {
    if (users.length === limit) break;
    const slice = { isFromEnd: cursor.side === 'before', offset: 0, limit: limit - users.length, range };
    users.push(...(await READERS[plan](db, list, slice, result, plan)));
  }
  return users;
}

/** The list may have become shorter since, or is about to become. */
export async function nearestPage(db: Db, list: ListState, { without = 0 } = {}): Promise<ListState> {
  if (list.page === 1 || list.cursor) return list;
  const result = await resolveFilter(db, list).catch(noneIfTooBroad);
  if (!result?.total.isExact) return list;
  const pages = countPages(result.total.count - without, list.perPage);
  return { ...list, page: Math.max(1, Math.min(list.page, pages)) };
}
