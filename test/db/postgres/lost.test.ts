import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { newToken } from '../../../src/auth/tokens.ts';
import { pageOf } from '../../page.ts';
import { startProxy } from '../../postgres/proxy.ts';
import { addUser, get, post, readyUrl, startApp, temporaryDatabase } from '../../support.ts';

/** What follows `begin isolation level read committed` does not end like that. */
const COMMIT = 'commit\0';
const ALICE = { username: 'alice', email: 'alice@example.org' };

async function startBreakable() {
  const { url, breakOnce } = await startProxy(await readyUrl());
  const app = await startApp({}, await temporaryDatabase(url));
  await addUser(app.db, { username: 'bob' });
  const usernames = async () =>
    (await app.db.selectFrom('users').select('username').orderBy('id').execute()).map(
      ({ username }) => username,
    );
  return { app, breakOnce, usernames };
}

const BEGIN = 'begin isolation';

test.each([[{ at: BEGIN, is: 'before' }], [{ at: BEGIN, is: 'after' }]] as const)(
  'what had not begun when its connection broke is done on another one ($at, $is)',
  async (fault) => {
    const { app, breakOnce, usernames } = await startBreakable();
    breakOnce(fault);
    expect((await post(app, '/users', ALICE)).statusCode).toBe(303);
    expect(await usernames()).toEqual(['bob', 'alice']);
  },
);

test.each([
  ['it is handed over', 'user\0', 303],
  ['a transaction has begun', BEGIN, 503],
  ['it is given back', COMMIT, 303],
])(
  'a connection that the server ends in the moment in which %s ends nothing else',
  async (_when, at, status) => {
    const { app, breakOnce } = await startBreakable();
    // All that there are end, so that one is opened.
    await Promise.all(
      Array.from({ length: 5 }, () =>
        sql`select pg_terminate_backend(pg_backend_pid())`.execute(app.db).catch(() => {}),
      ),
    );
    breakOnce({ at, is: 'ended' });
    expect((await post(app, '/users', ALICE)).statusCode).toBe(status);
    expect(
      (await post(app, '/users', { ...ALICE, username: 'carol', email: 'c@example.org' })).statusCode,
    ).toBe(303);
  },
);

test('what cannot begin on the second connection either changes nothing, and the page says so', async () => {
  const { app, breakOnce, usernames } = await startBreakable();
  breakOnce({ at: BEGIN, is: 'before' }, { at: BEGIN, is: 'before' });
  const page = await post(app, '/users', ALICE);
  expect(page.statusCode).toBe(503);
  expect(pageOf(page).text).toContain('Nothing was changed; go back and send it again.');
  expect(await usernames()).toEqual(['bob']);
});

test.each([
  { at: BEGIN, is: 'silence' },
  { at: 'insert into "users"', is: 'before' },
  { at: 'insert into "users"', is: 'after' },
  { at: 'update "user_counts"', is: 'after' },
  { at: 'insert into "users"', is: 'silence' },
] as const)(
  'a connection that breaks before the commit is sent ($at, $is) changes nothing, and the page says so',
  async (fault) => {
    const { app, breakOnce, usernames } = await startBreakable();
    breakOnce(fault);
    const page = await post(app, '/users', ALICE);
    expect(page.statusCode).toBe(503);
    expect(page.headers['retry-after']).toMatch(/^[1-5]$/);
    expect(pageOf(page).text).toContain('Nothing was changed; go back and send it again.');
    expect(await usernames()).toEqual(['bob']);
    expect((await post(app, '/users', ALICE)).statusCode).toBe(303);
    expect(await usernames()).toEqual(['bob', 'alice']);
  },
);

test.each([
  { fault: { at: COMMIT, is: 'before' }, saved: ['bob'] },
  { fault: { at: COMMIT, is: 'silence' }, saved: ['bob'] },
  { fault: { at: COMMIT, is: 'after' }, saved: ['bob', 'alice'] },
] as const)(
  'a connection that breaks during the commit ($fault.is) is told as what it is: nobody knows, look there',
  async ({ fault, saved }) => {
    const { app, breakOnce, usernames } = await startBreakable();
    breakOnce(fault);
    const page = await post(app, '/users', ALICE);
    expect(page.statusCode).toBe(503);
    expect(page.headers['retry-after']).toMatch(/^[1-5]$/);
    expect(pageOf(page).text).toContain('The change may have been saved: look before you send it again.');
    expect(pageOf(page).text).not.toContain('Nothing was changed');
    expect(pageOf(page).main.links).toEqual([{ text: 'Look at the newest users', href: '/users?sort=-id' }]);
    // Nothing is sent again by itself.
    expect(await usernames()).toEqual(saved);
    expect((await get(app, '/users?sort=-id')).statusCode).toBe(200);
  },
);

test.each(['before', 'silence', 'after'] as const)(
  'a form that is sent again after that (%s) is done once, and answered as if nothing had happened',
  async (is) => {
    const { app, breakOnce, usernames } = await startBreakable();
    const form = { ...ALICE, key: newToken() };
    breakOnce({ at: COMMIT, is });
    expect((await post(app, '/users', form)).statusCode).toBe(503);
    for (const answer of [await post(app, '/users', form), await post(app, '/users', form)])
      expect([answer.statusCode, answer.body]).toEqual([303, 'User alice created!\n']);
    expect(await usernames()).toEqual(['bob', 'alice']);
    expect(await app.db.selectFrom('change_sets').select('id').execute()).toHaveLength(2);
  },
);

const BOB = { text: 'Look at user 1', href: '/users/1' };

test.each([
  ['/users/1', { full_name: 'Bob' }, BOB],
  ['/update_user/1', { full_name: 'Bob' }, BOB],
  ['/users/1/delete', {}, BOB],
  ['/history/1/undo', {}, { text: 'Look at this change', href: '/history/1' }],
])(
  'after a commit of %s that nobody knows of, the place to look is what it is about',
  async (address, fields, link) => {
    const { app, breakOnce } = await startBreakable();
    breakOnce({ at: COMMIT, is: 'after' });
    const page = await post(app, address, fields);
    expect(page.statusCode).toBe(503);
    expect(pageOf(page).main.links).toEqual([link]);
  },
);

test('a page whose connection breaks is read on another one', async () => {
  const { app, breakOnce } = await startBreakable();
  breakOnce({ at: 'from "users"', is: 'after' });
  expect((await get(app, '/users/1')).statusCode).toBe(200);
});

test.each([
  { at: 'from "users"', is: 'after' },
  { at: 'from "users"', is: 'silence' },
] as const)('a page that cannot be read ($is) says so, and nothing of changes', async (fault) => {
  const { app, breakOnce } = await startBreakable();
  breakOnce(fault, fault);
  const page = await get(app, '/users/1');
  expect(page.statusCode).toBe(503);
  expect(pageOf(page).text).toContain('The directory cannot be read just now.');
  expect(pageOf(page).text).not.toContain('changed');
  breakOnce();
  expect((await get(app, '/users/1')).statusCode).toBe(200);
});
