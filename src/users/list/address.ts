/** The state of the list, and its address: everything the list shows is in the query string. */
import type { User } from '../../db/schema.ts';
import { type Fields, parseQuery } from '../../forms.ts';
import { cleanSearch, LONGEST_SEARCH, parseSearch } from '../../search/terms.ts';
import { ROLES, type Role } from '../../sessions/policy.ts';
import { codePoints, foldDigits, quotable, textKey, trim, wholeNumber } from '../../text.ts';

/** The keys that the list can be ordered by, ascending; a `-` before one is descending. */
export const SORT_KEYS = ['id', 'username', 'email', 'created'] as const;
export type SortKey = (typeof SORT_KEYS)[number];
export type Sort = SortKey | `-${SortKey}`;

/** What each order is called, in the order in which they are offered. */
export const SORT_LABELS: readonly [Sort, string][] = [
  ['id', 'Number, lowest first'],
  ['-id', 'Number, highest first'],
  ['username', 'Username, A to Z'],
  ['-username', 'Username, Z to A'],
  ['email', 'Email, A to Z'],
  ['-email', 'Email, Z to A'],
  ['created', 'Created, oldest first'],
  ['-created', 'Created, newest first'],
];

export const STATUSES = ['active', 'inactive'] as const;
export type Status = (typeof STATUSES)[number];

/** Which users: no filter is undefined. Dates are days in UTC, `2026-01-31`, both included. */
export type Filter = {
  /** What is searched for, as typed. */
  q: string | undefined;
  status: Status | undefined;
  role: Role | undefined;
  createdAfter: string | undefined;
  createdBefore: string | undefined;
};

/**
 * Where a page begins that was reached by next or previous: after or before the place of a user in an order, whether or
 * not that user is still there. Rows are then found by that place; the page's number is a label.
 */
export type Cursor = { side: 'after' | 'before'; id: number; key: string | number };

export type ListState = Filter & {
  /** From 1; 0 where nobody has counted how far the boundary is from the start. */
  page: number;
  perPage: number;
  sort: Sort;
  cursor: Cursor | undefined;
};

/** What each order goes by. */
export const SORT_COLUMNS = {
  id: 'id',
  username: 'username_key',
  email: 'email_key',
  created: 'created_at',
} as const satisfies Record<SortKey, keyof User>;

/** The column that an order goes by, and whether from its highest value down. */
export function orderOf(sort: Sort): { column: (typeof SORT_COLUMNS)[SortKey]; isDescending: boolean } {
  return { column: SORT_COLUMNS[sort.replace('-', '') as SortKey], isDescending: sort.startsWith('-') };
}

/** The boundary on one side of a user in an order. */
export function cursorAt(side: Cursor['side'], user: User, sort: Sort): Cursor {
  return { side, id: user.id, key: user[orderOf(sort).column] };
}

/** The boundary before which nobody, in an order by username, has a name with the letter or one beyond it. */
export function cursorAtLetter(letter: string, sort: Sort): Cursor {
  const isDescending = sort.startsWith('-');
  return { side: 'after', id: 0, key: isDescending ? String.fromCharCode(letter.charCodeAt(0) + 1) : letter };
}

/** The page sizes offered; any from 1 to 100 is taken. */
export const PAGE_SIZES = [10, 25, 50, 100];

const DEFAULTS: ListState = {
  page: 1,
  perPage: 10,
  q: undefined,
  status: undefined,
  role: undefined,
  createdAfter: undefined,
  createdBefore: undefined,
  sort: 'id',
  cursor: undefined,
};

/**
 * Reads the state from a query. What means nothing is left at its default, with a sentence in `notices`, and in
 * `wrongPage` as typed; a `page` that is a whole number may lie outside the list.
 */
export function parseList(query: Fields): { list: ListState; notices: string[]; wrongPage?: string } {
  const notices: string[] = [];
  function read<T>(name: string, fallback: T, parse: (value: string) => T | undefined, rule: string): T {
    const value = trim(query[name] ?? '');
    if (!value) return fallback;
    const parsed = parse(value);
    if (parsed === undefined) notices.push(`${name}=${quotable(value)} was ignored: ${rule}.`);
    return parsed ?? fallback;
  }
  const order = read(
    'sort',
    DEFAULTS.sort,
    sort,
    `it can be ${SORT_KEYS.join(', ')}, or one of them after a “-”`,
  );
  const cursor = parseCursor(query, order);
  const typedPage = trim(query.page ?? '');
  const page = wholeNumber(typedPage);
  const isWrong = typedPage !== '' && page === undefined;
  if (isWrong) notices.push(`“${quotable(typedPage)}” is no page number, so this is the first page.`);
  const list = {
    page: page ?? (cursor && !isWrong ? 0 : DEFAULTS.page),
    perPage: read('per_page', DEFAULTS.perPage, pageSize, 'it can be 1 to 100'),
    q: read('q', DEFAULTS.q, search, 'there is nothing in it to search for'),
    status: read('status', DEFAULTS.status, status, 'it can be active or inactive'),
    role: read('role', DEFAULTS.role, role, `it can be ${ROLES.join(', ')}`),
    createdAfter: read('created_after', DEFAULTS.createdAfter, day, 'it can be a date such as 2026-01-31'),
    createdBefore: read('created_before', DEFAULTS.createdBefore, day, 'it can be a date such as 2026-01-31'),
    sort: order,
    cursor: isWrong ? undefined : cursor,
  };
  if (list.createdAfter && list.createdBefore && list.createdAfter > list.createdBefore) {
    notices.push('Nobody was created between these dates: the first is after the second.');
  }
  if (codePoints(trim((query.q ?? '').slice(0, 4 * LONGEST_SEARCH))) > LONGEST_SEARCH) {
    notices.push(`Only the first ${LONGEST_SEARCH} characters were searched for.`);
  }
  return { list, notices, ...(isWrong && { wrongPage: typedPage }) };
}

