/** What is said of an import. */

import { ROLE_NAMES } from '../auth/policy.ts';
import { ROLES, type Role } from '../db/schema.ts';
import { and, number, pluralize, usersOf } from '../lib/formats.ts';
import { named, plain, quotable, quoted } from '../lib/text.ts';
import { isCutOff } from './apply.ts';
import { choicesOf, countToApply, earlierOf, MOST_IN_ONE, totalsOf } from './json-columns.ts';
import { lacksUsernames, makesUsernames } from './made-usernames.ts';
import { DISCARDABLE, type Import, type ImportState } from './queries.ts';
import { hasRefusedRows, isUnknown, storedField } from './reading/columns.ts';
import {
  type Column,
  DELIMITERS,
  type Delimiter,
  ENCODINGS,
  type Encoding,
  type Field,
  LINE_ENDS,
  type Reading,
} from './reading/reading.ts';
import {
  type Empty,
  type HowRead,
  MATCHES,
  type Match,
  MOST_REFUSED_KEPT,
  type Reason,
  type RefusedRow,
  type Totals,
} from './types.ts';

export const DISCARDED = 'The file is discarded. Nothing was changed.';
export const BEGUN = 'The import has begun, and goes on by itself.';
export const TAKING_BACK = 'The import is being taken back.';
export const JUDGED_AGAIN =
  'Nothing is changed yet: Roster was changed since this was shown to you, and what differs by now is said here.';
export const READ_AGAIN =
  'Nothing is changed yet: the file was read again since this was shown to you. Look at it again, then apply.';
const KEEPS_LETTERS = 'A file that is saved as “CSV UTF-8” keeps all letters.';
export const ROWS_GONE = 'The rows of this import are not kept here, or not any more.';
export const NO_FILE = 'Choose a file first.';
const TAKEN =
  'Does another row of this file give that username or email up? Apply the rest first, then import these rows again. Where two people swap names, give one of them another name first.';

export const FIELD_LABELS: Readonly<Record<Field, string>> = {
  id: 'Number',
  username: 'Username',
  email: 'Email',
  full_name: 'Full name',
  reversed_name: 'Last name, first name',
  first_name: 'First name',
  last_name: 'Last name',
  is_active: 'Status',
  role: 'Role',
};

export const EMPTY_CELLS: Readonly<Record<Empty, readonly [label: string, says: string]>> = {
  leave: ['Leaves it', 'What Roster has there stays.'],
  clear: ['Clears it', 'Takes out a full name. Other fields cannot be empty, and stay.'],
};

const OTHER_FILE = /^(This is|These are|This file is compressed)\b/;

export const isOtherFile = ({ problem }: Pick<Import, 'problem'>) => OTHER_FILE.test(problem ?? '');

const STATES: Readonly<Record<ImportState, string>> = {
  reading: 'being read',
  checked: 'waits to be applied',
  unreadable: 'cannot be read',
  confirmed: 'about to be applied',
  applying: 'being applied',
  done: 'done',
  'taken back': 'taken back',
  discarded: 'over',
};

function stateOf(imported: Pick<Import, 'state' | 'totals'>): string {
  const { state } = imported;
  const { refused = 0 } = totalsOf(imported) ?? {};
  return state === 'done' && refused > 0 ? `done, ${rowsOf(refused)} refused` : STATES[state];
}

export const rowsOf = (count: number) => pluralize(count, 'row');

/** "2,841 users created, 112 changed" */
function doneOf({ created, changed }: Totals): string {
  const parts = [created > 0 && `${usersOf(created)} created`, changed > 0 && `${usersOf(changed)} changed`];
  return parts.filter((part) => part !== false).join(', ') || 'Nobody was changed';
}

export function anotherOf(imported: Pick<Import, 'choices'>): string {
  const of = earlierOf(imported);
  return of === undefined ? '/import' : `/import?of=${of}`;
}

export function tooLate(state: ImportState): string {
  if (state === 'done') return 'This import was applied already.';
  if (state === 'taken back') return 'This import was taken back already.';
  if (state === 'discarded') return 'This import is over already: nothing of it was applied.';
  if (state === 'confirmed' || state === 'applying') return 'This import is being applied already.';
  return 'This import is being read again.';
}

