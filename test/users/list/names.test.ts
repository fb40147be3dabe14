/** Names in the order in which people look for them, the same on both databases. */
import { expect, test } from 'vitest';
import { sortKeyOf } from '../../../src/search/search-text.ts';
import { NO_FILTER } from '../../../src/users/list/filter.ts';
import { resolveFilter } from '../../../src/users/list/filter-result.ts';
import { FILTERS } from '../../../src/users/list/filters.ts';
import { newUserSchema } from '../../../src/users/validation.ts';
import { pageOf } from '../../page.ts';
import { NAMES } from '../../search/names.ts';
import { addUser, get, post, startApp, temporaryDatabase } from '../../support.ts';

const FULL_NAMES = [...new Set(NAMES.map(([name]) => name))];

test('everyone is found by each way to type their name', async () => {
  const db = await temporaryDatabase();
  for (const [index, full_name] of FULL_NAMES.entries())
    await addUser(db, {
      username: `user${index}`,
      email: full_name === 'Ada  Lovelace' ? 'ada@example.com' : `user${index}@example.org`,
      full_name: newUserSchema.shape.full_name.parse(full_name),
    });
  for (const [name, typed] of NAMES) {
    const { ids } = await resolveFilter(db, { ...NO_FILTER, q: FILTERS.q.parse(typed) });
    expect(ids, `${name} by ${typed}`).toContain(FULL_NAMES.indexOf(name) + 1);
  }
});

test('the list by name has letters with accents beside those without, and whoever has no name by username', async () => {
  const app = await startApp();
  const names = [
    'Zoë',
    'Çelik',
    'Östen',
    'Celia',
    'Émile',
    'oscar',
    'Emil',
    'Otto',
    'Ábel',
    'Łukasz',
    'Lu',
    'Lz',
  ];
  for (const [index, full_name] of names.entries())
    await addUser(app.db, { username: `x${index}`, full_name });
  await addUser(app.db, { username: 'Mia' });
  const shown = async (address: string) =>
    pageOf(await get(app, address))
      .column('User')
      .map((text) => text.replace(/ x\d+$/, ''));
  const sorted = 'Ábel Celia Çelik Emil Émile Lu Łukasz Lz Mia oscar Östen Otto Zoë'.split(' ');
  expect(await shown('/users?sort=name&per_page=20')).toEqual(sorted);
  expect(await shown('/users?sort=-name&per_page=20')).toEqual(sorted.toReversed());
  expect(await shown('/users?sort=name&per_page=5&page=2')).toEqual(sorted.slice(5, 10));
});

test('whoever changes their name stands where it belongs', async () => {
  const app = await startApp();
  for (const username of ['bea', 'carl', 'dora']) await addUser(app.db, { username });
  const order = async (sort: string) => pageOf(await get(app, `/users?sort=${sort}`)).column('User');
  await post(app, '/users/1', { full_name: 'Zoë', version: '1' });
  expect(await order('name')).toEqual(['carl', 'dora', 'Zoë bea']);
  await post(app, '/users/1', { full_name: '', username: 'élan', version: '2' });
  expect(await order('name')).toEqual(['carl', 'dora', 'élan']);
  expect(await order('username')).toEqual(['carl', 'dora', 'élan']);
  await post(app, '/users/2', { full_name: 'Ödön', version: '1' });
  expect(await order('name')).toEqual(['dora', 'élan', 'Ödön carl']);
  expect(await order('username')).toEqual(['Ödön carl', 'dora', 'élan']);
});

/** Where ICU's root collation has another order, and why. */
const DIFFERENCES: Readonly<Record<string, string>> = {
  'ʻAlohi Kamakawiwoʻole': 'the ʻokina counts as an apostrophe here, and as a letter there',
  'Ada Byron King': 'two spaces, as in the next name, count as one here',
  'Þóra Guðmundsdóttir': 'þ is th here, and after z there',
  'สมชาย ใจดี': 'other scripts follow each other by code point here',
  毛泽东: 'Chinese characters, too; by radical and stroke there',
};

test('the order is that of ICU’s root collation, but for what is said', () => {
  const collator = new Intl.Collator('und', { sensitivity: 'base' });
  const ours = FULL_NAMES.toSorted((one, other) => (sortKeyOf(one) < sortKeyOf(other) ? -1 : 1));
  const moved = ours.filter((name, index) => {
    const next = ours[index + 1];
    return next !== undefined && collator.compare(name, next) > 0;
  });
  expect(moved).toEqual(Object.keys(DIFFERENCES));
});
