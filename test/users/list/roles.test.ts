/** Lists by role: what looking at everyone gives, whether few have it or many. */
import { describe, expect, test } from 'vitest';
import { seedUsers } from '../../../src/cli/seed.ts';
import { engineOf } from '../../../src/db/engine.ts';
import { type Db, ROLES, type User } from '../../../src/db/schema.ts';
import type { SearchQuery } from '../../../src/db/search-index.ts';
import { TooBroadError } from '../../../src/errors.ts';
import { Deadline } from '../../../src/lib/deadline.ts';
import { hasTerm } from '../../../src/search/terms.ts';
import { parseList } from '../../../src/users/list/address.ts';
import { cursorAt } from '../../../src/users/list/cursor.ts';
import type { Filter } from '../../../src/users/list/filter.ts';
import { type FilterResult, PATIENCE_MS, resolveFilter } from '../../../src/users/list/filter-result.ts';
import { FILTERS, STATUSES } from '../../../src/users/list/filters.ts';
import { orderOf, SORT_KEYS, type Sort } from '../../../src/users/list/order.ts';
import { readPage } from '../../../src/users/list/page.ts';
import { pageOf } from '../../page.ts';
import { oneIn } from '../../runs.ts';
import {
  addUser,
  filledDatabase,
  get,
  giveRole,
  giveRoles,
  sharedDatabase,
  startApp,
} from '../../support.ts';

const { list: ALL } = parseList({});
const ORDERS = SORT_KEYS.flatMap((key): Sort[] => [key, `-${key}`]);
const DATES = { createdAfter: '2019-02-01', createdBefore: '2019-09-30' };
const SOON = () => Deadline.in(60_000);
const searchFor = FILTERS.q.parse;

const KINDS = ROLES.flatMap((role): Partial<Filter>[] =>
  [undefined, ...STATUSES].map((status) => ({ role, status })),
);
const SEARCHED: Partial<Filter>[] = [
  { role: 'member', q: searchFor('example') },
  { role: 'member', status: 'inactive', q: searchFor('an') },
  { role: 'editor', q: searchFor('martin example'), ...DATES },
  { role: 'editor', status: 'active', q: searchFor('an'), ...DATES },
];
const DATED: Partial<Filter>[] = [
  { role: 'member', createdAfter: '2019-01-01' },
  { role: 'member', ...DATES },
  { role: 'member', status: 'active', createdAfter: '2019-01-01' },
  { role: 'member', status: 'inactive', ...DATES },
  { role: 'editor', ...DATES },
  { role: 'viewer', status: 'inactive', ...DATES },
];

function isAsked(user: User, { role, status, q, createdAfter = '', createdBefore = '9' }: Partial<Filter>) {
  const day = new Date(user.created_at).toISOString().slice(0, 10);
  return (
    (!role || user.role === role) &&
    (!status || user.is_active === (status === 'active')) &&
    day >= createdAfter &&
    day <= createdBefore &&
    (q?.terms ?? []).every((term) => hasTerm(user.search_text, term))
  );
}

function orderBySort(users: readonly User[], sort: Sort): User[] {
  const { column, isDescending } = orderOf(sort);
  const sign = isDescending ? -1 : 1;
  return users.toSorted(
    (one, other) =>
      sign * (one[column] < other[column] ? -1 : one[column] > other[column] ? 1 : one.id - other.id),
  );
}

const usersWithRoles = sharedDatabase(async (db) => {
  await seedUsers(db, 12_000);
  await giveRoles(db);
});

const idsOf = (users: readonly User[] = []) => users.map(({ id }) => id);

