/** The rows of the list: those at some place of an order that a filter lets through. */
import type { CompiledQuery, ExpressionBuilder, SelectQueryBuilder } from 'kysely';
import { compiled } from '../db/compiled.ts';
import { engineOf } from '../db/engine.ts';
import type { Db, Schema, User } from '../db/schema.ts';
import { TooBroadError } from '../errors.ts';
import { type Boundary, type Filter, orderOf, type Sort } from './list.ts';
import { boundsOf, hasDates, isInBounds, isWithin, type Matches, MOST_COUNTED } from './matches.ts';

/** Rows that are looked through in one go: a few milliseconds, in which SQLite answers nobody else. */
const STRETCH = 2_000;

/** Which rows of a list, in its order or, from the end, in the reverse of it. */
export type Window = { isFromEnd: boolean; offset: number; limit: number; place?: Place | undefined };

/** A stretch of an order: beyond a key, or, in a tie, among those with that key beyond an id. */
export type Place = { isTie: boolean; operator: '<' | '<=' | '>' | '>='; key: string | number; id: number };

type FilterAndOrder = Filter & { sort: Sort };

/**
 * The rows of a window: from one index that has both the filter and the order where there is one, else from the few who
 * match or from the index of the search, and else by looking through the order for those who match.
 * @throws TooBroadError when too many had to be looked through.
 */
export async function readWindow(
  db: Db,
  list: FilterAndOrder,
  matches: Matches,
  window: Window,
): Promise<User[]> {
  const { column } = orderOf(list.sort);
  if (list.q === undefined && (!hasDates(list) || column === 'created_at')) {
    return (await db.executeQuery(usersInWindow(db, list, list.sort, window))).rows;
  }
  if (column === 'id' && (matches.ids || matches.search)) {
    return usersWithIds(db, await idsInWindow(db, list, matches, window));
  }
  if (matches.ids) return usersAmong(db, matches.ids, list.sort, window);
  return lookThrough(db, list, matches, window);
}

/** The query of a window in the order of an index. */
export function usersInWindow(
  db: Db,
  filter: Filter,
  sort: Sort,
  { isFromEnd, offset, limit, place }: Window,
): CompiledQuery<User> {
  const shape = `users in window ${[sort, isFromEnd, place?.isTie, place?.operator]}`;
  const values = { ...boundsOf(filter), key: place?.key, id: place?.id, offset, limit };
  return compiled(db, shape, values, ({ key, id, ...slots }) => {
    const beyond = place && isAt(sort, { ...place, key: key as string, id: id as number });
    return (
      db
        .selectFrom((from) => {
          const users = from.selectFrom('users').where(isInBounds(slots));
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

/** The ids of a window in the order of ids: from those of the few who match, or from the index of the search. */
async function idsInWindow(
  db: Db,
  list: FilterAndOrder,
  { ids, search, pieces, until }: Matches,
  { isFromEnd, offset, limit, place }: Window,
): Promise<readonly number[]> {
  const isReversed = orderOf(list.sort).isDescending !== isFromEnd;
  if (ids) {
    const ordered = isReversed ? ids.toReversed() : ids;
    return ordered.filter((id) => !place || isBeyond(id, place)).slice(offset, offset + limit);
  }
  const condition = list.status || hasDates(list) ? isWithin(list) : undefined;
  const question = { pieces, condition, beyond: place, isReversed, limit: offset + limit };
  return (await search?.find(db, question, until))?.slice(offset) ?? [];
}

function isBeyond(id: number, { operator, id: from }: Place): boolean {
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
  { isFromEnd, offset, limit, place }: Window,
): Promise<User[]> {
  const { isOneOf, stretch } = engineOf(db);
  const { column } = orderOf(sort);
  // With a limit, so that they are looked up first, instead of looking through the whole order for them.
  const few = db
    .selectFrom('users')
    .select(['users.id', `users.${column}`])
    .where(isOneOf('users.id', ids))
    .limit(MOST_COUNTED)
    .as('users');
  const users = db.selectFrom(few) as unknown as SelectQueryBuilder<Schema, 'users', object>;
  const shown = inOrder(place ? users.where(isAt(sort, place)) : users, sort, isFromEnd)
    .select('users.id')
    .limit(limit)
    .offset(offset);
  const rows = await stretch(() => shown.execute());
  return usersWithIds(
    db,
    rows.map(({ id }) => id),
  );
}

/** Goes through an order stretch by stretch and keeps who matches, leaving others their turn. */
export async function lookThrough(
  db: Db,
  list: FilterAndOrder,
  { pieces, search, until }: Matches,
  { isFromEnd, offset, limit, place }: Window,
): Promise<User[]> {
  const { sort } = list;
  const { column } = orderOf(sort);
  const { isActive, ...dates } = boundsOf(list);
  const has = search ? pieces.map(search.has) : [];
  const ids: number[] = [];
  let next = place;
  while (ids.length < offset + limit) {
    const rows = inOrder(db.selectFrom('users').where(isInBounds({ isActive })), sort, isFromEnd)
      .select(['users.id', `users.${column} as key`])
      .select((where) => where.and([isInBounds(dates)(where), ...has]).as('is_match'))
      .$if(next !== undefined, (query) => query.where(isAt(sort, next as Place)))
      .limit(STRETCH);
    const stretch = await engineOf(db).stretch(() => rows.execute());
    ids.push(...stretch.filter(({ is_match }) => is_match).map(({ id }) => id));
    const last = stretch.at(-1);
    if (last === undefined || stretch.length < STRETCH) break;
    if (performance.now() > until) throw new TooBroadError('Too many rows had to be looked through.');
    [next] = placesBeyond(sort, { side: isFromEnd ? 'before' : 'after', ...last });
  }
  return usersWithIds(db, ids.slice(offset, offset + limit));
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
