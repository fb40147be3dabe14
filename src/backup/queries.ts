/** What is in a database, of whatever version it is. */
import type { ChangeSet, Db } from '../db/schema.ts';

export async function countByActive(db: Db): Promise<{ active: number; inactive: number }> {
  const rows = await db
    .selectFrom('users')
    .select(['is_active', ({ fn }) => fn.countAll<number | string>().as('count')])
    .groupBy('is_active')
    .execute();
  const countOf = (isActive: boolean) => Number(rows.find((row) => row.is_active === isActive)?.count ?? 0);
  return { active: countOf(true), inactive: countOf(false) };
}

export async function countAdministrators(db: Db): Promise<number> {
  const { count } = await db
    .selectFrom('users')
    .select(({ fn }) => fn.countAll<number | string>().as('count'))
    .where('role', '=', 'admin')
    .executeTakeFirstOrThrow();
  return Number(count);
}

export async function findLastSet(db: Db): Promise<ChangeSet | undefined> {
  return db.selectFrom('change_sets').selectAll().orderBy('id', 'desc').limit(1).executeTakeFirst();
}

export async function countSetsAfter(db: Db, id: number): Promise<number> {
  const { count } = await db
    .selectFrom('change_sets')
    .select(({ fn }) => fn.countAll<number | string>().as('count'))
    .where('id', '>', id)
    .executeTakeFirstOrThrow();
  return Number(count);
}

export async function findFirstUsers(
  db: Db,
  limit: number,
): Promise<{ user_id: number; created_at: number }[]> {
  const users = db.selectFrom('users').select(['id as user_id', 'created_at']);
  return users.orderBy('id').limit(limit).execute();
}
