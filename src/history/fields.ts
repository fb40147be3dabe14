/** What a change was, in the form in which it is kept: the values of a user's fields before and after. */
import type { User } from '../db/schema.ts';

/** These numbers stay, whatever their fields are called one day, and none is given twice. */
const NUMBERS = { username: 1, email: 2, full_name: 3, is_active: 4, role: 5, created_at: 6 } as const;

export type KeptField = keyof typeof NUMBERS;
export type KeptValues = Pick<User, KeptField>;
export type FieldChanges = { [F in KeptField]?: { was: User[F]; became: User[F] } };

const FIELDS = Object.entries(NUMBERS) as [KeptField, number][];

/** As JSON: `{"2":["ada@old.example","ada@new.example"]}`. */
export function packChanges(before: User, after: User): string {
  const changed = FIELDS.filter(([field]) => before[field] !== after[field]);
  return JSON.stringify(
    Object.fromEntries(changed.map(([field, number]) => [number, [before[field], after[field]]])),
  );
}

export function unpackChanges(packed: string): FieldChanges {
  const pairs = JSON.parse(packed) as Record<number, [unknown, unknown]>;
  const known = FIELDS.filter(([, number]) => number in pairs);
  return Object.fromEntries(
    known.map(([field, number]) => [field, { was: pairs[number]?.[0], became: pairs[number]?.[1] }]),
  );
}

/** All that is needed to bring someone back. */
export function packValues(user: User): string {
  return JSON.stringify(Object.fromEntries(FIELDS.map(([field, number]) => [number, user[field]])));
}

export function unpackValues(packed: string): KeptValues {
  const values = JSON.parse(packed) as Record<number, unknown>;
  return Object.fromEntries(FIELDS.map(([field, number]) => [field, values[number]])) as KeptValues;
}
