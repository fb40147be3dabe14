/** The orders of the list, as SQL: where a row is in one, and what comes before and after it. */
import type { ExpressionBuilder, SelectQueryBuilder } from 'kysely';
import type { Schema } from '../../db/schema.ts';
import { type Cursor, orderOf, type Sort } from './address.ts';

/** Which rows of a list, in its order or, from the end, in the reverse of it. */
export type Slice = { isFromEnd: boolean; offset: number; limit: number; place?: KeyRange | undefined };

/** A stretch of an order: beyond a key, or, in a tie, among those with that key beyond an id. */
export type KeyRange = {
  isTie: boolean;
  operator: '<' | '<=' | '>' | '>=';
  key: string | number;
  id: number;
};

/** What lies beyond a boundary, in pieces that each are one stretch of an index, the nearest first. */
export function rangesAfter(
  sort: Sort,
  { side, id, key }: Cursor,
  { isIncluded } = { isIncluded: false },
): KeyRange[] {
  const { column, isDescending } = orderOf(sort);
  const beyond = (side === 'after') === isDescending ? '<' : '>';
  const from = isIncluded ? (`${beyond}=` as const) : beyond;
  if (column !== 'created_at') {
    // Nobody has the id 0, so whoever has the key itself comes after it.
    const isBefore = id === 0 && beyond === '>';
    return [{ isTie: false, operator: isBefore ? '>=' : from, key, id }];
  }
  return [
    { isTie: true, operator: from, key, id },
    { isTie: false, operator: beyond, key, id },
  ];
}

/** Whether a user is at a place of an order. */
export function inRange(sort: Sort, { isTie, operator, key, id }: KeyRange) {
  const column = `users.${orderOf(sort).column}` as const;
  return (where: ExpressionBuilder<Schema, 'users'>) =>
    isTie
      ? where.and([where(column, '=', key), where('users.id', operator, id)])
      : where(column, operator, key);
}

/** Whether a window goes from the lowest key up. */
export function isAscending(sort: Sort, isFromEnd: boolean): boolean {
  return orderOf(sort).isDescending === isFromEnd;
}

/** Orders by a sort key, and by id where several users may have the same; or all of it the other way round. */
export function orderBySort<Q extends SelectQueryBuilder<Schema, 'users', object>>(
  query: Q,
  sort: Sort,
  isReversed: boolean,
): Q {
  const { column } = orderOf(sort);
  const direction = isAscending(sort, isReversed) ? 'asc' : 'desc';
  const ordered = query.orderBy(`users.${column}`, direction);
  return (column === 'created_at' ? ordered.orderBy('users.id', direction) : ordered) as Q;
}
