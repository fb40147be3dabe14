/** The table of filters: what it says of each is so on the page, and in the database. */

import { expect, test } from 'vitest';
import { parseQuery } from '../../../src/lib/forms.ts';
import { plain } from '../../../src/lib/text.ts';
import { parseList } from '../../../src/users/list/address.ts';
import { appliedFilters, FILTER_ROWS, isCounted } from '../../../src/users/list/filter.ts';
import { bring } from '../../imports/by-pages.ts';
import { pageOf } from '../../page.ts';
import { addPerson, signedIn } from '../../people.ts';
import { addUser, get, startApp } from '../../support.ts';

test('the form of the list has a field for every filter, which shows what is given', async () => {
  const app = await startApp();
  const ann = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
  const [, , imported = ''] = (await bring(app, ann, 'username\nann\n')).split('/');
  const given = { status: 'active', q: 'ada', per_page: '25', absent_from: imported };
  const form = pageOf(await get(app, `/users?${new URLSearchParams(given)}`, ann)).form('Search');
  for (const [, { parameter }] of FILTER_ROWS)
    expect(form.input(parameter).type === 'hidden', parameter).toBe(parameter === 'absent_from');
  for (const [name, value] of Object.entries({ ...given, status: 'Active' }))
    expect(form.field(name)).toBe(value);
});

test('a heading puts the list in its order, turns that round, and gives it up again', async () => {
  const app = await startApp();
  await addUser(app.db, { username: 'ada' });
  let address = '/users?status=active&page=1';
  const addresses: string[] = [];
  for (let presses = 0; presses < 3; presses++) {
    address = pageOf(await get(app, address)).link('Email');
    addresses.push(address);
  }
  expect(addresses).toEqual([
    '/users?status=active&sort=email',
    '/users?status=active&sort=-email',
    '/users?status=active',
  ]);
});

test('a filter whose numbers are said to be kept is on a column of the table that keeps them', async () => {
  const { db } = await startApp();
  await addUser(db, { username: 'ada' });
  const kept = Object.keys((await db.selectFrom('user_counts').selectAll().execute())[0] ?? {});
  for (const [name, { column, isCounted = false }] of FILTER_ROWS)
    if (isCounted) expect(kept, name).toContain(column?.name);
});

test.each([
  ['', [], true],
  ['status=inactive', ['Inactive'], true],
  ['role=editor', ['Editor'], true],
  ['q=x "a"', ['A word that starts with “x” and a word that starts with “a”'], false],
  ['q=ada "love la" x', ['“ada”, “love la”, and “x”'], false],
  ['q=ada&status=active&role=viewer', ['“ada”', 'Active', 'Viewer'], false],
  ['signed_in=never', ['Never signed in'], false],
  ['role=viewer&signed_in=over-90-days-ago', ['Viewer', 'Last sign-in over 90 days ago'], false],
  ['created_after=2026-01-31', ['Created from 31 Jan 2026'], false],
  ['created_before=2026-01-31&role=admin', ['Administrator', 'Created to 31 Jan 2026'], false],
  [
    'q=ada&created_after=2026-01-31&created_before=2026-02-01',
    ['“ada”', 'Created from 31 Jan 2026', 'Created to 1 Feb 2026'],
    false,
  ],
])('the list of %j is limited to %j, and each of them is taken off by itself', (query, words, isKept) => {
  const { list } = parseList(parseQuery(query));
  const applied = appliedFilters(list);
  expect(applied.map(({ text }) => plain(text))).toEqual(words);
  for (const [index, { without }] of applied.entries())
    expect(appliedFilters({ ...list, ...without })).toEqual(applied.toSpliced(index, 1));
  expect(isCounted(list)).toBe(isKept);
});

test('of every filter it is told whom it would have let through, as they were before', () => {
  for (const [name, { column, condition, wouldPass, passing }] of FILTER_ROWS) {
    expect([column, wouldPass ?? passing].filter(Boolean), name).toHaveLength(1);
    // Without a column, something else is asked of the database, or searched for.
    expect(column !== undefined || condition !== undefined || name === 'q', name).toBe(true);
  }
});
