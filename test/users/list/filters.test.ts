/** The table of filters: what it says of each is so on the page, and in the database. */

import { expect, test } from 'vitest';
import { parseQuery } from '../../../src/lib/forms.ts';
import { plain } from '../../../src/lib/text.ts';
import { parseList } from '../../../src/users/list/address.ts';
import { describeFilter, FILTER_ROWS, isCounted } from '../../../src/users/list/filter.ts';
import { pageOf } from '../../page.ts';
import { addUser, get, startApp } from '../../support.ts';

test('the form of the list has a field for every filter that says so, and carries the others', async () => {
  const app = await startApp();
  await addUser(app.db, { username: 'ada' });
  const form = pageOf(await get(app, '/users?status=active')).form('Search');
  for (const [, { parameter, isField }] of FILTER_ROWS)
    expect(form.input(parameter).type !== 'hidden', parameter).toBe(isField);
});

test('a filter whose numbers are said to be kept is on a column of the table that keeps them', async () => {
  const { db } = await startApp();
  await addUser(db, { username: 'ada' });
  const kept = Object.keys((await db.selectFrom('user_counts').selectAll().execute())[0] ?? {});
  for (const [name, { column, isCounted = false }] of FILTER_ROWS)
    if (isCounted) expect(kept, name).toContain(column?.name);
});

test.each([
  ['', 'all users', true],
  ['status=inactive', 'inactive users', true],
  ['role=editor', 'all editors', true],
  ['q=x "a"', 'users with a word that starts with “x” and a word that starts with “a”', false],
  ['q=ada "love la" x', 'users with “ada”, “love la”, and “x”', false],
  ['q=ada&status=active&role=viewer', 'active viewers with “ada”', false],
  ['signed_in=never', 'all users who can sign in and never have', false],
  [
    'role=viewer&signed_in=over-90-days-ago',
    'all viewers who can sign in and last did over 90 days ago',
    false,
  ],
  ['created_after=2026-01-31', 'all users created since 31 Jan 2026', false],
  ['created_before=2026-01-31&role=admin', 'all administrators created up to 31 Jan 2026', false],
  [
    'q=ada&created_after=2026-01-31&created_before=2026-02-01',
    'users with “ada”, created from 31 Jan 2026 to 1 Feb 2026',
    false,
  ],
])('the list of %j is called %s', (query, name, isKept) => {
  const { list } = parseList(parseQuery(query));
  expect(plain(describeFilter(list))).toBe(name);
  expect(isCounted(list)).toBe(isKept);
});
