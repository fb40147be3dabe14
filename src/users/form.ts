/** What the forms of a user share: how a user stands in one, what one changes, and what is wrong with it. */
import type { Db, User } from '../db/schema.ts';
import { BadSubmissionError } from '../errors.ts';
import { readChangesSince } from '../history/changes-since.ts';
import type { KeptValues } from '../history/fields.ts';
import { parseMailbox, shownEmail } from '../lib/email.ts';
import { type Fields, type Form, parseForm, readFields } from '../lib/forms.ts';
import { named, plainNumber, trim } from '../lib/text.ts';
import type { Conflict } from './commands.ts';
import { merge } from './merge.ts';
import { findHolders } from './queries.ts';
import { USER_FIELDS, type UserChanges, userChangesSchema } from './validation.ts';

const FREE_NOW =
  'Somebody else had this username or email until a moment ago. It is free now: send the form again.';

type OpenedForm = { kind: 'form'; user: User; version: number; values: Fields; isDraft?: true } | Conflict;

export type Problems = Readonly<Record<string, string>>;

/** The name that an address was copied with is the full name where that was left empty. */
export function readUserFields(body: unknown, names: readonly string[]): Fields {
  const fields = readFields(body, names);
  if (fields.email === undefined) return fields;
  const { email, name } = parseMailbox(fields.email);
  const isNameLeft = fields.full_name !== undefined && trim(fields.full_name) === '';
  return { ...fields, email, ...(isNameLeft && { full_name: name }) };
}

export function readEditForm(body: unknown): Fields {
  return readUserFields(body, [...USER_FIELDS, 'version']);
}

export async function beginEdit(db: Db, user: User, draft: Fields | undefined): Promise<OpenedForm> {
  if (draft === undefined) return { kind: 'form', user, version: user.version, values: valuesOf(user) };
  const { version = user.version, values, since, form } = await readEdit(db, user, draft);
  const mine = form.ok ? form.value : {};
  const merged = merge(since.base, user, mine);
  if (merged.conflicts.length > 0) return { kind: 'conflict', user, mine, merge: merged, since };
  return { kind: 'form', user, version, values, isDraft: true };
}

/** A form as it was sent, beside what it was filled from: what is there now, where that is not known. */
export async function readEdit(
  db: Db,
  user: KeptValues & Pick<User, 'id' | 'version'>,
  { version: sent, ...fields }: Fields,
) {
  const version = parseVersion(sent);
  const since = await readChangesSince(db, user, version);
  const shown = since.base ?? user;
  const typed = editedFields(fields, shown);
  return {
    version,
    since,
    typed,
    values: { ...valuesOf(shown), ...typed },
    form: parseChanges(fields, shown),
  };
}

/** @throws BadSubmissionError */
export function parseVersion(version: string | undefined): number | undefined {
  if (version === undefined) return undefined;
  const number = plainNumber(version);
  if (number === undefined) throw new BadSubmissionError('The version is no whole number.');
  return number;
}

/** What a form changes. What it sends back as it was shown is neither judged nor written: by now it may be other than that. */
export function parseChanges(fields: Fields, shown: KeptValues): Form<UserChanges> {
  return parseForm(userChangesSchema, editedFields(fields, shown));
}

function editedFields(fields: Fields, shown: KeptValues): Fields {
  const values = valuesOf(shown);
  return Object.fromEntries(Object.entries(fields).filter(([name, value]) => value !== values[name]));
}

export function valuesOf(user: KeptValues): Fields {
  const values = USER_FIELDS.map((name) => [name, typedFor(user[name])]);
  return { ...Object.fromEntries(values), email: shownEmail(user.email) };
}

function typedFor(value: string | boolean | null): string {
  if (typeof value === 'boolean') return value ? '1' : '0';
  return value ?? '';
}

/** Adds who has what was asked for: a database refuses the first that is taken, and a form shows all of it. */
export async function addHolders(db: Db, values: Fields, problems: Problems, exceptId?: number) {
  const sound = Object.entries(values).filter(([name]) => !(name in problems));
  const holders = await findHolders(db, Object.fromEntries(sound), exceptId);
  const taken = Object.entries(holders).map(([name, { username }]) => [
    name,
    `That ${name} already belongs to ${named(username)}.`,
  ]);
  const errors: Problems = { ...Object.fromEntries(taken), ...problems };
  const isFree = Object.keys(errors).length === 0;
  return { errors: isFree ? { ['username' in values ? 'username' : 'email']: FREE_NOW } : errors, holders };
}
