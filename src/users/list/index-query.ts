/** The query of a slice for which one index has both the filter and the order. */
import type { CompiledQuery, SelectQueryBuilder } from 'kysely';
import { cachedQuery } from '../../db/cached-query.ts';
import { engineOf } from '../../db/engine.ts';
import type { Db, Schema, User } from '../../db/schema.ts';
import { boundsOf, inBounds } from './conditions.ts';
import type { Filter } from './filter.ts';
import { inRange, type Slice } from './key-range.ts';
import { isAscending, orderBySort, type Sort } from './order.ts';
import type { FilterAndOrder } from './state.ts';

/** From this offset on, page through ids in the index alone, then join the rows. */
const FAR = 1_000;

export async function readByIndex(db: Db, list: FilterAndOrder, slice: Slice): Promise<User[]> {
  const query = usersInSlice(db, list, list.sort, slice);
  if (slice.offset <= FAR) return (await db.executeQuery(query)).rows;
  return (await engineOf(db).skipOver(db, () => db.executeQuery(query))).rows;
}

export function usersInSlice(
  db: Db,
  filter: Filter,
  sort: Sort,
  { isFromEnd, offset, limit, range }: Slice,
): CompiledQuery<User> {
  const bounds = boundsOf(filter);
  const isFar = offset > FAR;
  const isFarInStatus = isFar && !range && Object.keys(bounds).join() === 'status';
  const shape = `users in slice ${[sort, isFromEnd, range?.isTie, range?.operator, isFar, isFarInStatus && filter.status]}`;
  const values = { ...bounds, key: range?.key, id: range?.id, offset, limit };
  return cachedQuery(db, shape, values, (given) => {
    const beyond = range && inRange(sort, { ...range, key: given.key as string, id: given.id as number });
    const walk = (from: Pick<Db, 'selectFrom'>) => {
      const users = isFarInStatus
        ? farInStatus(from.selectFrom('users'), filter.status === 'active', isAscending(sort, isFromEnd))
        : from.selectFrom('users').where(inBounds(given));
      const ordered = orderBySort(beyond ? users.where(beyond) : users, sort, isFromEnd);
      return ordered.limit(given.limit).offset(given.offset);
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

/** Leaves out who comes before the status, and nobody is reached after it: comparing both ends takes twice as long. */
function farInStatus<Q extends SelectQueryBuilder<Schema, 'users', object>>(
  users: Q,
  isActive: boolean,
  isAscending: boolean,
): Q {
  const ordered = users.orderBy('users.is_active', isAscending ? 'asc' : 'desc');
  if (isActive !== isAscending) return ordered as Q;
  return ordered.where('users.is_active', isActive ? '>=' : '<=', isActive) as Q;
}
