/** Who is not in a file, as it is kept: ranges of numbers. */
import type { Selectable } from 'kysely';
import { insertion } from '../db/many-rows.ts';
import type { AbsentUsersTable, Db, Trx } from '../db/schema.ts';
import { findImport, type Import, isForgotten, TO_DO } from './queries.ts';

export type Range = Omit<AbsentUsersTable, 'import_id'>;

/** By which it is known that those are still the same who are not in its file; undefined while they may become others, and once they are forgotten. */
export function absenceIn(found: Import | undefined): number | undefined {
  if (found === undefined || isForgotten(found) || TO_DO.includes(found.state)) return undefined;
  return found.judged;
}

export async function insertAbsent(trx: Trx, importId: number, ranges: readonly Range[]): Promise<void> {
  const rows = ranges.map(({ first_id, last_id }) => ({ import_id: importId, first_id, last_id }));
  await trx.executeQuery(insertion(trx, 'absent_users', rows));
}

/** @returns how many ranges, of so many at most */
export async function forgetAbsentOf(trx: Trx, importId: number, limit: number): Promise<number> {
  const own = trx.selectFrom('absent_users').select('first_id').where('import_id', '=', importId);
  const some = await own.orderBy('first_id').limit(limit).execute();
  const last = some.at(-1)?.first_id ?? 0;
  const absent = trx.deleteFrom('absent_users').where('import_id', '=', importId);
  await absent.where('first_id', '<=', last).execute();
  return some.length;
}

export async function findAbsentOfNone(db: Db): Promise<number[]> {
  const ids: number[] = [];
  const after = (id: number) => db.selectFrom('absent_users').select('import_id').where('import_id', '>', id);
  const next = (id: number) => after(id).orderBy('import_id').limit(1).executeTakeFirst();
  for (let found = await next(0); found; found = await next(found.import_id)) {
    const imported = await findImport(db, found.import_id);
    if (imported === undefined || isForgotten(imported)) ids.push(found.import_id);
  }
  return ids;
}

export type Absent = Selectable<AbsentUsersTable>;

export async function findAbsentAfter(
  db: Db,
  { import_id, first_id }: Pick<Absent, 'import_id' | 'first_id'>,
  limit: number,
): Promise<Absent[]> {
  return db
    .selectFrom('absent_users')
    .selectAll()
    .where(({ eb, refTuple, tuple }) =>
      eb(refTuple('import_id', 'first_id'), '>', tuple(import_id, first_id)),
    )
    .orderBy('import_id')
    .orderBy('first_id')
    .limit(limit)
    .execute();
}

export async function insertAbsentOfAll(trx: Trx, rows: readonly Absent[]): Promise<void> {
  await trx.executeQuery(insertion(trx, 'absent_users', rows));
}
