/** A file that is damaged, and a search index that has something else than its users. */
import { closeSync, openSync, writeSync } from 'node:fs';
import Sqlite from 'better-sqlite3';
import { expect, test } from 'vitest';
import { findFaults } from '../../../src/check/run.ts';
import { seedUsers } from '../../../src/cli/seed.ts';
import { openDatabase } from '../../../src/db/database.ts';
import { rebuildSearch } from '../../../src/db/rebuild-search.ts';
import type { Db } from '../../../src/db/schema.ts';
import { transact } from '../../../src/db/transact.ts';
import { DamagedError } from '../../../src/errors.ts';
import { runCommand } from '../../command.ts';
import { addUser, readyUrl } from '../../support.ts';

const REBUILD = 'Have it made anew: npm run roster -- rebuild-search.';

/** A file of 2,000 users, closed, then changed. @param statement past all that holds it together */
async function fileWith(change: (path: string) => void) {
  const url = await readyUrl('sqlite');
  const db = await openDatabase(url);
  await seedUsers(db, 2_000);
  await db.destroy();
  change(url.slice('sqlite:'.length));
  return url;
}

function changedBy(...statements: readonly string[]) {
  return fileWith((path) => {
    const db = new Sqlite(path).unsafeMode();
    for (const statement of statements) db.exec(statement);
    db.close();
  });
}

/** Some bytes in the middle of the page where an index begins. */
function spoil(path: string, name: string) {
  const db = new Sqlite(path);
  const page = db.prepare('select rootpage from sqlite_schema where name = ?').pluck().get(name) as number;
  const size = db.pragma('page_size', { simple: true }) as number;
  db.close();
  const file = openSync(path, 'r+');
  writeSync(file, Buffer.alloc(64, 'x'), 0, 64, (page - 1) * size);
  closeSync(file);
}

async function findingsOf(url: string, quick = false) {
  const db = await openDatabase(url);
  try {
    return await Array.fromAsync(findFaults(db, { quick }));
  } finally {
    await db.destroy();
  }
}

test('a page that is damaged is found, and said with exit code 1', async () => {
  const url = await fileWith((path) => spoil(path, 'users_email_key'));
  const { out, code } = await runCommand(['check', '--quick'], { DATABASE_URL: url });
  expect(out).toMatch(
    /The file is damaged: .*\n {2}Look after the disk: .* npm run roster -- restore FILE\.\n/,
  );
  expect(code).toBe(1);
});

test('an index that lacks somebody is found, not by the quick check', async () => {
  const url = await changedBy(
    'pragma writable_schema = on',
    "update sqlite_schema set sql = replace(sql, 'users (created_at)', 'users (created_at) where id < 0') where name = 'users_created_at'",
    'pragma writable_schema = reset',
    "insert into users (username, username_key, email, email_key, full_name, username_sort, name_sort, search_text, is_active, role, created_at, updated_at, version) select 'x', 'x', 'x@y', 'x@y', null, 'x', 'x', search_text, 1, 'member', 1, 1, 1 from users limit 1",
    'pragma writable_schema = on',
    "update sqlite_schema set sql = replace(sql, ' where id < 0', '') where name = 'users_created_at'",
  );
  const found = (await findingsOf(url)).map(({ what }) => what);
  expect(found[0]).toMatch(
    /^The file is damaged: (row \d+ missing from|wrong # of entries in) index users_created_at\.$/,
  );
});

const texts = (ids: string) => `select 'delete', id, search_text from users where id ${ids}`;
const INDEX = 'insert into users_search_0 (users_search_0, rowid, search_text)';

test.each([
  ['lacks somebody', [`${INDEX} ${texts('= 7')}`], [7]],
  [
    'has a text of nobody',
    ["insert into users_search_0 (rowid, search_text) values (5000, 'nobody at all')"],
    [5000],
  ],
  ['has more of somebody', ["insert into users_search_0 (rowid, search_text) values (7, 'other')"], [7]],
  [
    'has each under the number of the other',
    [
      `${INDEX} ${texts('in (7, 8)')}`,
      'insert into users_search_0 (rowid, search_text) select 15 - id, search_text from users where id in (7, 8)',
    ],
    [7, 8],
  ],
])('a search index that %s is found, and made anew', async (_what, statements, ids) => {
  const url = await changedBy(...statements);
  const what = (id: number) =>
    `Searches do not find user ${id} by what they are called, or by something else.`;
  expect(await findingsOf(url)).toEqual(ids.map((id) => ({ what: what(id), todo: REBUILD })));
  const db: Db = await openDatabase(url);
  await transact(db, (trx) => rebuildSearch(trx));
  await db.destroy();
  expect(await findingsOf(url)).toEqual([]);
});

test('a search index that is damaged itself is found, and made anew', async () => {
  const url = await changedBy(
    'update users_search_0_data set block = zeroblob(length(block)) where id = (select max(id) from users_search_0_data)',
  );
  const [damage, unread, ...rest] = await findingsOf(url);
  expect(damage?.what).toMatch(/^The file is damaged: .*users_search_0/);
  expect(unread?.what).toBe('Of searches, not all can be read: there is damage.');
  expect([damage?.todo, unread?.todo, rest]).toEqual([REBUILD, REBUILD, []]);
  expect((await runCommand(['rebuild-search'], { DATABASE_URL: url })).code).toBe(0);
  expect(await findingsOf(url)).toEqual([]);
});

test.each([
  ['emptied', 'zeroblob(length(block))'],
  ['overwritten', "cast(printf('%.*c', length(block), 'x') as blob)"],
])(
  'where its record of its own parts is %s, a change says that the search index is to be made anew',
  async (_how, block) => {
    const url = await changedBy(`update users_search_0_data set block = ${block} where id = 10`);
    const db = await openDatabase(url);
    const error = await addUser(db, { username: 'alice' }).catch((thrown) => thrown);
    await db.destroy();
    expect(error).toBeInstanceOf(DamagedError);
    expect(error.message).toContain('make its search anew: npm run roster -- rebuild-search');
    expect((await runCommand(['check'], { DATABASE_URL: url })).out).toContain(REBUILD);
    expect(await runCommand(['rebuild-search'], { DATABASE_URL: url })).toMatchObject({ error: '', code: 0 });
    expect(await findingsOf(url)).toEqual([]);
  },
);

test('a part of the search index that is missing is found', async () => {
  const url = await changedBy('drop table users_search_0', 'create table other (id)');
  const found = await findingsOf(url);
  const [data, idx, config, index, other, ...searches] = found;
  for (const part of [data, idx, config, index])
    expect(part?.what).toMatch(/^The table users_search_0\w* is missing\.$/);
  expect(other?.what).toBe("There is a table other, which is none of Roster's.");
  expect(searches.length).toBe(21);
  const todos = [data, idx, config, index, ...searches].map((finding) => finding?.todo);
  expect(new Set(todos)).toEqual(new Set([REBUILD]));
});
