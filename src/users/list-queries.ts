/** The list of users in the database: how many there are, and those on a page. */
import type { ExpressionBuilder, SelectQueryBuilder } from 'kysely';
import type { Db, Schema, User } from '../db/schema.ts';
import { countPages } from '../pagination.ts';
import type { Filter, ListState, Sort, SortKey } from './list.ts';
import { type Counts, countByStatus } from './queries.ts';

const DAY = 24 * 60 * 60 * 1000;

const SORT_COLUMNS = {
  id: 'id',
  username: 'username_key',
  email: 'email_key',
  created: 'created_at',
} as const satisfies Record<SortKey, keyof User>;

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
  if (list.page === 1) return list;
  const pages = countPages(await countUsers(db, list), list.perPage);
  return { ...list, page: Math.max(1, Math.min(list.page, pages)) };
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

/** The query of `listUsers`, which may walk its order from the end. */
export function usersInWindow(
  db: Db,
  filter: Filter,
  sort: Sort,
  isFromEnd: boolean,
  { offset, limit }: { offset: number; limit: number },
) {
  return (
    db
      .selectFrom((from) =>
        inOrder(from.selectFrom('users').select('id'), sort, isFromEnd)
          .where((where) => matches(where, filter))
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
  const isDescending = sort.startsWith('-') !== isReversed;
  const column = SORT_COLUMNS[sort.replace('-', '') as SortKey];
  const direction = isDescending ? 'desc' : 'asc';
  const ordered = query.orderBy(`users.${column}`, direction);
  return (column === 'created_at' ? ordered.orderBy('users.id', direction) : ordered) as Q;
}

function startOf(day: string): number {
  return Date.parse(`${day}T00:00:00Z`);
}
