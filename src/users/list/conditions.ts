/** What a filter asks of a user's row besides the search, as SQL, and how much of it an index has. */
import type { Condition, SearchIndex } from '../../db/search-index.ts';
import type { Deadline } from '../../lib/deadline.ts';
import type { Term } from '../../search/terms.ts';
import { FILTER_ROWS, type Filter, type FilterName, givenRows } from './filter.ts';
import { orderOf, type Sort } from './order.ts';

/** With what the column of each filter is compared, or its value. */
export type Bounds = { [N in FilterName]?: unknown };

/** What is searched for, as an index finds it; undefined where nothing is. */
export type Searched = { terms: readonly Term[]; search: SearchIndex | undefined };

/** `lead`: the filter that an index begins with, where it could be several. */
export type SearchContext = Searched & { lead: FilterName | undefined; deadline: Deadline };

export function boundsOf(filter: Filter): Bounds {
  const bounds: Bounds = {};
  for (const [name, { column, condition }, value] of givenRows(filter)) {
    if (column) bounds[name] = column.value(value);
    else if (condition) bounds[name] = value;
  }
  return bounds;
}

export function inBounds(bounds: Bounds): Condition {
  return (where) =>
    where.and(
      FILTER_ROWS.flatMap(([name, { column, condition }]) => {
        if (bounds[name] === undefined) return [];
        if (column) return where(`users.${column.name}`, column.operator, bounds[name] as never);
        return condition ? condition(bounds[name])(where) : [];
      }),
    );
}

export function rowCondition(filter: Filter): Condition | undefined {
  const bounds = boundsOf(filter);
  return Object.keys(bounds).length > 0 ? inBounds(bounds) : undefined;
}

export function matchCondition(filter: Filter, { terms, search }: Searched): Condition {
  return (where) => where.and([inBounds(boundsOf(filter))(where), ...(search ? terms.map(search.has) : [])]);
}

export function splitByIndex(filter: Filter, sort: Sort, lead?: FilterName): [indexed: Bounds, rest: Bounds] {
  const { key } = orderOf(sort);
  const served = givenRows(filter).filter(([, { index }]) => index?.orders.includes(key));
  const equalities = served.filter(([, { index }]) => index?.as === 'equality').map(([name]) => name);
  const first = equalities.length > 1 ? lead : equalities[0];
  const isIndexed = ([name, { index }]: (typeof served)[0]) => index?.as === 'range' || name === first;
  const indexed = served.filter(isIndexed).map(([name]) => name);
  const bounds = Object.entries(boundsOf(filter)) as [FilterName, unknown][];
  const part = (isPart: boolean) => bounds.filter(([name]) => indexed.includes(name) === isPart);
  return [Object.fromEntries(part(true)), Object.fromEntries(part(false))];
}

export function isIndexed(filter: Filter, sort: Sort): boolean {
  const [, rest] = splitByIndex(filter, sort);
  return filter.q === undefined && Object.keys(rest).length === 0;
}

export function hasRange(filter: Filter): boolean {
  return givenRows(filter).some(([, { index }]) => index?.as === 'range');
}
