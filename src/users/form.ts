/** What the forms of a user share: how a user stands in one, what one changes, and what is wrong with it. */
import type { Db, User } from '../db/schema.ts';
import { BadSubmissionError } from '../errors.ts';
import { shownEmail } from '../lib/email.ts';
import { type Fields, type Form, parseForm } from '../lib/forms.ts';
import { named } from '../lib/text.ts';
import { findHolders } from './queries.ts';
import { USER_FIELDS, type UserChanges, userChangesSchema } from './validation.ts';

const FREE_NOW =
  'Somebody else had this username or email until a moment ago. It is free now: send the form again.';

export type Problems = Readonly<Record<string, string>>;

export function valuesOf(user: User): Fields {
  const values = USER_FIELDS.map((name) => [name, typedFor(user[name])]);
  return { ...Object.fromEntries(values), email: shownEmail(user.email) };
}

/** What a form changes. What it sends back as it was is not judged again: the rules may have changed since it was stored. */
export function parseChanges(fields: Fields, current: User): Form<UserChanges> {
  const shown = valuesOf(current);
  const isKept = (name: string) => fields[name] === shown[name];
  const kept = Object.entries(current).filter(([name]) => name in fields && isKept(name));
  const form = parseForm(
    userChangesSchema,
    Object.fromEntries(Object.entries(fields).filter(([name]) => !isKept(name))),
  );
  return form.ok ? { ok: true, value: { ...Object.fromEntries(kept), ...form.value } } : form;
}

/** @throws BadSubmissionError */
export function parseVersion(version: string | undefined): number | undefined {
  if (version === undefined) return undefined;
  if (!/^[1-9]\d{0,14}$/.test(version)) throw new BadSubmissionError('The version is no whole number.');
  return Number(version);
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

function typedFor(value: string | boolean | null): string {
  if (typeof value === 'boolean') return value ? '1' : '0';
  return value ?? '';
}
