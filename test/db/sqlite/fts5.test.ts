/** How SQLite goes about searches, and about lists that no index orders: by which indexes, and what it sorts. */
import Sqlite from 'better-sqlite3';
import { sql } from 'kysely';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { commandLine } from '../../../src/auth/actor.ts';
import { seedUsers } from '../../../src/cli/seed.ts';
import { filePathOf } from '../../../src/database-url.ts';
import { engineOf, timingOf } from '../../../src/db/engine.ts';
import { rebuildSearch } from '../../../src/db/rebuild-search.ts';
import type { Db, Role } from '../../../src/db/schema.ts';
import type { Condition } from '../../../src/db/search-index.ts';
import { runBatch } from '../../../src/db/sqlite/batch-queue.ts';
import { indexNameOf } from '../../../src/db/sqlite/fts5-index.ts';
import { sqliteSearch } from '../../../src/db/sqlite/fts5-search.ts';
import { transact } from '../../../src/db/transact.ts';
import { DamagedError } from '../../../src/errors.ts';
import { Deadline } from '../../../src/lib/deadline.ts';
import { parseQuery } from '../../../src/lib/forms.ts';
import { parseSearch } from '../../../src/search/terms.ts';
import { changeUser, createUser, deleteUser } from '../../../src/users/commands.ts';
import { parseList } from '../../../src/users/list/address.ts';
import { resolveFilter } from '../../../src/users/list/filter-result.ts';
import { readPage } from '../../../src/users/list/page.ts';
import { bytesOfIndex, found, NAME, TRIGRAMS } from '../../erasure/byte-search.ts';
import { addUser, readyUrl, sharedDatabase, temporaryDatabase } from '../../support.ts';

const INDEX = 'SCAN users_search_0 VIRTUAL TABLE INDEX 64:M1';
const LOOKED_UP = 'SEARCH users USING INTEGER PRIMARY KEY (rowid=?)';

/** As FTS5 lists the pages of each: https://sqlite.org/src/file/ext/fts5/fts5_index.c */
async function countSegments(db: Db, part: number): Promise<number> {
  const pages = sql.table(`${indexNameOf(part)}_idx`);
  const { rows } = await sql<{ count: number }>`select count(distinct segid) as count from ${pages}`.execute(
    db,
  );
  return rows[0]?.count ?? 0;
}

/** What is asked for a page: each statement with its plan. */
async function plansOf(db: Db, query: string): Promise<{ text: string; plan: string }[]> {
  const { list } = parseList(parseQuery(query));
  const execute = vi.spyOn(db.getExecutor(), 'executeQuery');
  await readPage(db, list, await resolveFilter(db, list));
  const statements = new Map(execute.mock.calls.map(([{ sql, parameters }]) => [sql, parameters]));
  execute.mockRestore();
  const plans = [];
  for (const [text, parameters] of statements) {
    if (!/"users"|users_search_\d/.test(text)) continue;
    const explained = sql.raw(`explain query plan ${text}`).compile(db);
    const { rows } = await db.executeQuery<{ detail: string }>({ ...explained, parameters });
    plans.push({ text, plan: rows.map(({ detail }) => detail).join('\n') });
  }
  return plans;
}

const analyzed = sharedDatabase(async (db) => {
  await seedUsers(db, 20_000);
  await transact(db, (trx) => sql`analyze`.execute(trx));
});

test('of far too many the first are asked for, and then the index alone how many there are', async () => {
  const db = await analyzed();
  const asked = { terms: parseSearch('example'), condition: undefined };
  const execute = vi.spyOn(db.getExecutor(), 'executeQuery');
  onTestFinished(() => execute.mockRestore());
  const first = Array.from({ length: 100 }, (_, index) => index + 1);
  expect(await sqliteSearch.findAll(db, asked, 10_000, Deadline.in(60_000))).toEqual({
    kind: 'too many',
    first,
  });
  const searches = execute.mock.calls.map(([{ sql }]) => sql).filter((text) => text.includes(' match '));
  expect(searches).toEqual([expect.stringContaining('json_group_array'), expect.stringContaining('offset')]);
  execute.mockClear();
  expect(await sqliteSearch.findAll(db, asked, 15_000, Deadline.in(60_000))).toEqual({
    kind: 'too many',
    first: Array.from({ length: 15_001 }, (_, index) => index + 1),
  });
  expect(execute.mock.calls.map(([{ sql }]) => sql).join()).not.toMatch(/offset|count/);
});

