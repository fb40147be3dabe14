/** Those on the list to whom something is to be done: who was ticked, or all that match. */
import type { Db, User } from '../../db/schema.ts';
import { usersByIds } from '../../db/users-by-ids.ts';
import { noneIfTooBroad } from '../../errors.ts';
import { DAY } from '../../lib/clock.ts';
import { Deadline } from '../../lib/deadline.ts';
import { type Fields, formatQuery } from '../../lib/forms.ts';
import type { Total } from '../../lib/pagination.ts';
import { wholeNumber } from '../../lib/text.ts';
import { listParameters, listQuery, parseFrom } from './address.ts';
import { resolveFilter } from './filter-result.ts';
import { orderBySort, type Sort } from './order.ts';
import { LARGEST_PAGE } from './page-size.ts';
import type { ListState } from './state.ts';
import { walk } from './walk.ts';

/** `ticked`: their numbers; undefined for all that match. `list`: where they stand, with its filter and order. */
export type Selection = { list: ListState; ticked: readonly number[] | undefined };

const TICK = /^tick\.(\d{1,15})$/;

/** Of `?from=q%3Dmar&tick.7=on`, or with `all=on`. A page has no more ticks than users. */
export function parseSelection(query: Fields, now: number): Selection {
  return { list: parseFrom(query, now), ticked: parseTicks(query) };
}

export function parseTicks(query: Fields): Selection['ticked'] {
  if (query.all !== undefined) return undefined;
  const ids = Object.keys(query).map((name) => wholeNumber(TICK.exec(name)?.[1] ?? ''));
  return ids.filter((id) => id !== undefined).slice(0, LARGEST_PAGE);
}

export function isEmpty({ ticked }: Selection): boolean {
  return ticked?.length === 0;
}

type Parameter = [name: string, value: string];

export function selectionParameters({ list, ticked }: Selection): Parameter[] {
  const from = listQuery(list);
  return [...(from ? [['from', from] as Parameter] : []), ...ticksOf(ticked)];
}

function ticksOf(ticked: Selection['ticked']): Parameter[] {
  const names = ticked?.map((id) => `tick.${id}`) ?? ['all'];
  return names.map((name) => [name, 'on']);
}

export function tickedAddress({ list, ticked }: Selection): string {
  return `/users?${formatQuery([...listParameters(list), ...ticksOf(ticked)])}`;
}

export function selectionAddress(
  path: string,
  selection: Selection,
  more: readonly Parameter[] = [],
): string {
  return `${path}?${formatQuery([...selectionParameters(selection), ...more])}`;
}

export async function countSelected(db: Db, { list, ticked }: Selection): Promise<Total | undefined> {
  if (ticked === undefined) return (await resolveFilter(db, list).catch(noneIfTooBroad))?.total;
  const { length } = await usersByIds(db, ticked).select('users.id').execute();
  return { count: length, isExact: true };
}

/** `batches`: in the order of the list. @throws TooBroadError at the deadline, now or later */
export async function selectUsers(
  db: Db,
  { list, ticked }: Selection,
  deadline = Deadline.in(DAY),
): Promise<{ total: Total; batches: AsyncIterable<User[]> }> {
  if (ticked === undefined) {
    const result = await resolveFilter(db, list, { deadline });
    return { total: result.total, batches: walk(db, list, result) };
  }
  const users = await findTicked(db, ticked, list.sort);
  return { total: { count: users.length, isExact: true }, batches: atOnce(users) };
}

export async function findTicked(db: Db, ticked: readonly number[], sort: Sort): Promise<User[]> {
  return orderBySort(usersByIds(db, ticked), sort, false).selectAll('users').execute();
}

async function* atOnce<T>(batch: T): AsyncGenerator<T> {
  yield batch;
}
