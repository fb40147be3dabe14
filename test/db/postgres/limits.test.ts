import { readFileSync } from 'node:fs';
import { sql } from 'kysely';
import pg from 'pg';
import { expect, onTestFinished, test, vi } from 'vitest';
import { openDatabase } from '../../../src/db/database.ts';
import { engineOf } from '../../../src/db/engine.ts';
import { askWithin } from '../../../src/db/postgres/long-statements.ts';
import type { Db } from '../../../src/db/schema.ts';
import { transact } from '../../../src/db/transact.ts';
import { TooBroadError, UnavailableError } from '../../../src/errors.ts';
import { Deadline } from '../../../src/lib/deadline.ts';
import { parseList } from '../../../src/users/list/address.ts';
import { resolveFilter } from '../../../src/users/list/filter-result.ts';
import { bring } from '../../imports/by-pages.ts';
import { pageOf } from '../../page.ts';
import { addPerson, signedIn } from '../../people.ts';
import { addUser, get, post, readyUrl, startApp, temporaryDatabase, temporaryUrl } from '../../support.ts';

async function setting(db: Db, name: string): Promise<unknown> {
  return (await sql<{ value: string }>`select current_setting(${name}) as value`.execute(db)).rows[0]?.value;
}

/** Runs something while a transaction has written to user 1 and is not over. */
async function whileLocked<T>(db: Db, work: () => Promise<T>): Promise<T> {
  let result: T | undefined;
  await transact(db, async (trx) => {
    await trx.updateTable('users').set({ full_name: 'Held' }).where('id', '=', 1).execute();
    result = await work();
  });
  return result as T;
}

test('a request that has to wait too long for a row is answered, and nothing of it is written later', async () => {
  const url = await readyUrl();
  const [app, other] = [await startApp({}, await temporaryDatabase(url)), await temporaryDatabase(url)];
  await addUser(app.db, { username: 'alice' });
  const page = await whileLocked(other, () => post(app, '/users/1', { username: 'alicia' }));
  expect(page.statusCode).toBe(503);
  expect(pageOf(page).text).toContain('Nothing was changed');
  expect(await app.db.selectFrom('users').select(['username', 'full_name']).execute()).toEqual([
    { username: 'alice', full_name: 'Held' },
  ]);
});

test('a request whose connection the server ends while it waits is told that nothing was changed', async () => {
  const url = await readyUrl();
  const app = await startApp({}, await temporaryDatabase(`${url}&application_name=waiting`));
  const other = await temporaryDatabase(url);
  await addUser(other, { username: 'alice' });
  const page = await whileLocked(other, async () => {
    const answer = post(app, '/users/1', { username: 'alicia' });
    const end = sql`select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'waiting' and wait_event_type = 'Lock'`;
    await expect.poll(async () => (await transact(other, (trx) => end.execute(trx))).rows.length).toBe(1);
    return answer;
  });
  expect(page.statusCode).toBe(503);
  expect(pageOf(page).text).toContain('Nothing was changed');
  expect((await get(app, '/users/1')).statusCode).toBe(200);
});

test('when all connections are in use a request waits for one, and is told when that takes too long', async () => {
  const url = await readyUrl();
  const db = await temporaryDatabase(url, 1);
  const app = await startApp({}, db);
  await addUser(db, { username: 'alice' });
  const pages = await whileLocked(db, () => Promise.all([get(app, '/users'), post(app, '/users/1/delete')]));
  for (const page of pages) {
    expect(page.statusCode).toBe(503);
    expect(page.headers['retry-after']).toMatch(/^[1-5]$/);
  }
  expect((await get(app, '/users')).statusCode).toBe(200);
  const waiting = await Promise.all(Array.from({ length: 20 }, () => get(app, '/users')));
  expect(waiting.map(({ statusCode }) => statusCode)).toEqual(waiting.map(() => 200));
});

