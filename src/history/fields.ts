/** What a change was, in the form in which it is kept: the values of a user's fields before and after. */
import { KEPT_FIELDS, type User } from '../db/schema.ts';
import type { KeptField } from './kinds.ts';

export type KeptValues = Pick<User, KeptField>;
export type FieldChanges = { [F in KeptField]?: { was: User[F]; became: User[F] } };

type Pair = [was: unknown, became: unknown];

const CODES = Object.entries(KEPT_FIELDS) as [KeptField, number][];

export function changedFields(before: KeptValues, after: KeptValues): KeptField[] {
  return CODES.filter(([field]) => before[field] !== after[field]).map(([field]) => field);
}

/** As JSON: `{"2":["ada@old.example","ada@new.example"]}`. */
export function packChanges(before: User, after: User): string {
  const pairs = changedFields(before, after).map((field) => [
    KEPT_FIELDS[field],
    [before[field], after[field]],
  ]);
  return JSON.stringify(Object.fromEntries(pairs));
}

/** All that is needed to bring someone back: `{"1":"ada",…}`. */
export function packValues(user: User): string {
  return JSON.stringify(Object.fromEntries(CODES.map(([field, code]) => [code, user[field]])));
}

export function unpackValues(packed: string): KeptValues {
  const values = JSON.parse(packed) as Record<number, unknown>;
  return Object.fromEntries(CODES.map(([field, code]) => [field, values[code] ?? null])) as KeptValues;
}

/** Without fields of a newer Roster; none for whoever was created, deleted or brought back. */
export function unpackFields(packed: string | null): FieldChanges {
  const pairs = JSON.parse(packed ?? '{}') as Record<number, Pair | unknown>;
  const fields = CODES.flatMap(([field, code]) => {
    const pair = pairs[code];
    return Array.isArray(pair) ? [[field, { was: pair[0], became: pair[1] }]] : [];
  });
  return Object.fromEntries(fields);
}

/** What several changes of one user, one after the other, make together; without what is in the end as it was. */
export function mergeFields(changes: readonly FieldChanges[]): FieldChanges {
  const merged: Record<string, { was: unknown; became: unknown }> = {};
  for (const [field, { was, became }] of changes.flatMap((fields) => Object.entries(fields)))
    merged[field] = { was: merged[field] ? merged[field].was : was, became };
  return Object.fromEntries(Object.entries(merged).filter(([, { was, became }]) => was !== became));
}

export function unpackSeenFields(packed: string | null, seesAccess: boolean): FieldChanges {
  const { role, ...fields } = unpackFields(packed);
  return seesAccess && role ? { ...fields, role } : fields;
}

/** Takes a change back; of a deletion that brings back all, and whoever was created or brought back was not there. */
export function valuesBefore(after: KeptValues | undefined, packed: string | null): KeptValues | undefined {
  if (packed === null) return undefined;
  const fields = JSON.parse(packed) as Record<number, Pair | unknown>;
  const before = CODES.filter(([, code]) => code in fields).map(([field, code]) => {
    const value = fields[code];
    return [field, Array.isArray(value) ? value[0] : value];
  });
  return { ...after, ...Object.fromEntries(before) } as KeptValues;
}

export function isDeletion(packed: string): boolean {
  const [first] = Object.values(JSON.parse(packed));
  return first !== undefined && !Array.isArray(first);
}

/** Of a change that is about more than fields; of whoever was erased it is not known. */
export function fateOf({
  version,
  fields,
}: {
  version: number;
  fields: string | null;
}): 'created' | 'deleted' | undefined {
  if (fields === null) return version === 1 ? 'created' : undefined;
  return isDeletion(fields) ? 'deleted' : undefined;
}
