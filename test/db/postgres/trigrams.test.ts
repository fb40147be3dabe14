/** Searching on PostgreSQL with the extension and without, and by which indexes. */
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { sql } from 'kysely';
import pg from 'pg';
import { expect, test } from 'vitest';
import { seedUsers } from '../../../src/cli/seed.ts';
import { engineOf } from '../../../src/db/engine.ts';
import { REQUEST_TIMEOUTS } from '../../../src/db/postgres/timeouts.ts';
import type { Db } from '../../../src/db/schema.ts';
import { readSnapshot, transact } from '../../../src/db/transact.ts';
import { TooBroadError } from '../../../src/errors.ts';
import { DAY } from '../../../src/lib/clock.ts';
import { Deadline } from '../../../src/lib/deadline.ts';
import { parseSearch } from '../../../src/search/terms.ts';
import { matchCondition } from '../../../src/users/list/conditions.ts';
import { NO_FILTER } from '../../../src/users/list/filter.ts';
import { searchedIn } from '../../../src/users/list/filter-result.ts';
import { FILTERS } from '../../../src/users/list/filters.ts';
import { pageOf } from '../../page.ts';
import { ask } from '../../postgres/ask.ts';
import { plainRole } from '../../postgres/plain-role.ts';
import { run, startRoster } from '../../roster.ts';
import { addUser, fillAsCommand, filledDatabase, get, startApp, temporaryDatabase } from '../../support.ts';

/** A schema whose owner may not bring in an extension: its address, and that of whoever may. */
async function withoutExtensions(): Promise<{ url: string; adminUrl: string }> {
  const { url, adminUrl } = await plainRole();
  await ask(adminUrl, 'drop extension if exists pg_trgm cascade');
  return { url, adminUrl };
}

const filterOf = (q: string) => ({ ...NO_FILTER, q: FILTERS.q.parse(q) });

async function ids(db: Db, q: string): Promise<number[]> {
  const { terms, search } = await searchedIn(db, filterOf(q));
  const question = { terms, condition: undefined, isReversed: false, limit: 100 };
  return (await search?.find(db, question, Deadline.in(60_000))) ?? [];
}

test('without the extension Roster says so at start, and finds what fields start with', async () => {
  const { url } = await withoutExtensions();
  const { address, child, stderr } = await startRoster({ DATABASE_URL: url });
  const db = await temporaryDatabase(url);
  await addUser(db, { username: 'jm', email: 'mail@example.org', full_name: 'Jürgen Müller' });
  expect(await ids(db, 'jurgen')).toEqual([1]);
  expect(await ids(db, 'jm mai')).toEqual([1]);
  expect(await ids(db, '"jurgen mu"')).toEqual([1]);
  expect(await ids(db, 'muller')).toEqual([]);
  expect(await ids(db, '%')).toEqual([]);
  const page = pageOf(await (await fetch(`${address}/users?q=jurgen`)).text());
  expect(page.text).toContain('A field that starts with “jurgen” Clear all');
  expect(page.column('User')).toEqual(['Jürgen Müller jm']);
  expect(page.marks).toEqual(['Jürgen']);
  await addUser(db, { username: 'cg', full_name: 'Charles de Gaulle' });
  for (const q of ['charles de gaulle', 'Charles Gaulle', 'cg gaul'])
    expect(await ids(db, q), q).toEqual([2]);
  expect(await ids(db, 'gaulle charles')).toEqual([]);
  child.kill('SIGTERM');
  expect(await stderr).toContain('lacks the extension pg_trgm');
});

test('with the extension since, the command makes the index that finds any part', async () => {
  const { url, adminUrl } = await withoutExtensions();
  const db = await temporaryDatabase(url);
  await addUser(db, { username: 'jm', full_name: 'Jürgen Müller' });
  const admin = new pg.Client(adminUrl);
  await admin.connect();
  await admin.query('create extension pg_trgm');
  await admin.end();
  const child = run(['rebuild-search'], { DATABASE_URL: url });
  const [out, error] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  expect(out + error).toContain('Searches find any part of a username, email or full name.');
  expect(await ids(db, 'muller')).toEqual([1]);
});

