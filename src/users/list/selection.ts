/** Those on the list to whom something is to be done: who was ticked, or all that match. */
import type { Db, User } from '../../db/schema.ts';
import { usersByIds } from '../../db/users-by-ids.ts';
import type { Fields } from '../../lib/forms.ts';
import { wholeNumber } from '../../lib/text.ts';
import { listQuery, parseFrom } from './address.ts';
import { orderBySort } from './order.ts';
import { LARGEST_PAGE } from './page-size.ts';
import type { ListState } from './state.ts';
import { walk } from './walk.ts';

/** `ticked`: their numbers; undefined for all that match. `list`: where they stand, with its filter and order. */
export type Selection = { list: ListState; ticked: readonly number[] | undefined };

const TICK = /^tick\.(\d{1,15})$/;

/** Of `?from=q%3Dmar&tick.7=on`, or with `all=on`. A page has no more ticks than users. */
export function parseSelection(query: Fields, now: number): Selection {
  const list = parseFrom(query, now);
  if (query.all !== undefined) return { list, ticked: undefined };
  const ids = Object.keys(query).map((name) => wholeNumber(TICK.exec(name)?.[1] ?? ''));
  return { list, ticked: ids.filter((id) => id !== undefined).slice(0, LARGEST_PAGE) };
}

export function isEmpty({ ticked }: Selection): boolean {
  return ticked?.length === 0;
}

export function selectionParameters({ list, ticked }: Selection): [name: string, value: string][] {
  const names = ticked?.map((id) => `tick.${id}`) ?? ['all'];
  return [['from', listQuery(list)], ...names.map((name): [string, string] => [name, 'on'])];
}

/** In the order of the list. */
export async function* selectedUsers(db: Db, { list, ticked }: Selection): AsyncGenerator<User[]> {
  if (ticked === undefined) yield* walk(db, list);
  else yield await orderBySort(usersByIds(db, ticked), list.sort, false).selectAll('users').execute();
}