describe('on a table with statistics', () => {
  test.each([
    ['q=garcia', INDEX],
    ['q=garcia&page=2&after=id.900', `${INDEX}`],
    ['q=garcia&sort=-id', INDEX],
    ['q=garcia&status=active&sort=-email', `CO-ROUTINE users\n${LOOKED_UP}`],
    ['q=example&sort=-id&status=inactive', `${INDEX}>`],
    ['q=example&sort=email', 'SCAN users USING INDEX users_email_key'],
    ['q=example&sort=-email&after=-email.5.garcia', 'SEARCH users USING INDEX users_email_key (email_key<?)'],
    [
      'q=example&sort=username&status=active',
      'SEARCH users USING INDEX users_status_username_sort (is_active=?)',
    ],
    [
      'q=example&sort=created&created_after=2019-01-08',
      'SEARCH users USING INDEX users_created_at (created_at>?)',
    ],
    ['q=an&created_after=2019-03-01&created_before=2019-03-02', LOOKED_UP],
    ['created_after=2019-01-08&sort=username', 'SCAN users USING INDEX users_username_sort'],
    [
      'created_after=2019-06-01&created_before=2020-03-31&sort=-id',
      'SEARCH users USING COVERING INDEX users_created_at',
    ],
  ])('%s goes by an index, and sorts no more than a few', async (query, way) => {
    const plans = await plansOf(await analyzed(), query);
    expect(plans.map(({ plan }) => plan).join('\n')).toContain(way);
    for (const { text, plan } of plans) {
      // Whatever is gone through from one end has a limit, and so has whatever is sorted.
      if (/^SCAN users\b(?!_)/m.test(plan)) expect(text, plan).toMatch(/limit \+\?/);
      if (plan.includes('TEMP B-TREE')) expect(text, plan).toMatch(/limit \+\?\) as "users"/);
      expect(plan).not.toContain('AUTOMATIC');
    }
  });
});

test('where few are wanted few are looked up, and more each time where hardly any of them match', async () => {
  const db = await analyzed();
  const execute = vi.spyOn(db.getExecutor(), 'executeQuery');
  onTestFinished(() => execute.mockRestore());
  const lookedUp = async (limit: number, role: Role) => {
    execute.mockClear();
    const condition: Condition = (where) => where('users.role', '=', role);
    const query = { terms: parseSearch('example'), condition, isReversed: false, limit };
    await sqliteSearch.find(db, query, Deadline.in(60_000));
    const asked = execute.mock.calls.filter(([{ sql }]) => sql.includes('users_search_0 match'));
    return asked.map(([{ parameters }]) => parameters.at(-1));
  };
  expect(await lookedUp(11, 'member')).toEqual([100]);
  expect(await lookedUp(250, 'member')).toEqual([500]);
  expect((await lookedUp(11, 'admin')).slice(0, 7)).toEqual([100, 200, 400, 800, 1_600, 2_000, 2_000]);
});

test('long work takes turns, one batch after the other, with everyone else between them', async () => {
  const done: string[] = [];
  const long = async (name: string) => {
    for (let batch = 0; batch < 3; batch++) await runBatch(async () => void done.push(name));
  };
  let other: Promise<void> = Promise.resolve();
  for (let time = 0; time < 6; time++) {
    other = other
      .then(() => new Promise<void>((resolve) => setImmediate(resolve)))
      .then(() => void done.push('other'));
  }
  await Promise.all([long('one'), long('two'), other]);
  expect(done.filter((name) => name !== 'other')).toEqual(['one', 'two', 'one', 'two', 'one', 'two']);
  expect(done.join(' ')).not.toMatch(/(one|two) (one|two) (one|two)/);
});

test('when the first user of a new range of ids is rolled back, those who come after are saved', async () => {
  const db = await temporaryDatabase();
  await transact(db, (trx) => engineOf(trx).writeLastId(trx, 262_130));
  const refused = async () => {
    const work = transact(db, async (trx) => {
      await createUser(
        trx,
        commandLine,
        { username: 'x', email: 'x@y', full_name: null, is_active: true, role: 'member' },
        1,
      );
      throw new Error('no');
    });
    await expect(work).rejects.toThrow('no');
  };
  for (let id = 262_131; id <= 262_155; id++) {
    await Promise.all([refused(), addUser(db, { username: `user${id}` }), refused()]);
  }
  const search = await engineOf(db).searchIndexOf(db);
  const terms = [{ text: 'user2621', typed: '', at: 'anywhere' as const }];
  const question = { terms, condition: undefined, isReversed: false, limit: 100 };
  expect(await search.find(db, question, Deadline.in(60_000))).toHaveLength(25);
});

test('another process may make the index anew meanwhile', async () => {
  const url = await readyUrl();
  const db = await temporaryDatabase(url);
  await transact(db, (trx) => engineOf(trx).writeLastId(trx, 262_130));
  await addUser(db, { username: 'first' });
  const other = await temporaryDatabase(url);
  await transact(other, (trx) => rebuildSearch(trx));
  for (let id = 262_132; id <= 262_150; id++) await addUser(db, { username: `user${id}` });
  const search = await engineOf(db).searchIndexOf(db);
  const question = { terms: parseSearch('user'), condition: undefined, isReversed: false, limit: 100 };
  expect(await search.find(db, question, Deadline.in(60_000))).toHaveLength(19);
});

