/** Who a filter lets through: how many they are and, where no index has them in every order, who. */
import { engineOf } from '../../db/engine.ts';
import type { Db } from '../../db/schema.ts';
import { usersByIds } from '../../db/users-by-ids.ts';
import { noneIfTooBroad } from '../../errors.ts';
import type { Total } from '../../pagination.ts';
import { parseSearch } from '../../search/terms.ts';
import { byStatus, type Count, readCounts } from '../queries.ts';
import type { Filter } from './address.ts';
import { hasBounds, hasDates, inBounds, isIndexed, isWithin, splitBounds } from './filters.ts';
import { type SearchContext, scanForPage } from './scan.ts';

/** Up to this many users that a search, dates or a role let through are put into any order, and counted if need be. */
export const MOST_COUNTED = 10_000;
/** Milliseconds after which whoever asks for a page has to be told that it is too much. */
const PATIENCE = 900;
/** The same, before those with a role are gone through for what is searched for, rather than the other way round. */
const PATIENCE_BEFORE_ROLE = 300;

export type FilterResult = SearchContext & {
  total: Total;
  /** Their ids in ascending order, where a search, dates or a role let few through. */
  ids: readonly number[] | undefined;
};

/**
 * Finds out who a filter lets through; kept rather than counted, unless there is a search or a date, and then up to
 * `MOST_COUNTED`.
 * @throws TooBroadError
 */
export async function resolveFilter(db: Db, filter: Filter, known?: readonly Count[]): Promise<FilterResult> {
  const until = performance.now() + PATIENCE;
  const { q, status, role } = filter;
  const counts = known ?? (await readCounts(db));
  const ofRole = byStatus(counts, role);
  const withRole = ofRole.active + ofRole.inactive;
  const withStatus = status && byStatus(counts)[status];
  const isByRole = role !== undefined && (withStatus === undefined || withRole < withStatus);
  const search = q === undefined ? undefined : await engineOf(db).searchIndexOf(db);
  const sought = { terms: parseSearch(q ?? '', search), search, isByRole, until };
  const isFew = role !== undefined && Math.min(withRole, withStatus ?? withRole) <= MOST_COUNTED;
  if (q === undefined && !hasDates(filter) && !isFew) {
    const count = status ? ofRole[status] : withRole;
    return { ...sought, total: { count, isExact: true }, ids: undefined };
  }
  const ids = await findIds(db, filter, sought, isFew);
  const isExact = ids.length <= MOST_COUNTED;
  const total = { count: Math.min(ids.length, MOST_COUNTED), isExact };
  return { ...sought, total, ids: isExact ? ids : undefined };
}

/** One more than are counted tells that there are more. */
async function findIds(db: Db, filter: Filter, sought: SearchContext, isFew: boolean): Promise<number[]> {
  const { terms, search, until } = sought;
  const limit = MOST_COUNTED + 1;
  if (isFew || hasDates(filter)) {
    const ids = await findIndexed(db, filter, sought, limit);
    if (isIndexed(filter, 'created')) return ids;
    if (ids.length < limit) return findAmong(db, ids, filter, sought);
  }
  if (search) {
    const condition = hasBounds(filter) ? isWithin(filter) : undefined;
    const find = (end: number) => search.find(db, { terms, condition, isReversed: false, limit }, end);
    if (filter.role === undefined) return find(until);
    // Of all who have what is searched for, hardly any may have the role.
    const ids = await find(until - PATIENCE + PATIENCE_BEFORE_ROLE).catch(noneIfTooBroad);
    if (ids) return ids;
  }
  const first = { isFromEnd: false, offset: 0, limit };
  return (await scanForPage(db, { ...filter, sort: 'created' }, sought, first)).sort(ascending);
}

/** Those who have as much of what is asked as one index knows: dates, and a role or a status. */
async function findIndexed(
  db: Db,
  filter: Filter,
  { isByRole }: SearchContext,
  limit: number,
): Promise<number[]> {
  const [indexed] = splitBounds(filter, 'created', isByRole);
  const users = db.selectFrom('users').select('id').where(inBounds(indexed)).limit(limit);
  const rows = await engineOf(db).runBatch(() => users.execute());
  return rows.map(({ id }) => id).sort(ascending);
}

/** Those of a few who have all that is asked. */
async function findAmong(
  db: Db,
  ids: readonly number[],
  filter: Filter,
  { terms, search }: SearchContext,
): Promise<number[]> {
  const users = usersByIds(db, ids)
    .select('users.id')
    .where(isWithin(filter))
    .where(({ and }) => and(search ? terms.map(search.has) : []))
    .orderBy('users.id');
  return (await engineOf(db).runBatch(() => users.execute())).map(({ id }) => id);
}

function ascending(one: number, other: number): number {
  return one - other;
}