/** The parameters of a state that are not at their defaults: what its address, and its forms, carry. */
export function listParameters(list: ListState): [name: string, value: string][] {
  const parameters: [string, unknown, unknown][] = [
    ['q', list.q, DEFAULTS.q],
    ['status', list.status, DEFAULTS.status],
    ['role', list.role, DEFAULTS.role],
    ['created_after', list.createdAfter, DEFAULTS.createdAfter],
    ['created_before', list.createdBefore, DEFAULTS.createdBefore],
    ['sort', list.sort, DEFAULTS.sort],
    ['per_page', list.perPage, DEFAULTS.perPage],
    ['page', list.page, list.cursor ? 0 : DEFAULTS.page],
    ...cursorParameter(list),
  ];
  return parameters
    .filter(([, value, fallback]) => value !== fallback)
    .map(([name, value]) => [name, String(value)]);
}

/**
 * The address of a state, with some of it changed: `/users?status=active&page=2`. A boundary belongs to just one page of
 * one list, so that a change of anything gives it up.
 */
export function listAddress(list: ListState, changes?: Partial<ListState>): string {
  const changed = changes ? { ...list, cursor: undefined, ...changes } : list;
  const query = new URLSearchParams(listParameters(changed)).toString();
  return query === '' ? '/users' : `/users?${query}`;
}

/** What a link away from the list carries so that its page can lead back: `?from=page%3D2`, or nothing. */
export function fromParameter(list: ListState): string {
  const query = new URLSearchParams(listParameters(list)).toString();
  return query === '' ? '' : `?from=${encodeURIComponent(query)}`;
}

/** The state that `fromParameter` carried. Whatever was written there, it is a state of the list. */
export function parseFrom(query: Fields): ListState {
  const { list } = parseList(parseQuery(query.from ?? ''));
  const first = list.cursor ? 0 : 1;
  return { ...list, page: Number.isSafeInteger(list.page) ? Math.max(first, list.page) : first };
}

export function isFiltered(filter: Filter): boolean {
  const { q, status, role, createdAfter, createdBefore } = filter;
  return [q, status, role, createdAfter, createdBefore].some((value) => value !== undefined);
}

/** `after=username.17.bob`: the order, the id and the key of whoever the page begins after. */
function cursorParameter({ cursor, sort }: ListState): [string, unknown, unknown][] {
  if (cursor === undefined) return [];
  const { side, id, key } = cursor;
  return [[side, sort.endsWith('id') ? `${sort}.${id}` : `${sort}.${id}.${key}`, undefined]];
}

/** The boundary of a query; undefined for what no link of ours carries, such as one of another order. */
function parseCursor(query: Fields, sort: Sort): Cursor | undefined {
  const side = query.after === undefined ? 'before' : 'after';
  const [, order, digits, text] = /^(-?[a-z]+)\.(\d{1,16})(?:\.(.+))?$/s.exec(query[side] ?? '') ?? [];
  const id = Number(digits);
  if (order !== sort || !Number.isSafeInteger(id)) return undefined;
  const { column } = orderOf(sort);
  if (column === 'id') return text === undefined ? { side, id, key: id } : undefined;
  if (text === undefined || text !== textKey(text)) return undefined;
  if (column !== 'created_at') return { side, id, key: text };
  return /^\d{1,15}$/.test(text) ? { side, id, key: Number(text) } : undefined;
}

function pageSize(typed: string): number | undefined {
  const value = wholeNumber(typed);
  return value !== undefined && value >= 1 && value <= 100 ? value : undefined;
}

function search(value: string): string | undefined {
  const clean = cleanSearch(value);
  return parseSearch(clean).length > 0 ? clean : undefined;
}

function status(value: string): Status | undefined {
  return STATUSES.find((known) => known === value);
}

function role(value: string): Role | undefined {
  return ROLES.find((known) => known === value);
}

function sort(value: string): Sort | undefined {
  const key = SORT_KEYS.find((known) => known === value.replace(/^-/, ''));
  return key && (value as Sort);
}

function day(typed: string): string | undefined {
  // Keyboards for full-width digits have a dash as wide.
  const value = foldDigits(typed).replaceAll('－', '-');
  const start = new Date(`${value}T00:00:00Z`);
  const isDay = start.getUTCFullYear() >= 1 && start.toISOString().slice(0, 10) === value;
  return isDay ? value : undefined;
}