test('the statements of requests are limited in time, those of commands and migrations are not', async () => {
  const url = await temporaryUrl();
  const command = await openDatabase(url);
  onTestFinished(() => command.destroy());
  expect(await setting(command, 'statement_timeout')).toBe('0');
  const db = await temporaryDatabase(url);
  expect(await setting(db, 'statement_timeout')).toBe('3s');
  expect(await setting(db, 'lock_timeout')).toBe('2400ms');
  expect(await setting(db, 'idle_in_transaction_session_timeout')).toBe('30s');
});

test('what the server does not find in time was asked too broadly, whichever way it is looked for', async () => {
  const db = await temporaryDatabase();
  const slow = () => askWithin(db, sql`select pg_sleep(60)`.compile(db), 50, Deadline.in(50));
  const { runBatch, skipOver } = engineOf(db);
  for (const question of [() => runBatch(slow), () => skipOver(db, slow)])
    await expect(question()).rejects.toThrow(TooBroadError);
  await expect(slow()).rejects.toThrow(UnavailableError);
});

test('a list, and an export, of those whom the server does not find in time says so, and what to do', async () => {
  const app = await startApp();
  const ann = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
  await addUser(app.db, { username: 'max' });
  const [, , id = ''] = (await bring(app, ann, 'username\nann\n')).split('/');
  await transact(app.db, async (trx) => {
    await trx.schema.alterTable('absent_users').renameTo('quick').execute();
    await sql`create view absent_users as select * from quick where pg_sleep(60) is not null`.execute(trx);
  });
  const list = `/users?absent_from=${id}`;
  const selected = `from=${encodeURIComponent(`absent_from=${id}`)}&all=on`;
  const [shown, exported] = await Promise.all([
    get(app, list, ann),
    get(app, `/export/file?${selected}&format=csv`, ann),
  ]);
  expect([shown.statusCode, exported.statusCode]).toEqual([422, 422]);
  expect(pageOf(shown).text).toMatch(/Too many at once.*Choose one more filter/);
  expect(pageOf(exported).text).toMatch(/Too many at once.*Choose more filters/);
  expect(pageOf(exported).main.link('Back to the list')).toBe(list);
});

test('while a table is locked, as `purge` does, it is not now that users are read, however they are looked for', async () => {
  const url = await readyUrl();
  const [app, other] = [await startApp({}, await temporaryDatabase(url, 12)), await temporaryDatabase(url)];
  const ann = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
  const addresses = [
    '/users',
    '/users?q=ann',
    '/users?role=admin&status=active',
    '/users?created_after=2020-01-01&sort=name',
    '/users?signed_in=never',
    '/bulk?from=q%3Dann&all=on&do=deactivate',
  ];
  const pages = await transact(other, async (trx) => {
    await sql`lock table users in access exclusive mode`.execute(trx);
    return Promise.all(addresses.map((address) => get(app, address, ann)));
  });
  expect(pages.map(({ statusCode }) => statusCode)).toEqual(addresses.map(() => 503));
  for (const page of pages) expect(pageOf(page).text).toContain('cannot be read just now');
});

test('where a search was locked out for as long as it may take, and is one way of several, the next is tried', async () => {
  const url = await readyUrl();
  const [db, other] = [await temporaryDatabase(url), await temporaryDatabase(url)];
  const { id } = await addUser(db, { username: 'ann' });
  const [locked, asked] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const locking = transact(other, async (trx) => {
    await sql`lock table users in access exclusive mode`.execute(trx);
    locked.resolve();
    await asked.promise;
  });
  await locked.promise;
  const execute = vi.spyOn(db.getExecutor(), 'executeQuery');
  onTestFinished(() => execute.mockRestore());
  const ways = ['search', 'scan'] as const;
  const { list } = parseList({ q: 'ann' });
  const found = resolveFilter(db, list, {
    plan: { kind: 'limited', ways, lead: undefined },
    deadline: Deadline.in(1_000, () => 0),
  });
  const countAsked = () => execute.mock.calls.filter(([query]) => query.sql.includes('from "users"')).length;
  await Promise.race([found, expect.poll(countAsked, { timeout: 5_000 }).toBe(2)]).finally(asked.resolve);
  await locking;
  expect((await found).ids).toEqual([id]);
});