test('what is loaded at once, or made anew, is one segment of the index', async () => {
  const db = await temporaryDatabase();
  await seedUsers(db, 12_000);
  expect(await countSegments(db, 0)).toBe(1);
  await transact(db, (trx) => engineOf(trx).makeSearchIndex(trx));
  expect(await countSegments(db, 0)).toBe(1);
});

test('so is each part of it that is loaded batch by batch, beside whoever is there', async () => {
  const db = await temporaryDatabase();
  await addUser(db, { username: 'first' });
  await transact(db, (trx) => engineOf(trx).writeLastId(trx, 262_143 - 12_000));
  await seedUsers(db, 35_000);
  expect(await countSegments(db, 0)).toBe(1);
  expect(await countSegments(db, 1)).toBe(1);
});

test('many users who are changed in one transaction are one segment of the index', async () => {
  const db = await temporaryDatabase();
  for (let id = 1; id <= 10; id++) await addUser(db, { username: `user${id}` });
  const before = await countSegments(db, 0);
  await transact(db, async (trx) => {
    for (let id = 1; id <= 10; id++) await changeUser(trx, commandLine, id, { full_name: `Name ${id}` }, 1);
  });
  expect(await countSegments(db, 0)).toBe(before + 1);
});

test('what is done by many at the same moment is one segment of the index, and everyone is found as they are', async () => {
  const db = await temporaryDatabase();
  for (const username of ['anna', 'bert']) await addUser(db, { username, full_name: 'Initial' });
  const before = await countSegments(db, 0);
  const groups: number[] = [];
  timingOf(db).observe({ onPart: () => {}, onGroup: (size) => groups.push(size) });
  const rename = (id: number, full_name: string) =>
    transact(db, (trx) => changeUser(trx, commandLine, id, { full_name }, 1));
  const refused = (id: number) =>
    transact(db, async (trx) => {
      await changeUser(trx, commandLine, id, { full_name: 'Never' }, 1);
      throw new Error('no');
    });
  const done = await Promise.allSettled([
    rename(1, 'Former'),
    refused(1),
    rename(1, 'Latter'),
    rename(2, 'Bertram'),
    refused(2),
    transact(db, (trx) => deleteUser(trx, commandLine, 2, 1)),
    ...['carl', 'dora', 'emil'].map((username) => addUser(db, { username })),
    refused(3),
    rename(4, 'Theodora'),
  ]);
  expect(done.map(({ status }) => status)).toEqual(
    done.map((_one, index) => ([1, 4, 9].includes(index) ? 'rejected' : 'fulfilled')),
  );
  expect(groups).toEqual([8]);
  expect(await countSegments(db, 0)).toBe(before + 1);
  const found = async (word: string) => (await resolveFilter(db, parseList({ q: word }).list)).ids;
  expect(await Promise.all(['latter', 'carl', 'theodora'].map(found))).toEqual([[1], [3], [4]]);
  expect(await Promise.all(['initial', 'former', 'never', 'bert'].map(found))).toEqual([[], [], [], []]);
  expect(await Array.fromAsync(engineOf(db).findWronglyIndexed(db))).toEqual([]);
});

test('where one part of it is damaged, those after it are merged all the same', async () => {
  const url = await readyUrl();
  const db = await temporaryDatabase(url);
  await addUser(db, { username: 'first' });
  await transact(db, (trx) => engineOf(trx).writeLastId(trx, 262_143));
  for (const username of ['second', 'third']) await addUser(db, { username });
  expect(await countSegments(db, 1)).toBe(2);
  const program = new Sqlite(filePathOf(url) ?? '').unsafeMode();
  program.exec('delete from users_search_0_data');
  program.close();
  await expect(engineOf(db).mergeIndexesAfter(db, 0)).rejects.toThrow(DamagedError);
  expect(await countSegments(db, 1)).toBe(1);
});

test('whoever was deleted is merged out of the index, also where others come meanwhile', async () => {
  const url = await readyUrl();
  const db = await temporaryDatabase(url);
  const { id } = await addUser(db, { username: 'somebody', full_name: NAME });
  await seedUsers(db, 12_000);
  await transact(db, (trx) => deleteUser(trx, commandLine, id, 1));
  expect(await countSegments(db, 0)).toBe(2);
  const addOthers = async () => {
    for (let count = 1; count <= 3; count++) await addUser(db, { username: `other${count}` });
  };
  const [scrubbed] = await Promise.all([engineOf(db).scrub(db, [id]), addOthers()]);
  expect(scrubbed).toBe('gone');
  expect(found(bytesOfIndex(url), TRIGRAMS)).toEqual([]);
});

test('no index merges its segments before there are many: all of them at once take long', async () => {
  const db = await temporaryDatabase();
  await transact(db, (trx) => engineOf(trx).writeLastId(trx, 262_130));
  await addUser(db, { username: 'far' });
  for (const index of ['users_search_0', 'users_search_1']) {
    const config = sql.table(`${index}_config`);
    const { rows } = await sql<{ v: number }>`select v from ${config} where k = 'crisismerge'`.execute(db);
    expect(rows).toEqual([{ v: 16 }]);
  }
});
