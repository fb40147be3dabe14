/** The rows of the list: those at some place of an order that a filter lets through. */
import type { CompiledQuery, SelectQueryBuilder } from 'kysely';
import { cachedQuery } from '../../db/cached-query.ts';
import { engineOf } from '../../db/engine.ts';
import type { Db, Schema, User } from '../../db/schema.ts';
import { usersByIds } from '../../db/users-by-ids.ts';
import { type Filter, orderOf, type Sort } from './address.ts';
import type { FilterResult } from './filter-result.ts';
import { boundsOf, hasBounds, hasDates, inBounds, isIndexed, isWithin } from './filters.ts';
import { inRange, isAscending, type KeyRange, orderBySort, type Slice } from './order.ts';
import { type FilterAndOrder, scanForPage } from './scan.ts';

/** Rows to be skipped over, from which on it pays to do it in the index alone, and as little as possible with each. */
const FAR = 1_000;

/**
 * The rows of a window: from one index that has both the filter and the order where there is one, else from the few who
 * match or from the index of the search, and else by looking through the order for those who match.
 * @throws TooBroadError when too many had to be looked through.
 */
export async function readSlice(
  db: Db,
  list: FilterAndOrder,
  matches: FilterResult,
  window: Slice,
): Promise<User[]> {
  const { column } = orderOf(list.sort);
  if (isIndexed(list, list.sort)) {
    const query = () => db.executeQuery(usersInSlice(db, list, list.sort, window));
    return (await (window.offset > FAR ? engineOf(db).skipOver(db, query) : query())).rows;
  }
  if (column === 'id' && (matches.ids || matches.search)) {
    return usersWithIds(db, await idsInSlice(db, list, matches, window));
  }
  if (matches.ids) return usersAmong(db, matches.ids, list.sort, window);
  return usersWithIds(db, await scanForPage(db, list, matches, window));
}

/** The query of a window in the order of an index. */
export function usersInSlice(
  db: Db,
  filter: Filter,
  sort: Sort,
  { isFromEnd, offset, limit, place }: Slice,
): CompiledQuery<User> {
  const isFar = offset > FAR;
  const isFarInStatus = isFar && filter.status !== undefined && !hasDates(filter) && !place;
  const shape = `users in window ${[sort, isFromEnd, place?.isTie, place?.operator, isFar, isFarInStatus && filter.status]}`;
  const values = { ...boundsOf(filter), key: place?.key, id: place?.id, offset, limit };
  return cachedQuery(db, shape, values, ({ key, id, ...slots }) => {
    const beyond = place && inRange(sort, { ...place, key: key as string, id: id as number });
    const walk = (from: Pick<Db, 'selectFrom'>) => {
      const users = isFarInStatus
        ? farInStatus(from.selectFrom('users'), filter.status === 'active', isAscending(sort, isFromEnd))
        : from.selectFrom('users').where(inBounds(slots));
      const ordered = orderBySort(beyond ? users.where(beyond) : users, sort, isFromEnd);
      return ordered.limit(slots.limit).offset(slots.offset);
    };
    if (!isFar) return walk(db).selectAll('users');
    return (
      db
        .selectFrom((from) =>
          walk(from as never)
            .select('users.id')
            .as('shown'),
        )
        // Not an inner join: SQLite keeps the order of a cross join, and so looks up just the rows shown.
        .crossJoin('users')
        .whereRef('users.id', '=', 'shown.id')
        .selectAll('users')
        .$call((query) => orderBySort(query, sort, isFromEnd))
    );
  });
}

/** The ids of a window in the order of ids: from those of the few who match, or from the index of the search. */
async function idsInSlice(
  db: Db,
  list: FilterAndOrder,
  { ids, search, terms, until }: FilterResult,
  { isFromEnd, offset, limit, place }: Slice,
): Promise<readonly number[]> {
  const isReversed = !isAscending(list.sort, isFromEnd);
  if (ids) {
    const ordered = isReversed ? ids.toReversed() : ids;
    return ordered.filter((id) => !place || isBeyond(id, place)).slice(offset, offset + limit);
  }
  const condition = hasBounds(list) ? isWithin(list) : undefined;
  const question = { terms, condition, beyond: place, isReversed, offset, limit };
  return (await search?.find(db, question, until)) ?? [];
}

function isBeyond(id: number, { operator, id: from }: KeyRange): boolean {
  if (operator.startsWith('<')) return operator === '<' ? id < from : id <= from;
  return operator === '>' ? id > from : id >= from;
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

/** A window among a few users, who are looked up and put into order. */
async function usersAmong(
  db: Db,
  ids: readonly number[],
  sort: Sort,
  { isFromEnd, offset, limit, place }: Slice,
): Promise<User[]> {
  const users = usersByIds(db, ids);
  const shown = orderBySort(place ? users.where(inRange(sort, place)) : users, sort, isFromEnd)
    .select('users.id')
    .limit(limit)
    .offset(offset);
  const rows = await engineOf(db).runBatch(() => shown.execute());
  return usersWithIds(
    db,
    rows.map(({ id }) => id),
  );
}

/**
 * The users of a status, to skip over many: whoever comes before them is left out, and nobody after them is reached
 * within their total. To compare each with both ends of the status would take twice as long.
 */
function farInStatus<Q extends SelectQueryBuilder<Schema, 'users', object>>(
  users: Q,
  isActive: boolean,
  isAscending: boolean,
): Q {
  const ordered = users.orderBy('users.is_active', isAscending ? 'asc' : 'desc');
  if (isActive !== isAscending) return ordered as Q;
  return ordered.where('users.is_active', isActive ? '>=' : '<=', isActive) as Q;
}