test.each([
  ['and a status', KINDS],
  ['and a search', SEARCHED],
  ['and dates', DATED],
])('a role %s: every order, by number, by next and by previous', async (_name, filters) => {
  const db = await usersWithRoles();
  const everyone = await db.selectFrom('users').selectAll().execute();
  const isTried = oneIn(7);
  for (const some of filters) {
    const filter = { ...ALL, ...some };
    const matching = everyone.filter((user) => isAsked(user, some));
    const found = { ...(await resolveFilter(db, filter, { deadline: SOON() })), deadline: SOON() };
    const isCounted = matching.length <= 10_000 || !(some.q || some.createdAfter);
    const count = isCounted ? matching.length : 10_000;
    expect(found.total, JSON.stringify(some)).toEqual({ count, isExact: isCounted });
    for (const sort of ORDERS) {
      const ordered = orderBySort(matching, sort);
      const pages = isCounted ? Math.ceil(count / 7) : 3;
      for (const [how, matches] of waysOf(found, isCounted && !some.q && !some.createdAfter)) {
        if (!isTried()) continue;
        const read = async (state: object) => {
          const page = await readPage(db, { ...filter, sort, page: 3, perPage: 7, ...state }, matches);
          return idsOf(page?.page.items as User[] | undefined);
        };
        const name = `${JSON.stringify(some)} ${sort} ${how}`;
        for (const page of new Set([1, 2, Math.max(1, pages)]))
          expect(await read({ page }), `${name} ${page}`).toEqual(
            idsOf(ordered.slice(7 * page - 7, 7 * page)),
          );
        for (const at of new Set([8, 20, Math.max(8, ordered.length - 9)])) {
          const middle = ordered[at];
          // Beyond the last there is nobody, so that the last page is shown.
          if (middle === undefined || at === ordered.length - 1) continue;
          const after = await read({ cursor: cursorAt('after', middle, sort) });
          expect(after, `${name} after ${at}`).toEqual(idsOf(ordered.slice(at + 1, at + 8)));
          const before = await read({ cursor: cursorAt('before', middle, sort) });
          expect(before, `${name} before ${at}`).toEqual(idsOf(ordered.slice(at - 7, at)));
        }
      }
    }
  }
});

/** As they were found, and as if they were too many to be put into order; by whichever index there is. */
function waysOf(found: FilterResult, isKept: boolean): [string, FilterResult][] {
  const total = isKept ? found.total : { count: 10_000, isExact: false };
  return [
    ['as found', found],
    ['as many by role', { ...found, ids: undefined, total, lead: 'role' }],
    ['as many by status', { ...found, ids: undefined, total, lead: 'status' }],
  ];
}

test('the first page of those who are nearly everyone goes through hardly more users than it shows', async () => {
  const db = await usersWithRoles();
  let rows = 0;
  const counted = db.withPlugin({
    transformQuery: ({ node }) => node,
    async transformResult({ result }) {
      rows += result.rows.length;
      return result;
    },
  });
  const list = { ...ALL, role: 'member' as const, sort: 'email' as const };
  const read = await readPage(counted, list, await resolveFilter(counted, list, { deadline: SOON() }));
  expect(read?.page.items).toHaveLength(10);
  expect(rows).toBeLessThan(100);
});

test('who comes late in an order is found among those with the role', async () => {
  const db = await filledDatabase(async (filled) => {
    // Beyond where the scan in order is ahead of the one by role, and more than are counted.
    await seedUsers(filled, 36_200);
    await giveRole(filled, 'editor', (id) => id > 25_000);
  });
  const editors = await db.selectFrom('users').selectAll().where('role', '=', 'editor').execute();
  for (const [sort, status, page] of [
    ['id', undefined, 1],
    ['id', 'active', 2],
    ['id', undefined, 1300],
    ['username', undefined, 780],
    ['-email', 'active', 700],
  ] as const) {
    const list = { ...ALL, role: 'editor' as const, sort, status, page, perPage: 7 };
    const matches = { ...(await resolveFilter(db, list, { deadline: SOON() })), deadline: SOON() };
    expect(matches.ids).toBeUndefined();
    const ordered = idsOf(
      orderBySort(
        editors.filter((user) => isAsked(user, { status })),
        sort,
      ),
    );
    const read = async (state: object) =>
      idsOf([...((await readPage(db, { ...list, ...state }, matches))?.page.items ?? [])]);
    expect(await read({}), `${sort} ${page}`).toEqual(ordered.slice(7 * page - 7, 7 * page));
    const cursor = { side: 'after' as const, id: 20_000, key: 20_000 };
    if (sort === 'id') expect(await read({ cursor }), sort).toEqual(ordered.slice(0, 7));
  }
});

test('where hardly anyone found has the role, those with the role are searched', async () => {
  const db = await usersWithRoles();
  const everyone = await db.selectFrom('users').selectAll().execute();
  for (const some of [
    { role: 'member', q: searchFor('garcia') },
    { role: 'member', q: searchFor('garcia'), status: 'active' },
    { role: 'member', q: searchFor('example') },
  ] as const) {
    const search = await engineOf(db).searchIndexOf(db);
    const find = async (_db: Db, _query: SearchQuery, deadline: Deadline) => {
      expect(deadline.left, 'leaves time for the rest').toBeLessThan(500);
      throw new TooBroadError('Too many users had to be looked up.');
    };
    const asked = { search: { ...search, find }, deadline: Deadline.in(PATIENCE_MS, () => 0) };
    const { ids, total } = await resolveFilter(db, { ...ALL, ...some }, asked);
    const matching = everyone.filter((user) => isAsked(user, some)).map(({ id }) => id);
    const isExact = matching.length <= 10_000;
    expect(total).toEqual({ count: Math.min(10_000, matching.length), isExact });
    expect(ids).toEqual(isExact ? matching.sort((one, other) => one - other) : undefined);
  }
});

