/** A user as they were at some time: today's values, from which each change since is taken back. */
import type { Db, User } from '../db/schema.ts';
import type { DeletedUser } from './deleted-queries.ts';
import { type KeptValues, valuesBefore } from './fields.ts';
import { KINDS } from './kinds.ts';
import { findBeginning, findFieldsFrom } from './queries.ts';
import { findVersionFrom, findVersions } from './versions.ts';

export type StateAt =
  | { kind: 'there'; values: KeptValues; version: number }
  | { kind: 'deleted' | 'not yet' }
  /** It is not known what they were before a history was kept of them. */
  | { kind: 'not known'; since: number };

export async function readStateAt(db: Db, today: User | DeletedUser, at: number): Promise<StateAt> {
  const { id } = today;
  const kept = await findVersions(db, id);
  const next = await findVersionFrom(db, id, at + 1, kept);
  if (next === 1 && kept.before > 1) return { kind: 'not yet' };
  const values = await valuesBeforeVersion(db, today, next);
  if (next === kept.from) {
    const beginning = await findBeginning(db, id);
    const since = beginning?.at ?? values?.created_at ?? 0;
    // The dates of those who were loaded may be made up.
    if (beginning?.kind === KINDS.began && values && at < values.created_at) return { kind: 'not yet' };
    if (at < since) return { kind: 'not known', since };
  }
  return values ? { kind: 'there', values, version: next - 1 } : { kind: 'deleted' };
}

export async function valuesBeforeVersion(
  db: Db,
  today: User | DeletedUser,
  version: number,
): Promise<KeptValues | undefined> {
  let values: KeptValues | undefined = 'fields' in today ? undefined : today;
  for (const { fields } of await findFieldsFrom(db, today.id, version)) values = valuesBefore(values, fields);
  return values;
}
