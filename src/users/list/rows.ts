/** The rows of a slice of the list, found as it was planned. */
import { executeCached } from '../../db/cached-query.ts';
import { engineOf } from '../../db/engine.ts';
import type { Db, User } from '../../db/schema.ts';
import { usersByIds } from '../../db/users-by-ids.ts';
import { rowCondition } from './conditions.ts';
import type { FilterResult } from './filter-result.ts';
import { readByIndex } from './index-query.ts';
import { hasId, inRange, type Slice } from './key-range.ts';
import { isAscending, orderBySort, orderOf } from './order.ts';
import type { RowsPlan } from './plan.ts';
import { scanForPage } from './scan.ts';
import type { FilterAndOrder } from './state.ts';

type Reader = (
  db: Db,
  list: FilterAndOrder,
  slice: Slice,
  result: FilterResult,
  plan: RowsPlan,
) => Promise<User[]>;

/** What each plan does; a search and a scan throw a TooBroadError when they had to look through too many. */
export const READERS: Record<RowsPlan, Reader> = {
  index: readByIndex,
  ids: readByIds,
  search: readBySearch,
  scan: readByScan,
  'scan-or-top-by-role': readByScan,
  'scan-or-top-by-sign-in': readByScan,
  'scan-or-top-by-date': readByScan,
};

async function readByIds(
  db: Db,
  { sort }: FilterAndOrder,
  { isFromEnd, offset, limit, range }: Slice,
  { ids = [] }: FilterResult,
): Promise<User[]> {
  if (orderOf(sort).key === 'id') {
    const ordered = isAscending(sort, isFromEnd) ? ids : ids.toReversed();
    const inSlice = ordered.filter((id) => !range || hasId(range, id)).slice(offset, offset + limit);
    return usersWithIds(db, inSlice);
  }
  const users = usersByIds(db, ids);
  const ordered = orderBySort(range ? users.where(inRange(sort, range)) : users, sort, isFromEnd)
    .select('users.id')
    .limit(limit)
    .offset(offset);
  const inSlice = await engineOf(db).runBatch(() => ordered.execute());
  return usersWithIds(
    db,
    inSlice.map(({ id }) => id),
  );
}

async function readBySearch(
  db: Db,
  list: FilterAndOrder,
  { isFromEnd, offset, limit, range }: Slice,
  { search, terms, deadline, first = [] }: FilterResult,
): Promise<User[]> {
  const isReversed = !isAscending(list.sort, isFromEnd);
  const [start, end] = [offset, offset + limit];
  if (!range && !isReversed && end <= first.length) return usersWithIds(db, first.slice(start, end));
  const condition = rowCondition(list);
  const query = { terms, condition, range, isReversed, offset, limit };
  return usersWithIds(db, (await search?.find(db, query, deadline)) ?? []);
}

async function readByScan(
  db: Db,
  list: FilterAndOrder,
  slice: Slice,
  result: FilterResult,
  plan: RowsPlan,
): Promise<User[]> {
  return usersWithIds(db, await scanForPage(db, list, result, slice, plan));
}

export async function usersWithIds(db: Db, ids: readonly number[]): Promise<User[]> {
  if (ids.length === 0) return [];
  const users = await executeCached(db, 'users with ids', { ids }, (given) =>
    db.selectFrom('users').selectAll().where(engineOf(db).isOneOf('users.id', given.ids)),
  );
  return users.sort((one, other) => ids.indexOf(one.id) - ids.indexOf(other.id));
}
