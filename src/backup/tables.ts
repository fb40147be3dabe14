/** The tables whose rows go into another database as they are, each in the order in which it is gone through. */
import type { Db, Trx } from '../db/schema.ts';
import { type Erasure, findErasuresAfter, insertErasures } from '../erasure/queries.ts';
import { type DeletedUser, findDeletedAfter } from '../history/deleted-queries.ts';
import { type Change, type ChangeSet, findChangeSetsAfter, findChangesAfter } from '../history/queries.ts';
import { insertHistory } from '../history/record.ts';
import { type Absent, findAbsentAfter, insertAbsentOfAll } from '../imports/absent-queries.ts';
import { findImportsAfter, type Import, insertImports } from '../imports/queries.ts';
import { findJobsAfter, insertJobs, type Job } from '../jobs/queries.ts';
import { findRunsAfter, insertRuns, type Run } from '../maintenance/queries.ts';
import { goThrough, type Sum } from './checksums.ts';

export const ROWS_AT_ONCE = 1_000;

type Table = { copy: (from: Db, to: Trx) => Promise<Sum>; sumUp: (db: Db) => Promise<Sum> };

function table<R extends object>(
  after: (db: Db, last: R | undefined) => Promise<R[]>,
  insert: (to: Trx, rows: readonly R[]) => Promise<unknown>,
): Table {
  return {
    copy: (from, to) =>
      goThrough<R>(
        (last) => after(from, last),
        (rows) => insert(to, rows),
      ),
    sumUp: (db) => goThrough<R>((last) => after(db, last)),
  };
}

/** Those before which others need to be there come first. */
const OF_USERS: readonly Table[] = [
  table<ChangeSet>(
    (db, last) => findChangeSetsAfter(db, last?.id ?? 0, ROWS_AT_ONCE),
    (to, rows) => insertHistory(to, { change_sets: [...rows] }),
  ),
  table<Change>(
    (db, last) => findChangesAfter(db, last ?? { user_id: 0, version: 0 }, ROWS_AT_ONCE),
    (to, rows) => insertHistory(to, { changes: [...rows] }),
  ),
  table<DeletedUser>(
    (db, last) => findDeletedAfter(db, last?.id ?? 0, ROWS_AT_ONCE),
    (to, rows) => insertHistory(to, { deleted_users: [...rows] }),
  ),
  table<Erasure>((db, last) => findErasuresAfter(db, last?.user_id ?? 0, ROWS_AT_ONCE), insertErasures),
];

const OF_DATABASE: readonly Table[] = [
  table<Job>((db, last) => findJobsAfter(db, last?.id ?? 0, ROWS_AT_ONCE), insertJobs),
  table<Import>((db, last) => findImportsAfter(db, last?.id ?? 0, ROWS_AT_ONCE), insertImports),
  table<Absent>(
    (db, last) => findAbsentAfter(db, last ?? { import_id: 0, first_id: 0 }, ROWS_AT_ONCE),
    insertAbsentOfAll,
  ),
  table<Run>((db, last) => findRunsAfter(db, last?.id ?? 0, ROWS_AT_ONCE), insertRuns),
];

export function tablesOf(isBackup: boolean): readonly Table[] {
  return isBackup ? [...OF_USERS, ...OF_DATABASE] : OF_USERS;
}
