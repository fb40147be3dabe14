/** Who is in the directory and not in the file of an import. */
import type { Db } from '../../db/schema.ts';
import type { Condition } from '../../db/search-index.ts';

/** @param importId without users who are absent where it is none, or is forgotten */
export function isAbsent(importId: number): Condition {
  return (where) => {
    const last = where
      .selectFrom('absent_users')
      .select('last_id')
      .where('import_id', '=', importId)
      .whereRef('first_id', '<=', 'users.id')
      .orderBy('first_id', 'desc')
      .limit(1);
    return where('users.id', '<=', last);
  };
}

/** Range by range: to put those of one range in order the server would read all of it, which may be everyone. */
export function absentUsers(db: Db, importId: number) {
  return db
    .selectFrom('absent_users')
    .innerJoin('users', (join) => join.onRef('users.id', '>=', 'first_id').onRef('users.id', '<=', 'last_id'))
    .select('users.id')
    .where('import_id', '=', importId)
    .orderBy('first_id');
}

export async function absentAmong(db: Db, importId: number, ids: readonly number[]): Promise<number[]> {
  const absent: number[] = [];
  for (const id of ids) {
    const before = db
      .selectFrom('absent_users')
      .select('last_id')
      .where('import_id', '=', importId)
      .where('first_id', '<=', id)
      .orderBy('first_id', 'desc')
      .limit(1);
    if (((await before.executeTakeFirst())?.last_id ?? 0) >= id) absent.push(id);
  }
  return absent;
}
