/** The orders of the list: as they are named, and as SQL. */
import type { SelectQueryBuilder } from 'kysely';
import type { Schema, User } from '../../db/schema.ts';

const SORT_COLUMNS = {
  id: 'id',
  name: 'name_sort',
  username: 'username_sort',
  email: 'email_key',
  created: 'created_at',
} as const satisfies Record<string, keyof User>;

export type SortKey = keyof typeof SORT_COLUMNS;
export type SortColumn = (typeof SORT_COLUMNS)[SortKey];
/** With a `-`, from the highest value down. */
export type Sort = SortKey | `-${SortKey}`;
export const SORT_KEYS = Object.keys(SORT_COLUMNS) as readonly SortKey[];

export const SORT_LABELS: readonly [Sort, string][] = [
  ['id', 'Number, lowest first'],
  ['-id', 'Number, highest first'],
  ['name', 'Name, A to Z'],
  ['-name', 'Name, Z to A'],
  ['username', 'Username, A to Z'],
  ['-username', 'Username, Z to A'],
  ['email', 'Email, A to Z'],
  ['-email', 'Email, Z to A'],
  ['created', 'Created, oldest first'],
  ['-created', 'Created, newest first'],
];

export function parseSort(typed: string): Sort | undefined {
  return SORT_KEYS.flatMap((key): Sort[] => [key, `-${key}`]).find((sort) => sort === typed);
}

export function orderOf(sort: Sort): { key: SortKey; column: SortColumn; isDescending: boolean } {
  const key = sort.replace('-', '') as SortKey;
  return { key, column: SORT_COLUMNS[key], isDescending: sort.startsWith('-') };
}

/** Whether several users may have the same key: they are then in the order of their ids. */
export function hasTies({ column }: { column: SortColumn }): boolean {
  return column !== 'id' && column !== 'email_key';
}

export function isAscending(sort: Sort, isFromEnd: boolean): boolean {
  return orderOf(sort).isDescending === isFromEnd;
}

export function orderBySort<Q extends SelectQueryBuilder<Schema, 'users', object>>(
  query: Q,
  sort: Sort,
  isFromEnd: boolean,
): Q {
  const order = orderOf(sort);
  const direction = isAscending(sort, isFromEnd) ? 'asc' : 'desc';
  const ordered = query.orderBy(`users.${order.column}`, direction);
  return (hasTies(order) ? ordered.orderBy('users.id', direction) : ordered) as Q;
}