/** For whoever has waited for the end; undefined where there is none yet. @param left of how many something stays */
export function endOf(
  { state }: Pick<Import, 'state'>,
  totals: Totals | undefined,
  left: number,
): string | undefined {
  if (state === 'done' && totals) return [`${doneOf(totals)}!`, emptyOf(totals)].filter(Boolean).join(' ');
  if (state === 'taken back')
    return `The import was taken back${left > 0 ? `, but for ${usersOf(left)}` : ': nothing of it stays'}.`;
  return undefined;
}

/** "Full name of 100, role of 12" */
export function fieldsOf({ fields }: Pick<Totals, 'fields'>): string {
  const parts = Object.entries(fields).map(
    ([field, count]) => `${FIELD_LABELS[field as Field].toLowerCase()} of ${number.format(count)}`,
  );
  return parts.join(', ');
}

/** "Username; where it is empty, by email (3 rows)" */
export function matchedOf({ match }: Pick<HowRead, 'match'>, { otherwise = {} }: Pick<Totals, 'otherwise'>) {
  const others = MATCHES.filter((other) => otherwise[other]);
  const parts = others.map(
    (other) => `by ${FIELD_LABELS[other].toLowerCase()} (${rowsOf(otherwise[other] ?? 0)})`,
  );
  return `${FIELD_LABELS[match]}${parts.length > 0 ? `; where it is empty, ${and.format(parts)}` : ''}`;
}

/** "288 members, 1 editor" */
function rolesOf({ roles = {} }: Pick<Totals, 'roles'>): string {
  const given = ROLES.filter((role) => roles[role]);
  return given.map((role) => `${number.format(roles[role] ?? 0)} ${nounOf(role, roles[role])}`).join(', ');
}

function nounOf(role: Role, count = 0): string {
  const { one, many } = ROLE_NAMES[role];
  return count === 1 ? one.toLowerCase() : many;
}

export function aboveOf(above: number): string {
  const [lines, are] = above === 1 ? ['Line 1', 'is'] : [`Lines 1–${number.format(above)}`, 'are'];
  return `${lines}, above the names of the columns, ${are} left out.`;
}

/** "CR LF and LF" */
export function lineEndsOf({ lineEnds }: Pick<Reading, 'lineEnds'>): string {
  return lineEnds.map((end) => LINE_ENDS[end]).join(' and ');
}

/** Where a row is refused since somebody else has what it gives, who may give that up in another row. */
export function takenOf(rows: readonly Pick<RefusedRow, 'reasons'>[]): string | undefined {
  return rows.some(({ reasons }) => reasons.some(({ isTaken }) => isTaken)) ? TAKEN : undefined;
}

/** How many are not in the file, where that is news: it is none of rows that were corrected, as it may have been where that is forgotten, and where all are new. */
function absentOf(
  imported: Pick<Import, 'choices'>,
  how: Pick<Reading, 'columns'> | undefined,
  { absent = 0, changed, same }: Totals,
): number {
  if (how === undefined) return 0;
  const isPart = earlierOf(imported) !== undefined || hasRefusedRows(how.columns) || changed + same === 0;
  return isPart ? 0 : absent;
}

/** Those that are left out because nobody knows what they are, unless somebody has said so. */
function unknownColumns<C extends Column>(imported: Pick<Import, 'choices'>, columns: readonly C[]): C[] {
  const { fields } = choicesOf(imported);
  return fields ? [] : columns.filter((column) => column.field === undefined && isUnknown(column));
}

/** "4 columns are not known, and left out" */
function unknownOf(count: number): string {
  return `${number.format(count)} ${count === 1 ? 'column is' : 'columns are'} not known, and left out`;
}

/** Of Roster: of first and last name one is made. */
export function fieldOf(field: Field, match: Match): string {
  if (field === 'id' && match !== 'id') return `${FIELD_LABELS.id}, not used`;
  if (field === 'reversed_name') return `${FIELD_LABELS.full_name}, turned round`;
  return FIELD_LABELS[/_name$/.test(field) ? 'full_name' : field];
}

/** That full names have the last name first, where they are not turned round. */
export function reversedOf({ reversed }: Pick<Reading, 'reversed'>): string | undefined {
  return reversed && `Full names such as ${quoted(reversed)} seem to have the last name first.`;
}