test('the limits, and that it only reads, hold also where a pooler has kept them from the server', async () => {
  const url = `${await readyUrl()}&statement_timeout=0&lock_timeout=0&idle_in_transaction_session_timeout=0`;
  const db = await temporaryDatabase(url);
  for (const [name, value] of [
    ['statement_timeout', '3s'],
    ['lock_timeout', '2400ms'],
    ['idle_in_transaction_session_timeout', '30s'],
    ['transaction_read_only', 'on'],
  ] as const)
    expect(await setting(db, name)).toBe(value);
  await expect(db.deleteFrom('users').execute()).rejects.toThrow('read-only transaction');
  expect(await transact(db, (trx) => setting(trx, 'statement_timeout'))).toBe('3s');
  expect((await sql<{ now: number }>`select 1 as now`.execute(db)).rows).toEqual([{ now: 1 }]);
});

test('a connection begins with no limits but those that PgBouncer 1.20.0 is told to ignore', async () => {
  const readme = readFileSync('src/db/README.md', 'utf8');
  const [, line = ''] = /^\| 1\.20\.0.*`ignore_startup_parameters = (.+)` \|$/m.exec(readme) ?? [];
  const db = await temporaryDatabase();
  const { rows } = await sql<{ name: string }>`
    select name from pg_settings where source = 'client' and name ~ 'timeout|transaction'`.execute(db);
  expect(rows.map(({ name }) => name).sort()).toEqual(line.split(', ').sort());
});

test('a query outside a transaction cannot write', async () => {
  const db = await temporaryDatabase();
  await expect(db.deleteFrom('users').execute()).rejects.toThrow('read-only transaction');
});

test('the connections are named, unless the address names them', async () => {
  const url = await readyUrl();
  expect(await setting(await temporaryDatabase(url), 'application_name')).toBe('roster');
  expect(await setting(await temporaryDatabase(`${url}&application_name=desk`), 'application_name')).toBe(
    'desk',
  );
  expect(await setting(await temporaryDatabase(url), 'search_path')).toMatch(/^roster_/);
});

test('connections that the server has ended are replaced', async () => {
  const url = await readyUrl();
  const app = await startApp({}, await temporaryDatabase(`${url}&application_name=ended`));
  await Promise.all([get(app, '/users'), get(app, '/users'), get(app, '/users')]);
  const other = await temporaryDatabase(url);
  const ended = await transact(other, (trx) =>
    sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'ended'`.execute(trx),
  );
  expect(ended.rows.length).toBeGreaterThan(0);
  // What has been ended may still have to be noticed; from then on all is as it was.
  await expect.poll(async () => (await get(app, '/users')).statusCode).toBe(200);
  expect((await post(app, '/users', { username: 'bob', email: 'bob@example.org' })).statusCode).toBe(303);
});

test.each([
  [
    'a server that is not there',
    { port: '1' },
    /^postgres:\/\/127\.0\.0\.1:1\/\w+ cannot be opened: connect ECONNREFUSED 127\.0\.0\.1:1\.$/,
  ],
  [
    'a wrong password',
    { password: 'wrong' },
    /cannot be opened: password authentication failed for user "postgres"\.$/,
  ],
  [
    'a database that is not there',
    { pathname: '/nowhere' },
    /cannot be opened: database "nowhere" does not exist\.$/,
  ],
])('%s is one sentence, without the password', async (_what, change, sentence) => {
  const url = Object.assign(new URL(await temporaryUrl()), change);
  const refusal = await openDatabase(url.href).catch((error) => error);
  expect(refusal).toMatchObject({ name: 'StartError', message: expect.stringMatching(sentence) });
  expect(refusal.message).not.toMatch(/wrong|:password@/);
});

test("another application's users are refused in one sentence and left as they were", async () => {
  const url = await temporaryUrl();
  const other = new pg.Client(url);
  onTestFinished(() => other.end());
  await other.connect();
  await other.query('create table users (name text)');
  await expect(openDatabase(url)).rejects.toThrow('The database has a table "users" that is not Roster\'s');
  const { rows } = await other.query('select tablename from pg_tables where schemaname = current_schema()');
  expect(rows).toEqual([{ tablename: 'users' }]);
});
