/** The rows of the list: those at some place of an order that a filter lets through. */
import { setImmediate } from 'node:timers/promises';
import type { Expression, ExpressionBuilder, SelectQueryBuilder, SqlBool } from 'kysely';
import type { Db, Schema, User } from '../db/schema.ts';
import { TooBroadError } from '../errors.ts';
import { type Boundary, type Filter, orderOf, type Sort } from './list.ts';

const DAY = 24 * 60 * 60 * 1000;

/** Up to this many users that a filter by date lets through are counted, and put into any order. */
export const MOST_COUNTED = 10_000;
/** Rows that are looked through in one go: a few milliseconds, in which SQLite answers nobody else. */
const STRETCH = 2_000;
/** Milliseconds after which whoever looks through rows gives up. */
const PATIENCE = 1_000;

/** Which rows of a list, in its order or, from the end, in the reverse of it. */
export type Window = { isFromEnd: boolean; offset: number; limit: number; place?: Place | undefined };

/** A stretch of an order. */
export type Place = (where: ExpressionBuilder<Schema, 'users'>) => Expression<SqlBool>;

/**
 * The rows of a window, from one index that has both the filter and the order; where there is none, by ordering the few
 * that match or, when they are not `areFew`, by looking through the order for those that match.
 * @throws TooBroadError when too many had to be looked through.
 */
export async function readWindow(
  db: Db,
  filter: Filter,
  sort: Sort,
  areFew: boolean,
  window: Window,
): Promise<User[]> {
  const hasIndex = !hasDates(filter) || orderOf(sort).column === 'created_at';
  return hasIndex || areFew
    ? usersInWindow(db, filter, sort, window, { isOrderedLast: !hasIndex }).execute()
    : lookThrough(db, filter, sort, window);
}

/** @param isOrderedLast whether what matches is found first, up to `MOST_COUNTED` rows, and then put into order. */
export function usersInWindow(
  db: Db,
  filter: Filter,
  sort: Sort,
  { isFromEnd, offset, limit, place }: Window,
  { isOrderedLast } = { isOrderedLast: false },
) {
  const matching = matches(filter);
  return (
    db
      .selectFrom((from) => {
        const users = isOrderedLast
          ? from.selectFrom(
              from.selectFrom('users').selectAll().where(matching).limit(MOST_COUNTED).as('users'),
            )
          : from.selectFrom('users').where(matching);
        return inOrder(place ? users.where(place) : users, sort, isFromEnd)
          .select('users.id')
          .limit(limit)
          .offset(offset)
          .as('shown');
      })
      // Not an inner join: SQLite keeps the order of a cross join, and so looks up just the rows shown.
      .crossJoin('users')
      .whereRef('users.id', '=', 'shown.id')
      .selectAll('users')
      .$call((query) => inOrder(query, sort, isFromEnd))
  );
}

/**
 * Goes through an order stretch by stretch and keeps who was created in the filter's dates, leaving others their turn.
 * @param until when to give up, as by `performance.now()`.
 */
export async function lookThrough(
  db: Db,
  filter: Filter,
  sort: Sort,
  { isFromEnd, offset, limit, place }: Window,
  until = performance.now() + PATIENCE,
): Promise<User[]> {
  const { column } = orderOf(sort);
  const byStatus = matches({ ...filter, createdAfter: undefined, createdBefore: undefined });
  const ids: number[] = [];
  let next = place;
  while (ids.length < offset + limit) {
    const stretch = await inOrder(db.selectFrom('users').where(byStatus), sort, isFromEnd)
      .select(['users.id', 'users.created_at', `users.${column} as key`])
      .$if(next !== undefined, (query) => query.where(next as Place))
      .limit(STRETCH)
      .execute();
    ids.push(...stretch.filter((user) => isCreatedIn(filter, user.created_at)).map(({ id }) => id));
    const last = stretch.at(-1);
    if (last === undefined || stretch.length < STRETCH) break;
    if (performance.now() > until) throw new TooBroadError('Too many rows had to be looked through.');
    [next] = placesBeyond(sort, { side: isFromEnd ? 'before' : 'after', ...last });
    await setImmediate();
  }
  const shown = ids.slice(offset, offset + limit);
  if (shown.length === 0) return [];
  const users = await db.selectFrom('users').selectAll().where('id', 'in', shown).execute();
  return users.sort((one, other) => shown.indexOf(one.id) - shown.indexOf(other.id));
}

/** What lies beyond a boundary, in pieces that each are one stretch of an index, the nearest first. */
export function placesBeyond(
  sort: Sort,
  { side, id, key }: Boundary,
  { isIncluded } = { isIncluded: false },
): Place[] {
  const { column, isDescending } = orderOf(sort);
  const beyond = (side === 'after') === isDescending ? '<' : '>';
  const from = isIncluded ? (`${beyond}=` as const) : beyond;
  if (column !== 'created_at') return [(where) => where(`users.${column}`, from, key)];
  return [
    (where) => where.and([where('users.created_at', '=', Number(key)), where('users.id', from, id)]),
    (where) => where('users.created_at', beyond, Number(key)),
  ];
}

export function hasDates(filter: Filter): boolean {
  return filter.createdAfter !== undefined || filter.createdBefore !== undefined;
}

export function matches(filter: Filter) {
  return (where: ExpressionBuilder<Schema, 'users'>) => {
    const { from, before } = timesOf(filter);
    const conditions = [];
    if (filter.status) conditions.push(where('users.is_active', '=', filter.status === 'active'));
    if (from !== undefined) conditions.push(where('users.created_at', '>=', from));
    if (before !== undefined) conditions.push(where('users.created_at', '<', before));
    return where.and(conditions);
  };
}

function isCreatedIn(filter: Filter, time: number): boolean {
  const { from = Number.NEGATIVE_INFINITY, before = Number.POSITIVE_INFINITY } = timesOf(filter);
  return time >= from && time < before;
}

/** The filter's days as times, from the start of the first to the end of the last. */
function timesOf({ createdAfter, createdBefore }: Filter): {
  from: number | undefined;
  before: number | undefined;
} {
  const startOf = (day: string) => Date.parse(`${day}T00:00:00Z`);
  return {
    from: createdAfter && startOf(createdAfter),
    before: createdBefore && startOf(createdBefore) + DAY,
  } as { from: number | undefined; before: number | undefined };
}

/** Orders by a sort key, and by id where several users may have the same; or all of it the other way round. */
function inOrder<Q extends SelectQueryBuilder<Schema, 'users', object>>(
  query: Q,
  sort: Sort,
  isReversed: boolean,
): Q {
  const { column, isDescending } = orderOf(sort);
  const direction = isDescending === isReversed ? 'asc' : 'desc';
  const ordered = query.orderBy(`users.${column}`, direction);
  return (column === 'created_at' ? ordered.orderBy('users.id', direction) : ordered) as Q;
}