test('what a field starts with, and any part of it, are each found by an index', async () => {
  const { url } = await withoutExtensions();
  await fillAsCommand(url, (plain) => seedUsers(plain, 20_000));
  const plain = await temporaryDatabase(url);
  expect(await planOf(plain, 'wanjiru')).toMatch(
    /Bitmap Index Scan.*users_search_field_1.*users_search_field_2.*users_search_field_3/,
  );
  const db = await filledDatabase((filled) => seedUsers(filled, 20_000));
  for (const q of ['wanjiru', 'wanj otieno', '"wanjiru ot"'])
    expect(await planOf(db, q)).toMatch(/Bitmap Index Scan.*"users_search_text"/);
  // Those whom nearly everyone is among are met on the way.
  const common = await planOf(db, 'example');
  expect(common).toContain('users_pkey');
  expect(common).not.toContain('"Sort"');
});

/** How a search for the first few is done. */
async function planOf(db: Db, q: string): Promise<string> {
  const filter = filterOf(q);
  const searched = await searchedIn(db, filter);
  const query = db
    .selectFrom('users')
    .select('id')
    .where(matchCondition(filter, searched))
    .orderBy('id')
    .limit(100)
    .compile();
  const { rows } = await db.executeQuery({ ...query, sql: `explain (format json) ${query.sql}` });
  return JSON.stringify(rows);
}

/** A search of which each user takes so many seconds. */
async function slowSearch(db: Db, seconds: number) {
  await transact(db, (trx) =>
    sql`create function slow(text) returns boolean language sql volatile as ${sql.lit(`select pg_sleep(${seconds}) is not null`)}`.execute(
      trx,
    ),
  );
  const condition = () => sql<boolean>`slow(search_text)`;
  const question = { terms: parseSearch('example'), condition, isReversed: false, limit: 5 };
  return { search: await engineOf(db).searchIndexOf(db), question };
}

test('a search that the server does not finish in time is given up, and the connection goes on', async () => {
  const app = await startApp();
  await seedUsers(app.db, 2_000);
  const { search, question } = await slowSearch(app.db, 5);
  await expect(search.find(app.db, question, Deadline.in(100))).rejects.toMatchObject({
    name: 'TooBroadError',
  });
  expect((await get(app, '/users?q=example')).statusCode).toBe(200);
});

test('whoever has patience gets what takes longer than a page waits for anything', async () => {
  const db = await temporaryDatabase();
  const { id } = await addUser(db, { username: 'max', email: 'max@example.org' });
  const { search, question } = await slowSearch(db, REQUEST_TIMEOUTS.query_timeout / 1_000 + 0.5);
  const inSnapshot = readSnapshot(db, (trx) => search.find(trx, question, Deadline.in(DAY)));
  expect(await Promise.all([inSnapshot, search.find(db, question, Deadline.in(DAY))])).toEqual([[id], [id]]);
});

test('what takes long is given up as soon as nobody waits for it any more, and others are answered', async () => {
  const db = await temporaryDatabase();
  await addUser(db, { username: 'max', email: 'max@example.org' });
  const { search, question } = await slowSearch(db, 15);
  const gone = new AbortController();
  const deadline = Deadline.in(DAY, undefined, gone.signal);
  const found = search.find(db, question, deadline);
  const begun = sql<{ query: string }>`select query from pg_stat_activity where state = 'active'`;
  const queries = async () => (await begun.execute(db)).rows.map(({ query }) => query);
  await expect.poll(queries).toContainEqual(expect.stringContaining('slow(search_text)'));
  gone.abort();
  await expect(found).rejects.toThrow(TooBroadError);
  expect((await db.selectFrom('users').select('username').execute()).map(({ username }) => username)).toEqual(
    ['max'],
  );
});
