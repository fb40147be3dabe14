/** Which column of a file is which field: by the names that people really give them, in English, and the plainest in German. */
import { quoted } from '../../lib/text.ts';
import type { Column, Field } from './reading.ts';

const NAMES: Readonly<Record<Field, string>> = {
  id: 'id # number no userid usernumber userno rosterid',
  username: 'username user login loginname loginid userlogin account accountname samaccountname benutzername',
  email:
    'email emailaddress mail mailaddress emailid useremail primaryemail workemail businessemail primarysmtpaddress email1value emailadresse mailadresse',
  full_name: 'fullname name displayname realname completename commonname cn vornamenachname vornamename',
  reversed_name: 'lastnamefirstname lastfirst surnamefirstname nachnamevorname namevorname',
  first_name: 'firstname first givenname given forename fname vorname',
  last_name: 'lastname last surname familyname family lname sn nachname',
  is_active: 'isactive active status userstatus accountstatus enabled isenabled accountenabled aktiv',
  role: 'role userrole rolename roles rolle',
};

/** What is put before refused rows. They are left out when these are brought back. */
export const REFUSED_COLUMNS = ['Line', 'Why'] as const;

const NAMING: readonly Field[] = [
  'username',
  'email',
  'full_name',
  'reversed_name',
  'first_name',
  'last_name',
];

const FIELD_OF = new Map(
  Object.entries(NAMES).flatMap(([field, names]) => names.split(' ').map((name) => [name, field as Field])),
);

export function fieldNamed(header: string): Field | undefined {
  return FIELD_OF.get(lettersOf(header));
}

/** `E-Mail`, `e_mail` and `Email [Required]` are the same name. */
function lettersOf(header: string): string {
  const letters = header.normalize('NFKC').toLowerCase();
  return letters.replaceAll(/\[[^[\]]*\]|\([^()]*\)|[^\p{L}\p{N}#]/gu, '');
}

/** A full name is the same field in either order. */
export function storedField(field: Field | undefined): Field | undefined {
  return field === 'reversed_name' ? 'full_name' : field;
}

/** In German a Name beside a Vorname is the last one. */
function fieldsNamed(headers: readonly string[]): readonly (Field | undefined)[] {
  const fields = headers.map(fieldNamed);
  const letters = headers.map(lettersOf);
  if (!letters.includes('vorname') || fields.includes('last_name')) return fields;
  return fields.map((field, index) => (letters[index] === 'name' ? 'last_name' : field));
}

export function columnsOf(headers: readonly string[], fields = fieldsNamed(headers)): Column[] {
  const columns = headers.map((header, index) => ({ header, field: fields[index] }));
  const hasFullName = columns.some(({ field }) => storedField(field) === 'full_name');
  // What is joined into the full name is not needed where that is there.
  return columns.map(({ header, field }) => ({
    header,
    field: hasFullName && (field === 'first_name' || field === 'last_name') ? undefined : field,
  }));
}

export function isUnknown({ header }: Column): boolean {
  return fieldNamed(header) === undefined && !REFUSED_COLUMNS.some((name) => name === header.trim());
}

export function hasRefusedRows(columns: readonly Column[]): boolean {
  return REFUSED_COLUMNS.every((name) => columns.some(({ header }) => header.trim() === name));
}

/** Whether it is the line with the names. Words such as “user”, “active” and “no” may also be what somebody is. */
export function namesColumns(cells: readonly string[], isFirst: boolean): boolean {
  const fields = new Set(cells.map(fieldNamed).filter((field) => field !== undefined));
  if (isFirst) return fields.size > 0;
  return NAMING.filter((field) => fields.has(field)).length > 1 && !cells.some((cell) => cell.includes('@'));
}

export function columnsProblem(columns: readonly Column[]): string | undefined {
  if (columns.some(({ header }) => header.includes('@')))
    return 'The first line is about somebody. Put a line above it that names the columns, such as “username,email,full_name”.';
  const known = columns.filter(({ field }) => field !== undefined);
  if (known.length === 0)
    return `None of the columns is known: ${someOf(columns)}. Name them as in “username,email,full_name”.`;
  const second = known.find((column, index) => known.findIndex((other) => areSame(other, column)) < index);
  const first = known.find((other) => second && areSame(other, second));
  return first && second && sameField(first, second);
}

function areSame(one: Column, other: Column): boolean {
  return storedField(one.field) === storedField(other.field);
}

function sameField(first: Column, second: Column): string {
  const told =
    first.header === second.header
      ? `Two columns are called ${quoted(first.header)}`
      : `The columns ${quoted(first.header)} and ${quoted(second.header)} are for the same field`;
  return `${told}: take one out, or give it another name.`;
}

function someOf(columns: readonly Column[]): string {
  const names = columns.slice(0, 3).map(({ header }) => quoted(header));
  return `${names.join(', ')}${columns.length > 3 ? ` and ${columns.length - 3} more` : ''}`;
}
