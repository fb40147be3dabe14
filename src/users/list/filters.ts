/** The filters of the list, each in one row. */

import type { ComparisonOperator } from 'kysely';
import { maySignIn, ROLE_NAMES } from '../../auth/policy.ts';
import { derivedColumns } from '../../db/derived-columns.ts';
import { type Db, ROLES, type Role, type User } from '../../db/schema.ts';
import type { Condition } from '../../db/search-index.ts';
import type { KeptValues } from '../../history/fields.ts';
import { DAY } from '../../lib/clock.ts';
import { readDay } from '../../lib/days.ts';
import { and, date } from '../../lib/formats.ts';
import type { Fields } from '../../lib/forms.ts';
import { capital, codePoints, named, plainNumber, trim } from '../../lib/text.ts';
import {
  cleanSearch,
  hasTerm,
  LONGEST_SEARCH,
  MOST_TYPED,
  parseSearch,
  type Term,
} from '../../search/terms.ts';
import { absentAmong, isAbsent } from './absent-users.ts';
import { SORT_KEYS, type SortKey } from './order.ts';
import { parseSignIn, SIGN_INS, type SignIn, signedIn, signedInAmong } from './sign-ins.ts';

export const STATUSES = ['active', 'inactive'] as const;
export type Status = (typeof STATUSES)[number];
const STATUS_NAMES: Readonly<Record<Status, string>> = { active: 'Active', inactive: 'Inactive' };

export type Search = { text: string; terms: readonly Term[] };

/** In UTC: `2026-01-31`. */
type Day = string;
type Days = { createdAfter?: Day | undefined; createdBefore?: Day | undefined };

export type FilterRow<V> = {
  parameter: string;
  /** @param typed trimmed, and not empty. */
  parse(typed: string, now?: number): V | undefined;
  /** Completes "status=x was ignored: …". */
  rule: string;
  format(value: V): string;
  column?: { name: keyof User; operator: ComparisonOperator; value(value: V): string | number | boolean };
  /** What is asked of each row where that is no column of it. */
  condition?(value: V): Condition;
  /** Where there is no column: whether somebody with these values would have passed, as far as values tell. */
  wouldPass?(value: V, values: KeptValues): boolean;
  /** Where values do not tell, or not all: who of these may pass by their number, whatever they are or were, or are no more. */
  passing?(db: Db, value: V, ids: readonly number[]): Promise<readonly number[]>;
  /** Whether others may pass from one moment to the next though no user was changed. */
  isFleeting?: boolean;
  /** The orders whose index has it: at most one equality, which it begins with, then ranges. Else each row is asked. */
  index?: { orders: readonly SortKey[]; as: 'equality' | 'range' };
  /** Whether `user_counts` has its column. */
  isCounted?: boolean;
  /** In the form: one of the options or, without them, a day. The search has a field of its own. */
  field?: { label: string; options?: readonly (readonly [value: string, text: string])[] };
  /** Its words where it is applied: "Created from 1 Jan 2026". */
  chip(value: V): string;
  /** In the name of a file with those who match: "created". */
  inFileName(value: V): string;
};

const row = <V>(filter: FilterRow<V>) => filter;

