/** The rows of a slice of the list, found as it was planned. */
import { engineOf } from '../../db/engine.ts';
import type { Db, User } from '../../db/schema.ts';
import { usersByIds } from '../../db/users-by-ids.ts';
import { rowCondition } from './conditions.ts';
import type { FilterResult } from './filter-result.ts';
import { readByIndex } from './index-query.ts';
import { hasId, inRange, type Slice } from './key-range.ts';
import { isAscending, orderBySort, orderOf, type Sort } from './order.ts';
import type { RowsPlan } from './plan.ts';
import { scanForPage } from './scan.ts';
import type { FilterAndOrder } from './scan-batches.ts';

type Reader = (
  db: Db,
  list: FilterAndOrder,
  result: FilterResult,
  slice: Slice,
  plan: RowsPlan,
) => Promise<User[]>;

/** What each plan does; all but the first two throw a TooBroadError when they had to look through too many. */
export const READERS: Record<RowsPlan, Reader> = {
  index: (db, list, _result, slice) => readByIndex(db, list, slice),
  ids: async (db, { sort }, { ids = [] }, slice) => usersWithIds(db, await sliceOfIds(db, ids, sort, slice)),
  search: async (db, list, result, slice) => usersWithIds(db, await searchForSlice(db, list, result, slice)),
  scan: readByScan,
  'scan-or-top-by-role': readByScan,
  'scan-or-top-by-date': readByScan,
};

async function sliceOfIds(
  db: Db,
  ids: readonly number[],
  sort: Sort,
  { isFromEnd, offset, limit, range }: Slice,
): Promise<readonly number[]> {
  if (orderOf(sort).key === 'id') {
    const ordered = isAscending(sort, isFromEnd) ? ids : ids.toReversed();
    return ordered.filter((id) => !range || hasId(range, id)).slice(offset, offset + limit);
  }
  const users = usersByIds(db, ids);
  const shown = orderBySort(range ? users.where(inRange(sort, range)) : users, sort, isFromEnd)
    .select('users.id')
    .limit(limit)
    .offset(offset);
  return (await engineOf(db).runBatch(() => shown.execute())).map(({ id }) => id);
}

async function searchForSlice(
  db: Db,
  list: FilterAndOrder,
  { search, terms, deadline }: FilterResult,
  { isFromEnd, offset, limit, range }: Slice,
): Promise<readonly number[]> {
  const condition = rowCondition(list);
  const isReversed = !isAscending(list.sort, isFromEnd);
  const query = { terms, condition, range, isReversed, offset, limit };
  return (await search?.find(db, query, deadline)) ?? [];
}

async function readByScan(...[db, list, result, slice, plan]: Parameters<Reader>): Promise<User[]> {
  return usersWithIds(db, await scanForPage(db, list, result, slice, plan));
}

async function usersWithIds(db: Db, ids: readonly number[]): Promise<User[]> {
  if (ids.length === 0) return [];
  const users = await db
    .selectFrom('users')
    .selectAll()
    .where(engineOf(db).isOneOf('users.id', ids))
    .execute();
  return users.sort((one, other) => ids.indexOf(one.id) - ids.indexOf(other.id));
}
