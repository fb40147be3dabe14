/** Decides how a page of the list is found, before anything is asked of the table of users. */
import type { SearchIndex } from '../../db/search-index.ts';
import type { Count } from '../../db/user-counts.ts';
import { hasRange, isIndexed } from './conditions.ts';
import { type Filter, type FilterName, givenRows, isCounted } from './filter.ts';
import { orderOf, type Sort } from './order.ts';

/** Up to so many who match are counted and put into any order. */
export const MOST_COUNTED = 10_000;

/** Where one finds too many, takes too long, or is locked out, the next is tried. */
export type CountWay =
  | 'index'
  | 'index-then-rows'
  | 'absent-then-rows'
  | 'sign-ins'
  | 'sign-ins-then-rows'
  | 'search'
  | 'scan';

export type CountPlan = ({ kind: 'kept'; count: number } | { kind: 'limited'; ways: readonly CountWay[] }) & {
  /** What the fewest users have: an index that could begin with several filters begins with this one. */
  lead: FilterName | undefined;
};

/** One index has filter and order; the ids of all who match are known; by the search; or by going through all. */
export type RowsPlan =
  | 'index'
  | 'ids'
  | 'search'
  | 'scan'
  | 'scan-or-top-by-role'
  | 'scan-or-top-by-sign-in'
  | 'scan-or-top-by-date';

export function planCount(filter: Filter, counts: readonly Count[]): CountPlan {
  const counted = givenRows(filter).filter(([, { isCounted = false }]) => isCounted);
  const [rarest] = counted
    .map((row) => ({ name: row[0], count: sumOf(counts, [row]) }))
    .sort((one, other) => one.count - other.count);
  const lead = rarest?.name;
  const isFew = filter.role !== undefined && (rarest?.count ?? 0) <= MOST_COUNTED;
  if (isCounted(filter) && !isFew) return { kind: 'kept', count: sumOf(counts, counted), lead };
  const isByIndex = isFew || hasRange(filter);
  if (isByIndex && isIndexed(filter, 'created')) return { kind: 'limited', ways: ['index'], lead };
  const ways: CountWay[] = isByIndex ? ['index-then-rows'] : [];
  if (filter.absentFrom) ways.push('absent-then-rows');
  if (filter.q && filter.signedIn) ways.push('sign-ins-then-rows');
  if (filter.q) ways.push('search');
  // Of all who have what is searched for, hardly any may have the role, or sign in.
  if (filter.signedIn) ways.push('sign-ins');
  else if (!filter.q || filter.role) ways.push('scan');
  return { kind: 'limited', ways, lead };
}

export function planRows(
  list: Filter & { sort: Sort },
  { ids, search }: { ids: readonly number[] | undefined; search: SearchIndex | undefined },
): RowsPlan {
  const isById = orderOf(list.sort).key === 'id';
  if (isIndexed(list, list.sort)) return 'index';
  if (ids) return 'ids';
  if (search) return isById ? 'search' : 'scan';
  if (list.signedIn) return 'scan-or-top-by-sign-in';
  if (list.role) return 'scan-or-top-by-role';
  return isById && hasRange(list) && isIndexed(list, 'created') ? 'scan-or-top-by-date' : 'scan';
}

function sumOf(counts: readonly Count[], rows: ReturnType<typeof givenRows>): number {
  return counts
    .filter((count) =>
      rows.every(([, { column }, value]) => count[column?.name as keyof Count] === column?.value(value)),
    )
    .reduce((sum, { count }) => sum + count, 0);
}
