/** The address of the list, which says its whole state: `/users?status=active&page=2`. */
import { type Fields, formatQuery, parseQuery } from '../../lib/forms.ts';
import { parameterReader } from '../../lib/parameters.ts';
import { quotable, trim, wholeNumber } from '../../lib/text.ts';
import { formatCursor, parseCursor } from './cursor.ts';
import { FILTER_ROWS, type Filter, givenRows } from './filter.ts';
import { noticesOf } from './filters.ts';
import { parseSort, SORT_KEYS } from './order.ts';
import { PAGE_SIZE_RULE, parsePageSize } from './page-size.ts';
import { DEFAULTS, type ListState } from './state.ts';

type Parameter = [name: string, value: string];

export const SORT_RULE = `it can be ${SORT_KEYS.join(', ')}, or one of them after a “-”`;

/** What means nothing is left at its default, with a sentence in `notices`; a `page` may lie outside the list. */
export function parseList(
  query: Fields,
  now = Date.now(),
): { list: ListState; notices: string[]; wrongPage?: string } {
  const notices: string[] = [];
  const read = parameterReader(query, notices);
  const sort = read('sort', parseSort, SORT_RULE);
  const cursor = parseCursor(query, sort ?? DEFAULTS.sort);
  const typedPage = trim(query.page ?? '');
  const page = wholeNumber(typedPage);
  const isWrong = typedPage !== '' && page === undefined;
  if (isWrong) notices.push(`“${quotable(typedPage)}” is no page number, so this is the first page.`);
  const perPage = read('per_page', parsePageSize, PAGE_SIZE_RULE);
  const values = FILTER_ROWS.map(([name, { parameter, parse, rule }]) => [
    name,
    read(parameter, (typed) => parse(typed, now), rule),
  ]);
  const filter = Object.fromEntries(values) as Filter;
  notices.push(...noticesOf(filter, query));
  const list = {
    ...filter,
    page: page ?? (cursor && !isWrong ? 0 : DEFAULTS.page),
    perPage: perPage ?? DEFAULTS.perPage,
    sort: sort ?? DEFAULTS.sort,
    cursor: isWrong ? undefined : cursor,
  };
  return { list, notices, ...(isWrong && { wrongPage: typedPage }) };
}

export function listParameters(list: ListState): Parameter[] {
  const { sort, perPage, page, cursor } = list;
  const parameters = givenRows(list).map(([, row, value]): Parameter => [row.parameter, row.format(value)]);
  if (sort !== DEFAULTS.sort) parameters.push(['sort', sort]);
  if (perPage !== DEFAULTS.perPage) parameters.push(['per_page', String(perPage)]);
  if (page !== (cursor ? 0 : DEFAULTS.page)) parameters.push(['page', String(page)]);
  if (cursor) parameters.push(formatCursor(cursor, sort));
  return parameters;
}

export function listQuery(list: ListState): string {
  return formatQuery(listParameters(list));
}

/** A cursor belongs to just one page, so that any change gives it up. */
export function listAddress(list: ListState, changes?: Partial<ListState>): string {
  const changed = changes ? { ...list, cursor: undefined, ...changes } : list;
  const query = listQuery(changed);
  return query === '' ? '/users' : `/users?${query}`;
}

export function hasEmptyField(query: Fields): boolean {
  return FILTER_ROWS.some(([, { parameter }]) => query[parameter] === '');
}

/** What a link away from the list carries, so that its page can lead back: `?from=page%3D2`, or nothing. */
export function fromParameter(list: ListState): string {
  const query = listQuery(list);
  return query === '' ? '' : `?from=${encodeURIComponent(query)}`;
}

export function parseFrom(query: Fields, now: number): ListState {
  if (!query.from) return DEFAULTS;
  const { list } = parseList(parseQuery(query.from), now);
  const first = list.cursor ? 0 : 1;
  return { ...list, page: Number.isSafeInteger(list.page) ? Math.max(first, list.page) : first };
}
