/** A user as they were at some time: today's values, from which each change since is taken back. */
import type { Db, User } from '../db/schema.ts';
import { KINDS } from './codes.ts';
import { type KeptValues, unpackFields, valuesBeforeDeletion } from './fields.ts';
import { type DeletedUser, findBeginning, findChangesOf } from './queries.ts';

export type StateAt =
  | { kind: 'there'; values: KeptValues; version: number }
  | { kind: 'deleted' | 'not yet' }
  /** It is not known what they were before a history was kept of them. */
  | { kind: 'not known'; since: number };

const BATCH = 100;

/** @param today as they are now. */
export async function readStateAt(db: Db, today: User | DeletedUser, at: number): Promise<StateAt> {
  const { id } = today;
  let { version } = today;
  let values: KeptValues | undefined = 'fields' in today ? undefined : today;
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

function valuesBefore(after: KeptValues | undefined, packed: string | null): KeptValues | undefined {
  // They were brought back.
  if (packed === null) return undefined;
  const deleted = valuesBeforeDeletion(packed);
  if (deleted) return deleted;
  const was = Object.entries(unpackFields(packed)).map(([field, change]) => [field, change.was]);
  return after && { ...after, ...Object.fromEntries(was) };
}
