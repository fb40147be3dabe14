/** What people are told of each error of SQLite's, by what the system says of the file then. */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { translated } from '../../../src/db/sqlite/errors.ts';
import { UnavailableError } from '../../../src/errors.ts';
import { temporaryFolder } from '../../support.ts';

/** A database of which the system says so when its times are to be written. */
function database(refusal: string | undefined): Sqlite.Database {
  const db = new Sqlite(join(temporaryFolder(), 'roster.db'));
  const { utimesSync } = fs;
  fs.utimesSync = (...how) => {
    if (refusal !== undefined) throw Object.assign(new Error(refusal), { code: refusal });
    utimesSync(...how);
  };
  syncBuiltinESMExports();
  onTestFinished(() => {
    db.close();
    fs.utimesSync = utimesSync;
    syncBuiltinESMExports();
  });
  return db;
}

const FAILING = 'its disk reports an error';
const QUOTA = `${FAILING}, a quota or a limit on files`;

test.each([
  ['SQLITE_FULL', undefined, 'its disk is full'],
  ['SQLITE_BUSY', undefined, 'another program is writing to it'],
  ['SQLITE_BUSY_SNAPSHOT', undefined, 'another program is writing to it'],
  ['SQLITE_PROTOCOL', undefined, 'another program is writing to it'],
  ['SQLITE_NOMEM', undefined, 'there is not enough memory'],
  ['SQLITE_IOERR_NOMEM', undefined, 'there is not enough memory'],
  ['SQLITE_READONLY', undefined, 'it is read-only'],
  ['SQLITE_READONLY', 'EROFS', 'its disk is read-only'],
  ['SQLITE_READONLY_DBMOVED', 'ENOENT', 'its file is no longer there'],
  // EDQUOT and EFBIG are among these.
  ['SQLITE_IOERR_WRITE', undefined, QUOTA],
  ['SQLITE_IOERR_WRITE', 'EIO', QUOTA],
  ['SQLITE_IOERR_WRITE', 'EROFS', 'its disk is read-only'],
  ['SQLITE_IOERR_TRUNCATE', undefined, QUOTA],
  ['SQLITE_IOERR_SHMSIZE', undefined, QUOTA],
  ['SQLITE_IOERR_FSYNC', undefined, FAILING],
  ['SQLITE_IOERR_READ', 'EIO', FAILING],
  ['SQLITE_CANTOPEN', 'EACCES', 'its file may not be written'],
  ['SQLITE_PERM', 'EACCES', 'its file may not be written'],
])('%s, where the system says %s, is told as "%s"', (code, refusal, reason) => {
  const told = translated(new Sqlite.SqliteError('x', code), database(refusal));
  expect(told).toBeInstanceOf(UnavailableError);
  expect(told).toMatchObject({ reason });
});

test('what only a mistake of ours can be is told as it is', () => {
  const mistake = new Sqlite.SqliteError('x', 'SQLITE_ERROR');
  expect(translated(mistake, database(undefined))).toBe(mistake);
});
