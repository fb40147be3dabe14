/** Long work that one process is at, and no other, until a time that it puts off as it goes on. */
import { type Expression, expressionBuilder, type SqlBool } from 'kysely';
import type { Schema } from './schema.ts';

/** Of a process that has ended nobody hears: so long is waited. One that is only slow finds its work taken, and stops. */
export const LEASE = 15_000;

export const FREE = { lease_owner: null, leased_until: 0, failures: 0 };

/** `until`: from when on others may take it; `latest`: a later one is of a clock that was set back since. */
export type Lease = { owner: string; now: number; until: number; latest: number };

export function isFree({ now, latest }: Lease): Expression<SqlBool> {
  const { eb, or } = expressionBuilder<Schema, 'jobs' | 'imports'>();
  return or([eb('leased_until', '<=', now), eb('leased_until', '>', latest)]);
}
