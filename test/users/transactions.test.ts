import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { addUser, post, startApp, temporaryFolder, textOf } from '../support.ts';

/** Every row of every table, the schema and SQLite's own included. */
function dump(path: string): unknown {
  const db = new Sqlite(path, { readonly: true });
  const tables = db.prepare("select name from sqlite_schema where type = 'table'").pluck().all();
  const rows = ['sqlite_schema', ...tables].map((table) => [
    table,
    db.prepare(`select * from ${table}`).all(),
  ]);
  db.close();
  return rows;
}

describe('one request, one transaction', () => {
  test.each([
    ['/users', { username: 'bob', email: 'bob@example.org' }],
    ['/users/1', { username: 'bob', is_active: '0' }],
    ['/users/1/delete', {}],
  ])(
    'a failure after the first write of %s leaves the database as it was, and the page says so',
    async (address, fields) => {
      const path = join(temporaryFolder(), 'roster.db');
      const app = await startApp({}, path);
      await addUser(app.db, { username: 'alice' });
      await app.db
        .transaction()
        .execute((trx) =>
          sql`create trigger broken before update on user_counts begin select raise(abort, 'broken'); end`.execute(
            trx,
          ),
        );
      const before = dump(path);
      const page = await post(app, address, fields);
      expect(page.statusCode).toBe(500);
      expect(textOf(page.body)).toContain('Nothing was changed');
      expect(page.body).not.toContain('broken');
      expect(dump(path)).toEqual(before);
    },
  );
});
