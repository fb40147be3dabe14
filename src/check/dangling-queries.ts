/** What points at something that is not there. */
import type { Db } from '../db/schema.ts';

/** More of a kind are not looked for. */
const MOST_FOUND = 10_000;

const ACCESS = ['credentials', 'recovery_codes', 'sessions', 'invitations', 'tickets'] as const;
export const OF_USERS = [...ACCESS, 'last_sign_ins', 'made_up_people'] as const;

export async function findMissingUsers(db: Db, table: (typeof OF_USERS)[number]): Promise<number[]> {
  const rows = await db
    .selectFrom(table)
    .leftJoin('users', 'users.id', `${table}.user_id`)
    .select(`${table}.user_id`)
    .where('users.id', 'is', null)
    .limit(MOST_FOUND)
    .execute();
  return rows.map(({ user_id }) => user_id);
}

export const OF_SETS = ['deleted_users', 'erasures', 'jobs', 'imports'] as const;

export async function findMissingSets(db: Db, table: (typeof OF_SETS)[number]): Promise<number[]> {
  const rows = await db
    .selectFrom(table)
    .leftJoin('change_sets', 'change_sets.id', `${table}.set_id`)
    .select(`${table}.set_id`)
    .distinct()
    .where('change_sets.id', 'is', null)
    .where(`${table}.set_id`, 'is not', null)
    .limit(MOST_FOUND)
    .execute();
  return rows.flatMap(({ set_id }) => set_id ?? []);
}

export async function findUndosOfMissingSets(db: Db): Promise<number[]> {
  const rows = await db
    .selectFrom('change_sets as undo')
    .leftJoin('change_sets as undone', 'undone.id', 'undo.undoes')
    .select('undo.id')
    .where('undo.undoes', 'is not', null)
    .where('undone.id', 'is', null)
    .limit(MOST_FOUND)
    .execute();
  return rows.map(({ id }) => id);
}

export async function findImportsWithoutJob(db: Db): Promise<number[]> {
  const rows = await db
    .selectFrom('imports')
    .leftJoin('jobs', 'jobs.set_id', 'imports.set_id')
    .select('imports.id')
    .where('imports.state', '=', 'applying')
    .where('jobs.id', 'is', null)
    .execute();
  return rows.map(({ id }) => id);
}
