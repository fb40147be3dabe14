/** What a check reads. */
import type { Db } from '../db/schema.ts';
import type { Count } from '../db/user-counts.ts';

export async function countUsers(db: Db): Promise<Count[]> {
  return db
    .selectFrom('users')
    .select(['is_active', 'role', ({ fn }) => fn.countAll<number>().as('count')])
    .groupBy(['is_active', 'role'])
    .execute();
}