describe('a list of a role', () => {
  async function startWithRoles() {
    const app = await startApp();
    for (const [username, role, is_active] of [
      ['mia', 'member', true],
      ['max', 'member', false],
      ['vera', 'viewer', true],
      ['emil', 'editor', true],
      ['ada', 'admin', true],
    ] as const)
      await addUser(app.db, { username, role, is_active });
    return app;
  }

  test.each([
    ['role=member', '1–2 of 2', ['Member']],
    ['role=admin&status=active', '1 of 1', ['Active', 'Administrator']],
    ['role=editor&q=emi', '1 of 1', ['“emi”', 'Editor']],
    [
      'role=viewer&q=vera&created_after=2019-01-31',
      '1 of 1',
      ['“vera”', 'Viewer', 'Created from 31 Jan 2019'],
    ],
  ])('(%s) says so, and how many they are', async (query, shown, chips) => {
    const app = await startWithRoles();
    const page = pageOf(await get(app, `/users?${query}`));
    expect(page.text).toContain(`Showing ${shown} ${chips.join(' ')} Clear all`);
    expect(page.chips.map(({ text }) => text)).toEqual(chips);
    expect(page.heading).toBe('Users 5');
  });

  test('shows it of everyone, and keeps it in every form and link but the ones that take it off', async () => {
    const app = await startWithRoles();
    const all = pageOf(await get(app, '/users'));
    expect(all.column('User')).toEqual(['mia', 'max', 'vera', 'emil', 'ada']);
    expect(all.column('Role and status')).toEqual([
      'Member',
      'Member Inactive',
      'Viewer',
      'Editor',
      'Administrator',
    ]);
    const page = pageOf(await get(app, '/users?role=member&per_page=1'));
    expect(page.field('role')).toBe('Member');
    expect(page.isOpen('Filters (1)')).toBe(false);
    const addresses = page.links.map(({ href }) => href).filter((href) => href.startsWith('/users?'));
    expect(addresses.length).toBeGreaterThan(8);
    expect(addresses.filter((address) => !address.includes('role=member'))).toEqual([
      '/users?per_page=1',
      '/users?per_page=1',
    ]);
  });

  test('that nobody has does not say that there are no users', async () => {
    const app = await startApp();
    await addUser(app.db, { username: 'mia' });
    const text = pageOf(await get(app, '/users?role=admin')).text;
    expect(text).toContain('Nobody matches');
    expect(text).not.toContain('No users yet');
    expect(text).toContain('Filters (1)');
  });

  test('chosen as any role leads to the short address, and one that there is not is ignored with a notice', async () => {
    const app = await startWithRoles();
    for (const fields of ['role=', 'q=&role=&created_after=&created_before=']) {
      const short = await get(app, `/users?${fields}`);
      expect([short.statusCode, short.headers.location]).toEqual([302, '/users']);
    }
    const text = pageOf(await get(app, '/users?role=owner')).text;
    expect(text).toContain('role=owner was ignored: it can be member, viewer, editor, admin.');
    expect(text).toContain('Showing 1–5 of 5');
  });

  test('of many goes on at any depth, and says what to do where a page is too far to be found', async () => {
    let time = 0;
    let step = 0;
    const app = await startApp({}, await usersWithRoles(), Date.now, () => {
      time += step;
      return time;
    });
    const last = await get(app, '/users?role=member&sort=email&per_page=100&page=108');
    expect(pageOf(last).text).toMatch(/Showing 10,701–10,7\d\d of 10,7\d\d/);
    step = 2_000;
    const far = await get(app, '/users?role=member&sort=email&page=500');
    const near = await get(app, '/users?role=member&sort=email');
    const end = await get(app, '/users?role=member&sort=email&page=1079');
    const byDate = await get(app, '/users?role=member&sort=created&page=500');
    const before = await get(app, pageOf(last).link('Previous'));
    expect([far, near, end, byDate, before].map(({ statusCode }) => statusCode)).toEqual([
      422, 200, 200, 200, 200,
    ]);
    expect(pageOf(far).text).toContain('This list takes too long to sort this way.');
    expect(pageOf(far).link('the first page')).toBe('/users?role=member&sort=email');
    expect(pageOf(far).link('Sort by date')).toBe('/users?role=member&sort=created&page=500');
  });
});
