/** Who a filter lets through: how many they are and, where no index has them in every order, who. */
import type { ExpressionBuilder } from 'kysely';
import { engineOf } from '../db/engine.ts';
import type { Db, Schema } from '../db/schema.ts';
import type { Condition, Search } from '../db/search.ts';
import type { Total } from '../pagination.ts';
import { type Piece, piecesOf } from '../search/search.ts';
import type { Filter } from './list.ts';
import { type Counts, countByStatus } from './queries.ts';

const DAY = 24 * 60 * 60 * 1000;

/** Up to this many users that a search or dates let through are counted, and put into any order. */
export const MOST_COUNTED = 10_000;
/** Milliseconds after which whoever asks for a page has to be told that it is too much. */
const PATIENCE = 900;

export type Matches = {
  total: Total;
  /** Their ids in ascending order, where a search or dates let few through. */
  ids: readonly number[] | undefined;
  /** What is searched for. */
  pieces: readonly Piece[];
  /** How to search for it. */
  search: Search | undefined;
  /** When to give up, as by `performance.now()`. */
  until: number;
};

/**
 * Finds out who a filter lets through; kept rather than counted, unless there is a search or a date, and then up to
 * `MOST_COUNTED`.
 * @throws TooBroadError
 */
export async function findMatches(db: Db, filter: Filter, known?: Counts): Promise<Matches> {
  const until = performance.now() + PATIENCE;
  if (filter.q === undefined && !hasDates(filter)) {
    const counts = known ?? (await countByStatus(db));
    const count = filter.status ? counts[filter.status] : counts.active + counts.inactive;
    return { total: { count, isExact: true }, ids: undefined, pieces: [], search: undefined, until };
  }
  const search = filter.q === undefined ? undefined : await engineOf(db).searchOf(db);
  const pieces = piecesOf(filter.q ?? '', search);
  const dated = hasDates(filter) ? await findDated(db, filter) : undefined;
  const ids = search ? await findSearched(db, filter, pieces, search, dated, until) : (dated ?? []);
  const isExact = ids.length <= MOST_COUNTED;
  const total = { count: Math.min(ids.length, MOST_COUNTED), isExact };
  return { total, ids: isExact ? ids : undefined, pieces, search, until };
}

/** One more than are counted tells that there are more. */
async function findDated(db: Db, filter: Filter): Promise<number[]> {
  const users = db
    .selectFrom('users')
    .select('id')
    .where(isWithin(filter))
    .limit(MOST_COUNTED + 1);
  const rows = await engineOf(db).stretch(() => users.execute());
  return rows.map(({ id }) => id).sort((one, other) => one - other);
}

async function findSearched(
  db: Db,
  filter: Filter,
  pieces: readonly Piece[],
  search: Search,
  dated: number[] | undefined,
  until: number,
): Promise<number[]> {
  const hasFewDated = dated !== undefined && dated.length <= MOST_COUNTED;
  if (!hasFewDated) {
    const condition = filter.status || dated ? isWithin(filter) : undefined;
    return search.find(db, { pieces, condition, isReversed: false, limit: MOST_COUNTED + 1 }, until);
  }
  const { isOneOf, stretch } = engineOf(db);
  const users = db
    .selectFrom('users')
    .select('id')
    .where(isOneOf('users.id', dated))
    .where(({ and }) => and(pieces.map(search.has)))
    .orderBy('id');
  return (await stretch(() => users.execute())).map(({ id }) => id);
}

export function hasDates(filter: Filter): boolean {
  return filter.createdAfter !== undefined || filter.createdBefore !== undefined;
}

/** What a filter asks of a row besides the search: its status, and when it was created: from a time on, before another. */
type Bounds = { isActive?: boolean | undefined; from?: number | undefined; before?: number | undefined };

export function boundsOf({ status, createdAfter, createdBefore }: Filter): Bounds {
  const startOf = (day: string) => Date.parse(`${day}T00:00:00Z`);
  return {
    isActive: status && status === 'active',
    from: createdAfter === undefined ? undefined : startOf(createdAfter),
    before: createdBefore === undefined ? undefined : startOf(createdBefore) + DAY,
  };
}

export function isInBounds({ isActive, from, before }: Bounds): Condition {
  return (where: ExpressionBuilder<Schema, 'users'>) => {
    const conditions = [];
    if (isActive !== undefined) conditions.push(where('users.is_active', '=', isActive));
    if (from !== undefined) conditions.push(where('users.created_at', '>=', from));
    if (before !== undefined) conditions.push(where('users.created_at', '<', before));
    return where.and(conditions);
  };
}

/** Whether a user has the filter's status and was created in its dates. */
export function isWithin(filter: Filter): Condition {
  return isInBounds(boundsOf(filter));
}
