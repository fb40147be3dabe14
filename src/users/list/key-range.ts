/** What lies on one side of a cursor, as ranges of an index. */
import type { Condition } from '../../db/search-index.ts';
import type { Cursor } from './cursor.ts';
import { hasTies, orderOf, type Sort } from './order.ts';

/** A tie is among those with the key, beyond the id. */
export type KeyRange = {
  isTie: boolean;
  operator: '<' | '<=' | '>' | '>=';
  key: string | number;
  id: number;
};

export type Slice = { isFromEnd: boolean; offset: number; limit: number; range?: KeyRange | undefined };

/** The nearest first. */
export function rangesAfter(
  sort: Sort,
  { side, id, key }: Cursor,
  { isIncluded } = { isIncluded: false },
): KeyRange[] {
  const order = orderOf(sort);
  const beyond = (side === 'after') === order.isDescending ? '<' : '>';
  const from = isIncluded ? (`${beyond}=` as const) : beyond;
  if (!hasTies(order)) {
    // Nobody has the id 0, so whoever has the key itself comes after it.
    const isBefore = id === 0 && beyond === '>';
    return [{ isTie: false, operator: isBefore ? '>=' : from, key, id }];
  }
  return [
    { isTie: true, operator: from, key, id },
    { isTie: false, operator: beyond, key, id },
  ];
}

export function inRange(sort: Sort, { isTie, operator, key, id }: KeyRange): Condition {
  const column = `users.${orderOf(sort).column}` as const;
  return (where) =>
    isTie
      ? where.and([where(column, '=', key), where('users.id', operator, id)])
      : where(column, operator, key);
}

export function hasId({ operator, id: from }: KeyRange, id: number): boolean {
  if (operator.startsWith('<')) return operator === '<' ? id < from : id <= from;
  return operator === '>' ? id > from : id >= from;
}
