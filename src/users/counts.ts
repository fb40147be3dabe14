/** How many users there are, which is kept and not counted. */
import { executeCached } from '../db/cached-query.ts';
import type { Db, Role } from '../db/schema.ts';
import type { Count } from '../db/user-counts.ts';

export type Counts = { active: number; inactive: number };

/** Always in the same order; a count may be 0. */
export async function readCounts(db: Db): Promise<Count[]> {
  return executeCached(db, 'counts', {}, () =>
    db
      .selectFrom('user_counts')
      .select(['is_active', 'role', ({ fn }) => fn.sum<number>('count').as('count')])
      .groupBy(['is_active', 'role'])
      .orderBy('is_active')
      .orderBy('role'),
  );
}

export function hasOnlyAdministrators(counts: readonly Count[]): boolean {
  return counts.every(({ role, count }) => role === 'admin' || count === 0);
}

export function sumByStatus(counts: readonly Count[], role?: Role): Counts {
  const sums = { active: 0, inactive: 0 };
  for (const count of counts) {
    if (role === undefined || role === count.role)
      sums[count.is_active ? 'active' : 'inactive'] += count.count;
  }
  return sums;
}

export async function countByStatus(db: Db, role?: Role): Promise<Counts> {
  return sumByStatus(await readCounts(db), role);
}