/** That signs in new full names may stand for lost letters, where there are some. */
export function doubtfulOf({ doubtful = 0 }: Pick<Totals, 'doubtful'>): string | undefined {
  if (doubtful === 0) return undefined;
  const names = doubtful === 1 ? '1 full name has' : `${number.format(doubtful)} full names have`;
  return `${names} a “?”, and would be written so: maybe a letter that was lost when the file was saved. ${KEEPS_LETTERS}`;
}

/** That letters of full names were lost, where they were. */
export function lostOf({ lost = 0 }: Pick<Totals, 'lost'>): string | undefined {
  if (lost === 0) return undefined;
  const [names, stay] =
    lost === 1 ? ['1 full name', 'It stays'] : [`${number.format(lost)} full names`, 'They stay'];
  return `In ${names} letters were lost when the file was saved: a “?” or “_” stands for each. ${stay} as Roster has ${lost === 1 ? 'it' : 'them'}. ${KEEPS_LETTERS}`;
}

/** "3 empty rows are left out." */
export function emptyOf({ empty = 0 }: Pick<Totals, 'empty'>): string | undefined {
  if (empty === 0) return undefined;
  return `${pluralize(empty, 'empty row')} ${empty === 1 ? 'is' : 'are'} left out.`;
}

function nameOfRow({ cells }: Pick<RefusedRow, 'cells'>, columns: readonly { field: Field | undefined }[]) {
  const cell = (field: Field) => cells[columns.findIndex((column) => column.field === field)]?.trim() ?? '';
  const both = `${cell('first_name')} ${cell('last_name')}`.trim();
  const name = [
    cell('full_name'),
    cell('reversed_name'),
    both,
    cell('username'),
    cell('email'),
    cell('id'),
  ].find((text) => text !== '');
  return name === undefined ? undefined : quotable(name);
}

/** With what stands in the row, where the reason does not say so: "“paul(at)example.org”: enter an email address". */
export function whyOf(
  { cells }: Pick<RefusedRow, 'cells'>,
  { field, message }: Reason,
  columns: readonly { field: Field | undefined }[],
): string {
  const cell =
    cells[columns.findIndex((column) => field && storedField(column.field) === field)]?.trim() ?? '';
  const value = quotable(cell);
  if (value === '' || plain(message).includes(value)) return message;
  return `“${named(value)}”: ${message.charAt(0).toLowerCase()}${message.slice(1)}`;
}

export const importHelpers = {
  importUnknown: unknownOf,
  importUnknownColumns: unknownColumns,
  importAbove: aboveOf,
  importAbsent: absentOf,
  importColumn: (header: string) => quotable(header),
  importDelimiter: (delimiter: Delimiter) => DELIMITERS[delimiter],
  importDone: doneOf,
  importDoubtful: doubtfulOf,
  importEmptyRows: emptyOf,
  importEmpty: (empty: Empty) => EMPTY_CELLS[empty],
  importEmptyCells: Object.entries(EMPTY_CELLS).map(
    ([value, [label, says]]) => [value, label, says] as const,
  ),
  importDelimiters: Object.entries(DELIMITERS),
  importEncoding: (encoding: Encoding) => ENCODINGS[encoding],
  importEncodings: Object.entries(ENCODINGS),
  importField: fieldOf,
  importFields: Object.entries(FIELD_LABELS),
  importFieldsChanged: fieldsOf,
  importFile: ({ file_name }: Pick<Import, 'file_name'>) => quotable(file_name).trim() || 'a file',
  importAnother: anotherOf,
  importLost: lostOf,
  importReversed: reversedOf,
  importRow: nameOfRow,
  importRows: rowsOf,
  importIsCutOff: isCutOff,
  importIsOpen: ({ state }: Pick<Import, 'state'>) => DISCARDABLE.includes(state),
  importState: stateOf,
  importTaken: takenOf,
  importToApply: countToApply,
  importLacksUsernames: lacksUsernames,
  importMakesUsernames: makesUsernames,
  importMatches: MATCHES,
  importMostInOne: MOST_IN_ONE,
  importMostRefused: MOST_REFUSED_KEPT,
  importLineEnds: lineEndsOf,
  importMatched: matchedOf,
  importMatch: (match: Match) => FIELD_LABELS[match],
  importWhy: whyOf,
  importRoles: rolesOf,
};

export const emptyFile = (name: string) => `${named(quotable(name))} is empty.`;
