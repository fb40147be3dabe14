/** A user as they were at some time: today's values, from which each change since is taken back. */
import type { Db } from '../db/schema.ts';
import { findUser } from '../users/queries.ts';
import { KINDS } from './codes.ts';
import { type KeptValues, unpackFields, valuesBeforeDeletion } from './fields.ts';
import { findBeginning, findChangesOf, findDeleted } from './queries.ts';

export type StateAt =
  | { kind: 'there'; values: KeptValues; version: number }
  | { kind: 'deleted' | 'not yet' }
  /** It is not known what they were before a history was kept of them. */
  | { kind: 'not known'; since: number };

const BATCH = 100;

/** @returns undefined for a number that nobody ever had. */
export async function readStateAt(db: Db, id: number, at: number): Promise<StateAt | undefined> {
  const user = await findUser(db, id);
  const deleted = user ? undefined : await findDeleted(db, id);
  let version = user?.version ?? deleted?.version;
  if (version === undefined) return undefined;
  let values: KeptValues | undefined = user;
  for (;;) {
    const changes = await findChangesOf(db, id, { upTo: version, limit: BATCH });
    for (const change of changes) {
      if (change.at <= at) return values ? { kind: 'there', values, version } : { kind: 'deleted' };
      if (change.version === 1) return { kind: 'not yet' };
      values = valuesBefore(values, change.fields);
      version = change.version - 1;
    }
    if (changes.length < BATCH) break;
  }
  const beginning = await findBeginning(db, id);
  const since = beginning?.at ?? values?.created_at ?? 0;
  // The dates of those who were loaded may be made up.
  if (beginning?.kind === KINDS.began && values && at < values.created_at) return { kind: 'not yet' };
  if (at < since) return { kind: 'not known', since };
  return values ? { kind: 'there', values, version } : { kind: 'deleted' };
}

/** Takes a change back. */
export function valuesBefore(after: KeptValues | undefined, packed: string | null): KeptValues | undefined {
  // They were brought back.
  if (packed === null) return undefined;
  const deleted = valuesBeforeDeletion(packed);
  if (deleted) return deleted;
  const was = Object.entries(unpackFields(packed)).map(([field, change]) => [field, change.was]);
  return after && { ...after, ...Object.fromEntries(was) };
}