export const FILTERS = {
  q: row<Search>({
    parameter: 'q',
    parse: readSearch,
    rule: 'there is nothing in it to search for',
    format: ({ text }) => text,
    wouldPass: ({ terms }, values) => {
      const { search_text } = derivedColumns(values);
      return terms.every((term) => hasTerm(search_text, term));
    },
    chip: ({ terms }) => capital(and.format(terms.map(nameOfTerm))),
    inFileName: () => 'found',
  }),
  status: row<Status>({
    parameter: 'status',
    parse: (typed) => STATUSES.find((status) => status === typed),
    rule: 'it can be active or inactive',
    format: String,
    column: { name: 'is_active', operator: '=', value: (status) => status === 'active' },
    index: { orders: SORT_KEYS, as: 'equality' },
    isCounted: true,
    field: { label: 'Status', options: STATUSES.map((status) => [status, STATUS_NAMES[status]]) },
    chip: (status) => STATUS_NAMES[status],
    inFileName: String,
  }),
  role: row<Role>({
    parameter: 'role',
    parse: (typed) => ROLES.find((role) => role === typed || nameOfRole(role) === typed),
    rule: `it can be ${ROLES.join(', ')}`,
    format: String,
    column: { name: 'role', operator: '=', value: String },
    index: { orders: ['created'], as: 'equality' },
    isCounted: true,
    field: { label: 'Role', options: ROLES.map((role) => [role, ROLE_NAMES[role].one]) },
    chip: (role) => ROLE_NAMES[role].one,
    inFileName: String,
  }),
  createdAfter: row<Day>({
    parameter: 'created_after',
    parse: readDay,
    rule: 'it can be a date such as 2026-01-31',
    format: String,
    column: { name: 'created_at', operator: '>=', value: startOf },
    index: { orders: ['created'], as: 'range' },
    field: { label: 'Created from' },
    chip: (first) => `Created from ${nameOfDay(first)}`,
    inFileName: () => 'created',
  }),
  createdBefore: row<Day>({
    parameter: 'created_before',
    parse: readDay,
    rule: 'it can be a date such as 2026-01-31',
    format: String,
    column: { name: 'created_at', operator: '<', value: (day) => startOf(day) + DAY },
    index: { orders: ['created'], as: 'range' },
    field: { label: 'Created to' },
    chip: (last) => `Created to ${nameOfDay(last)}`,
    inFileName: () => 'created',
  }),
  signedIn: row<SignIn>({
    parameter: 'signed_in',
    parse: parseSignIn,
    rule: `it can be ${SIGN_INS.join(' or ')}`,
    format: ({ word }) => word,
    condition: signedIn,
    wouldPass: (_, values) => maySignIn(values),
    passing: signedInAmong,
    // At midnight, and by signing in.
    isFleeting: true,
    field: {
      label: 'Last sign-in',
      options: [
        ['never', 'Never'],
        ['over-90-days-ago', 'Over 90 days ago'],
      ],
    },
    chip: ({ word }) => (word === 'never' ? 'Never signed in' : 'Last sign-in over 90 days ago'),
    inFileName: ({ word }) => (word === 'never' ? 'never-signed-in' : 'dormant'),
  }),
  absentFrom: row<number>({
    parameter: 'absent_from',
    parse: plainNumber,
    rule: 'it can be the number of an import',
    format: String,
    condition: isAbsent,
    passing: absentAmong,
    // Where the import is read anew, or forgotten.
    isFleeting: true,
    chip: (id) => `Not in the file of import ${id}`,
    inFileName: () => 'absent',
  }),
};

export function noticesOf({ createdAfter, createdBefore }: Days, typed: Fields): string[] {
  const notices: string[] = [];
  if (createdAfter && createdBefore && createdAfter > createdBefore)
    notices.push('Nobody was created between these dates: the first is after the second.');
  if (codePoints(trim((typed.q ?? '').slice(0, MOST_TYPED))) > LONGEST_SEARCH)
    notices.push(`Only the first ${LONGEST_SEARCH} characters were searched for.`);
  return notices;
}

function readSearch(typed: string): Search | undefined {
  const text = cleanSearch(typed);
  const terms = parseSearch(text);
  return terms.length > 0 ? { text, terms } : undefined;
}

function startOf(day: Day): number {
  return Date.parse(`${day}T00:00:00Z`);
}

function nameOfRole(role: Role): string {
  return ROLE_NAMES[role].one.toLowerCase();
}

function nameOfDay(day: Day): string {
  return date.format(startOf(day));
}

function nameOfTerm({ typed, at }: Term): string {
  const start = {
    anywhere: '',
    'word start': 'a word that starts with ',
    'field start': 'a field that starts with ',
  }[at];
  return `${start}“${named(typed)}”`;
}
