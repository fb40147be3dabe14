/** Decides how a page of the list is found, before anything is asked of the table of users. */
import type { SearchIndex } from '../../db/search-index.ts';
import type { Count } from '../counts.ts';
import { hasRange, isIndexed } from './conditions.ts';
import { type Filter, type FilterName, givenRows, isCounted } from './filter.ts';
import { orderOf, type Sort } from './order.ts';

/** Up to this many who match are counted, known by their ids, and put into any order. */
export const MOST_COUNTED = 10_000;

/** How the ids of those who match are found: the next way is tried where one finds too many, or takes too long. */
export type CountWay = 'index' | 'index-then-rows' | 'search' | 'scan';

/** How many match: a number that is kept, or what is counted up to a limit. */
export type CountPlan = ({ kind: 'kept'; count: number } | { kind: 'limited'; ways: readonly CountWay[] }) & {
  /** What an index is to begin with, where it could be several: the one that the fewest users have. */
  lead: FilterName | undefined;
};

/**
 * How the rows of a page are found: in one index that has both the filter and the order, among the ids of all who match,
 * in the index of the search, or by going through the order; or through all who match, for who comes first in it.
 */
export type RowsPlan = 'index' | 'ids' | 'search' | 'scan' | 'scan-or-top-by-role' | 'scan-or-top-by-date';

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
  if (filter.q) ways.push('search');
  // Of all who have what is searched for, hardly any may have the role.
  if (!filter.q || filter.role) ways.push('scan');
  return { kind: 'limited', ways, lead };
}

/** @param found who matches, where they are few, and how to search, where there is a search. */
export function planRows(
  list: Filter & { sort: Sort },
  { ids, search }: { ids: readonly number[] | undefined; search: SearchIndex | undefined },
): RowsPlan {
  const isById = orderOf(list.sort).key === 'id';
  if (isIndexed(list, list.sort)) return 'index';
  if (ids) return 'ids';
  if (search) return isById ? 'search' : 'scan';
  if (list.role) return 'scan-or-top-by-role';
  return isById && hasRange(list) && isIndexed(list, 'created') ? 'scan-or-top-by-date' : 'scan';
}

/** How many users have all that some rows ask for. */
function sumOf(counts: readonly Count[], rows: ReturnType<typeof givenRows>): number {
  return counts
    .filter((count) =>
      rows.every(([, { column }, value]) => count[column?.name as keyof Count] === column?.value(value)),
    )
    .reduce((sum, { count }) => sum + count, 0);
}
