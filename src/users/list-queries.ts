/** The list of users in the database: how many there are, and those on a page. */
import type { Expression, ExpressionBuilder, SelectQueryBuilder, SqlBool } from 'kysely';
import type { Db, Schema, User } from '../db/schema.ts';
import { countPages, labelOf, Page } from '../pagination.ts';
import { type Boundary, type Filter, type ListState, orderOf, type Sort } from './list.ts';
import { type Counts, countByStatus } from './queries.ts';

const DAY = 24 * 60 * 60 * 1000;

/** How many users a filter lets through; kept rather than counted, unless it is by date. */
export async function countUsers(db: Db, filter: Filter, known?: Counts): Promise<number> {
  if (filter.createdAfter === undefined && filter.createdBefore === undefined) {
    const counts = known ?? (await countByStatus(db));
    return filter.status ? counts[filter.status] : counts.active + counts.inactive;
  }
  const { count } = await db
    .selectFrom('users')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where((where) => matches(where, filter))
    .executeTakeFirstOrThrow();
  return count;
}

/** The state of a list that may have become shorter, with the nearest page that there still is. */
export async function nearestPage(db: Db, list: ListState): Promise<ListState> {
  if (list.page === 1 || list.boundary) return list;
  const pages = countPages(await countUsers(db, list), list.perPage);
  return { ...list, page: Math.max(1, Math.min(list.page, pages)) };
}

/**
 * The page that a state asks for, and the state that leads to just that page again; undefined past the end of the list.
 * @param total how many users the filter lets through.
 */
export async function readPage(
  db: Db,
  list: ListState,
  total: number,
): Promise<{ list: ListState; page: Page<User> } | undefined> {
  const pages = Math.max(1, countPages(total, list.perPage));
  const byNumber = async (number: number) => {
    const window = { offset: (number - 1) * list.perPage, limit: list.perPage, total };
    const page = new Page(await listUsers(db, list, list.sort, window), number, list.perPage, total);
    return { list: { ...list, page: number, boundary: undefined }, page };
  };
  const { boundary } = list;
  if (boundary === undefined) return list.page < 1 || list.page > pages ? undefined : byNumber(list.page);

  // One more than is shown tells whether there is a page beyond.
  const users = await usersBeyond(db, list, list.sort, boundary, list.perPage + 1);
  const isMore = users.length > list.perPage;
  const isForward = boundary.side === 'after';
  if (isForward ? users.length === 0 : !isMore) return byNumber(isForward ? pages : 1);
  const isAnyBehind =
    (await usersBeyond(db, list, list.sort, turned(boundary), 1, { isIncluded: true })).length > 0;
  const neighbours = { hasPrev: isForward ? isAnyBehind : isMore, hasNext: isForward ? isMore : isAnyBehind };
  const shown = users.slice(0, list.perPage);
  const number = labelOf(list.page, pages, neighbours);
  const page = new Page(isForward ? shown : shown.reverse(), number, list.perPage, total, neighbours);
  // At the end of the list its number says as much, unless the page begins elsewhere than one of that number would.
  const isLast = !neighbours.hasNext && shown.length === total - (pages - 1) * list.perPage;
  return { list: { ...list, page: number, boundary: isLast ? undefined : boundary }, page };
}

/**
 * The users at `offset` to `offset + limit` of the `total` that a filter lets through, ordered.
 *
 * Rows are skipped over in the index alone and from the nearer end, so the last page costs what the first does.
 */
export async function listUsers(
  db: Db,
  filter: Filter,
  sort: Sort,
  { offset, limit, total }: { offset: number; limit: number; total: number },
): Promise<User[]> {
  const count = Math.min(limit, total - offset);
  if (count <= 0) return [];
  const after = total - offset - count;
  const isFromEnd = after < offset;
  const window = { offset: isFromEnd ? after : offset, limit: count };
  const users = await usersInWindow(db, filter, sort, isFromEnd, window).execute();
  return isFromEnd ? users.reverse() : users;
}

/** Up to `limit` users on the far side of a boundary, the nearest first; no row is skipped over to get there. */
async function usersBeyond(
  db: Db,
  filter: Filter,
  sort: Sort,
  boundary: Boundary,
  limit: number,
  options?: { isIncluded: boolean },
): Promise<User[]> {
  const users: User[] = [];
  for (const place of placesBeyond(sort, boundary, options)) {
    if (users.length === limit) break;
    const window = { offset: 0, limit: limit - users.length, place };
    users.push(...(await usersInWindow(db, filter, sort, boundary.side === 'before', window).execute()));
  }
  return users;
}

export type Place = (where: ExpressionBuilder<Schema, 'users'>) => Expression<SqlBool>;

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

function turned(boundary: Boundary): Boundary {
  return { ...boundary, side: boundary.side === 'after' ? 'before' : 'after' };
}

/** The query behind both, which may walk its order from the end. */
export function usersInWindow(
  db: Db,
  filter: Filter,
  sort: Sort,
  isFromEnd: boolean,
  { offset, limit, place }: { offset: number; limit: number; place?: Place | undefined },
) {
  return (
    db
      .selectFrom((from) =>
        inOrder(from.selectFrom('users').select('id'), sort, isFromEnd)
          .where((where) => where.and([matches(where, filter), ...(place ? [place(where)] : [])]))
          .limit(limit)
          .offset(offset)
          .as('shown'),
      )
      // Not an inner join: SQLite keeps the order of a cross join, and so looks up just the rows shown.
      .crossJoin('users')
      .whereRef('users.id', '=', 'shown.id')
      .selectAll('users')
      .$call((query) => inOrder(query, sort, isFromEnd))
  );
}

function matches(where: ExpressionBuilder<Schema, 'users'>, filter: Filter) {
  const conditions = [];
  if (filter.status) conditions.push(where('users.is_active', '=', filter.status === 'active'));
  if (filter.createdAfter) conditions.push(where('users.created_at', '>=', startOf(filter.createdAfter)));
  if (filter.createdBefore)
    conditions.push(where('users.created_at', '<', startOf(filter.createdBefore) + DAY));
  return where.and(conditions);
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

function startOf(day: string): number {
  return Date.parse(`${day}T00:00:00Z`);
}
