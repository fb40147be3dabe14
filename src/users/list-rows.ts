/** The rows of the list: those at some place of an order that a filter lets through. */
import { setImmediate } from 'node:timers/promises';
import type { CompiledQuery, ExpressionBuilder, SelectQueryBuilder } from 'kysely';
import { compiled } from '../db/compiled.ts';
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

/** A stretch of an order: beyond a key, or, in a tie, among those with that key beyond an id. */
export type Place = { isTie: boolean; operator: '<' | '<=' | '>' | '>='; key: string | number; id: number };

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
  if (!hasIndex && !areFew) return lookThrough(db, filter, sort, window);
  const query = usersInWindow(db, filter, sort, window, { isOrderedLast: !hasIndex });
  return (await db.executeQuery(query)).rows;
}

/** @param isOrderedLast whether what matches is found first, up to `MOST_COUNTED` rows, and then put into order. */
export function usersInWindow(
  db: Db,
  filter: Filter,
  sort: Sort,
  { isFromEnd, offset, limit, place }: Window,
  { isOrderedLast } = { isOrderedLast: false },
): CompiledQuery<User> {
  const shape = `users in window ${[sort, isFromEnd, isOrderedLast, place?.isTie, place?.operator]}`;
  const values = { ...conditionsOf(filter), key: place?.key, id: place?.id, offset, limit };
  return compiled(db, shape, values, ({ key, id, ...slots }) => {
    const matching = matches(slots);
    const beyond = place && isAt(sort, { ...place, key: key as string, id: id as number });
    return (
      db
        .selectFrom((from) => {
          const users = isOrderedLast
            ? from.selectFrom(
                from.selectFrom('users').selectAll().where(matching).limit(MOST_COUNTED).as('users'),
              )
            : from.selectFrom('users').where(matching);
          return inOrder(beyond ? users.where(beyond) : users, sort, isFromEnd)
            .select('users.id')
            .limit(slots.limit)
            .offset(slots.offset)
            .as('shown');
        })
        // Not an inner join: SQLite keeps the order of a cross join, and so looks up just the rows shown.
        .crossJoin('users')
        .whereRef('users.id', '=', 'shown.id')
        .selectAll('users')
        .$call((query) => inOrder(query, sort, isFromEnd))
    );
  });
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
  const {
    isActive,
    from = Number.NEGATIVE_INFINITY,
    before = Number.POSITIVE_INFINITY,
  } = conditionsOf(filter);
  const ids: number[] = [];
  let next = place;
  while (ids.length < offset + limit) {
    const stretch = await inOrder(db.selectFrom('users').where(matches({ isActive })), sort, isFromEnd)
      .select(['users.id', 'users.created_at', `users.${column} as key`])
      .$if(next !== undefined, (query) => query.where(isAt(sort, next as Place)))
      .limit(STRETCH)
      .execute();
    const found = stretch.filter(({ created_at }) => created_at >= from && created_at < before);
    ids.push(...found.map(({ id }) => id));
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
  if (column !== 'created_at') return [{ isTie: false, operator: from, key, id }];
  return [
    { isTie: true, operator: from, key, id },
    { isTie: false, operator: beyond, key, id },
  ];
}

/** Whether a user is at a place of an order. */
function isAt(sort: Sort, { isTie, operator, key, id }: Place) {
  const column = `users.${orderOf(sort).column}` as const;
  return (where: ExpressionBuilder<Schema, 'users'>) =>
    isTie
      ? where.and([where(column, '=', key), where('users.id', operator, id)])
      : where(column, operator, key);
}

export function hasDates(filter: Filter): boolean {
  return filter.createdAfter !== undefined || filter.createdBefore !== undefined;
}

/** What a filter asks of a row: its status, and when it was created: from the first time on, before the second. */
type Conditions = { isActive?: boolean | undefined; from?: number | undefined; before?: number | undefined };

export function conditionsOf({ status, createdAfter, createdBefore }: Filter): Conditions {
  const startOf = (day: string) => Date.parse(`${day}T00:00:00Z`);
  return {
    isActive: status && status === 'active',
    from: createdAfter === undefined ? undefined : startOf(createdAfter),
    before: createdBefore === undefined ? undefined : startOf(createdBefore) + DAY,
  };
}

export function matches({ isActive, from, before }: Conditions) {
  return (where: ExpressionBuilder<Schema, 'users'>) => {
    const conditions = [];
    if (isActive !== undefined) conditions.push(where('users.is_active', '=', isActive));
    if (from !== undefined) conditions.push(where('users.created_at', '>=', from));
    if (before !== undefined) conditions.push(where('users.created_at', '<', before));
    return where.and(conditions);
  };
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
