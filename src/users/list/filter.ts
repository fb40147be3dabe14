/** A filter: the values that were given for some of the rows of `FILTERS`. */
import type { Term } from '../../search/terms.ts';
import { FILTERS, type FilterRow } from './filters.ts';

type ValueOf<R> = R extends FilterRow<infer V> ? V : never;
export type FilterName = keyof typeof FILTERS;

export type Filter = { [N in FilterName]: ValueOf<(typeof FILTERS)[N]> | undefined };

export const FILTER_ROWS = Object.entries(FILTERS) as [FilterName, FilterRow<unknown>][];

export const NO_FILTER = Object.fromEntries(FILTER_ROWS.map(([name]) => [name, undefined])) as Filter;

export function givenRows(filter: Filter): [FilterName, FilterRow<unknown>, value: unknown][] {
  const given: [FilterName, FilterRow<unknown>, value: unknown][] = [];
  for (const [name, row] of FILTER_ROWS)
    if (filter[name] !== undefined) given.push([name, row, filter[name]]);
  return given;
}

export function isFiltered(filter: Filter): boolean {
  return givenRows(filter).length > 0;
}

export function isCounted(filter: Filter): boolean {
  return givenRows(filter).every(([, { isCounted = false }]) => isCounted);
}

export function isFleeting(filter: Filter): boolean {
  return givenRows(filter).some(([, { isFleeting = false }]) => isFleeting);
}

export function filterFields(filter: Filter) {
  return FILTER_ROWS.flatMap(([name, { field, parameter, format }]) => {
    const value = filter[name];
    return field ? [{ ...field, name: parameter, value: value === undefined ? '' : format(value) }] : [];
  });
}

/** What is applied, in words: "Created from 1 Jan 2026"; and what takes each off. */
export function appliedFilters(
  filter: Filter,
  terms?: readonly Term[],
): { text: string; without: Partial<Filter> }[] {
  const { q } = filter;
  const rows = givenRows({ ...filter, q: q && { ...q, terms: terms ?? q.terms } });
  return rows.map(([name, row, value]) => ({ text: row.chip(value), without: { [name]: undefined } }));
}
