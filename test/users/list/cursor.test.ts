/** Next and previous: everyone once, whatever happens between two clicks. */
import fc from 'fast-check';
import type { FastifyInstance } from 'fastify';
import { describe, expect, test } from 'vitest';
import { commandLine } from '../../../src/auth/actor.ts';
import { transact } from '../../../src/db/transact.ts';
import { deleteUser } from '../../../src/users/commands.ts';
import { SORT_KEYS } from '../../../src/users/list/order.ts';
import { pageOf } from '../../page.ts';
import { runs } from '../../runs.ts';
import { addUser, addUsers, get, post, startApp } from '../../support.ts';

const NOON = Date.UTC(2026, 0, 31, 12);
const ORDERS = SORT_KEYS.flatMap((key) => [key, `-${key}`]);

type Shown = {
  ids: number[];
  page: string | undefined;
  text: string;
  prev: string | undefined;
  next: string | undefined;
};

async function show(app: FastifyInstance, address: string): Promise<Shown> {
  const answer = await get(app, address);
  expect(answer.statusCode, address).toBe(200);
  const page = pageOf(answer);
  const link = (name: string) => page.links.find(({ text }) => text === name)?.href;
  return {
    ids: page.users,
    page: page.current('page')[0],
    text: page.text,
    prev: link('Previous'),
    next: link('Next'),
  };
}

/** Follows next, or previous, to the end; `between` runs before each click. */
async function walk(
  app: FastifyInstance,
  from: string,
  rel: 'next' | 'prev',
  between: (clicks: number) => Promise<unknown> = async () => {},
): Promise<Shown[]> {
  const pages = [await show(app, from)];
  for (let clicks = 0; clicks < 1000; clicks++) {
    const address = pages.at(-1)?.[rel];
    if (address === undefined) return pages;
    await between(clicks);
    pages.push(await show(app, address));
  }
  throw new Error('There is no end to it.');
}

async function startWith(count: number, createdAt: (number: number) => number): Promise<FastifyInstance> {
  const app = await startApp();
  for (let number = 0; number < count; number++) {
    const username = `user${(number * 37) % count}`;
    await addUser(app.db, { username, is_active: number % 3 > 0 }, createdAt(number));
  }
  return app;
}

async function remove(app: FastifyInstance, id: number): Promise<void> {
  await transact(app.db, (trx) => deleteUser(trx, commandLine, id, 2));
}

test('next and previous lead through every order, with and without a status, as the numbers of pages do', async () => {
  // Three were created at each moment, so that pages end among them.
  const app = await startWith(47, (number) => NOON + Math.floor(number / 3));
  for (const sort of ORDERS) {
    for (const filter of ['', '&status=active', '&status=inactive']) {
      const list = `/users?sort=${sort}${filter}&per_page=5`;
      const forward = await walk(app, list, 'next');
      for (const [index, { ids, page }] of forward.entries()) {
        const byNumber = await show(app, `${list}&page=${index + 1}`);
        expect(ids).toEqual(byNumber.ids);
        expect(page).toBe(String(index + 1));
      }
      const backward = await walk(app, `${list}&page=${forward.length}`, 'prev');
      expect(backward.reverse().map(({ ids }) => ids)).toEqual(forward.map(({ ids }) => ids));
      expect(backward.map(({ page }) => page)).toEqual(forward.map(({ page }) => page));
    }
  }
});

test('many who were created at one moment are all there', async () => {
  const app = await startWith(60, () => NOON);
  for (const sort of ['created', '-created']) {
    const pages = await walk(app, `/users?sort=${sort}&per_page=7`, 'next');
    const ids = pages.flatMap((page) => page.ids);
    expect(ids).toEqual([...new Set(ids)]);
    expect(ids).toHaveLength(60);
  }
});

test('whoever is there all along is met once, whatever is added and deleted between two clicks', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...ORDERS),
      fc.constantFrom('next', 'prev'),
      fc.array(fc.record({ isAdded: fc.boolean(), at: fc.nat(40), times: fc.integer({ min: 1, max: 6 }) }), {
        maxLength: 12,
      }),
      async (sort, rel, changes) => {
        const app = await startWith(40, (number) => NOON + (number % 5));
        // Whoever goes on to where nobody is left is shown the end of the list once more, so someone stays at each end.
        const everyone = await show(app, `/users?sort=${sort}&per_page=100`);
        const ends = [everyone.ids.at(0), everyone.ids.at(-1)];
        const stayed = new Set(Array.from({ length: 40 }, (_, index) => index + 1));
        const start = rel === 'next' ? '/users?' : '/users?page=10&';
        const between = async (clicks: number) => {
          const change = changes[clicks];
          for (let time = 0; change && time < change.times; time++) {
            const at = ((change.at + time * 11) % 40) + 1;
            if (change.isAdded)
              await addUser(app.db, { username: `user${at}x${clicks}.${time}` }, NOON + (at % 5));
            else if (!ends.includes(at) && stayed.delete(at)) await remove(app, at);
          }
        };
        const pages = await walk(app, `${start}sort=${sort}&per_page=4`, rel, between);
        // The way back ends with the whole first page, which may hold some who were on the page before.
        const whole = rel === 'prev' ? pages.slice(0, -1) : pages;
        const met = whole.flatMap(({ ids }) => ids);
        expect(met).toEqual([...new Set(met)]);
        const all = new Set(pages.flatMap(({ ids }) => ids));
        expect([...stayed].filter((id) => !all.has(id))).toEqual([]);
      },
    ),
    runs(60),
  );
});

describe('the number of a page', () => {
  test('stays within the list, and at an end is that of the end', async () => {
    const app = await startWith(30, (number) => NOON + number);
    expect(await show(app, '/users?page=700&after=id.10')).toMatchObject({ page: '2', ids: range(11, 20) });
    expect(await show(app, '/users?page=700&after=id.20')).toMatchObject({ page: '3', ids: range(21, 30) });
    expect(await show(app, '/users?page=0&after=id.23')).toMatchObject({ page: '3', ids: range(24, 30) });
    expect((await show(app, '/users?page=1&after=id.23')).text).toContain('Showing 24–30 of 30');
    expect(await show(app, '/users?page=9&before=id.21')).toMatchObject({ page: '2', ids: range(11, 20) });
    expect(await show(app, '/users?page=9&before=id.5')).toMatchObject({
      page: '1',
      ids: range(1, 10),
      prev: undefined,
    });
    expect(await show(app, '/users?page=9&after=id.0')).toMatchObject({ page: '1', prev: undefined });
    expect(await show(app, '/users?page=9&after=id.30')).toMatchObject({
      page: '3',
      ids: range(21, 30),
      next: undefined,
    });
    expect(await show(app, '/users?page=9&before=id.9000')).toMatchObject({
      page: '3',
      ids: range(21, 30),
      next: undefined,
    });
  });

  test('is no matter when the list has become empty', async () => {
    const app = await startWith(1, () => NOON);
    await remove(app, 1);
    for (const cursor of ['after=id.1', 'before=id.1']) {
      expect((await get(app, `/users?page=3&${cursor}`)).statusCode).toBe(200);
    }
  });

  function range(from: number, to: number): number[] {
    return Array.from({ length: to - from + 1 }, (_, index) => from + index);
  }
});

test.each([
  'after=id.x',
  'after=id.',
  'after=id.10.10',
  'after=-id.10',
  'after=username.10.user9',
  'after=id.99999999999999999999',
  "after=id.10'--",
  'after=',
  'before=created.1.1',
])('a place that no link of ours names (%s) is ignored', async (cursor) => {
  const app = await startWith(30, (number) => NOON + number);
  const byNumber = await show(app, '/users?page=2');
  expect(await show(app, `/users?page=2&${cursor}`)).toEqual(byNumber);
});

test.each([
  'sort=username&after=username.3.%00',
  'sort=username&after=username.3',
  'sort=created&after=created.3.noon',
])('a place that is none in its order (%s) is ignored', async (query) => {
  const app = await startWith(30, (number) => NOON + number);
  const [sort] = query.split('&');
  expect(await show(app, `/users?page=2&${query}`)).toEqual(await show(app, `/users?page=2&${sort}`));
});

test('every link but next, previous and the ways back from a user leads to where a page begins', async () => {
  const app = await startWith(60, (number) => NOON + number);
  const page = pageOf(await get(app, '/users?page=3&per_page=5&after=id.10'));
  const links = page.links.filter(
    ({ text, href }) => href.startsWith('/users') && !/^(Next|Previous)$/.test(text),
  );
  const addresses = links.map(({ href }) => href).filter((href) => !href.includes('from='));
  expect(addresses.length).toBeGreaterThan(15);
  expect(addresses.filter((address) => /after|before/.test(address))).toEqual([]);
  expect(page.fields).toContain('page');
  expect(page.fields).not.toContain('after');
  expect(page.fields).not.toContain('before');
});

test('at the end the way back names the page alone, unless that would begin elsewhere', async () => {
  const app = await startWith(30, (number) => NOON + number);
  const firstUser = async (address: string) => {
    const { links } = pageOf(await get(app, address));
    return links.find(({ href }) => /^\/users\/\d/.test(href))?.href;
  };
  expect(await firstUser('/users?page=3&after=id.20')).toBe('/users/21?from=page%3D3');
  expect(await firstUser('/users?page=3&after=id.23')).toBe('/users/24?from=page%3D3%26after%3Did.23');
  expect(await firstUser('/users?before=id.11')).toBe('/users/1');
});

test('a list of more than ten pages has a form that goes to any of them, and keeps the rest', async () => {
  const app = await startWith(60, (number) => NOON + number);
  expect(pageOf(await get(app, '/users?per_page=6')).text).not.toContain('Go to page');
  const form = pageOf(await get(app, '/users?per_page=5&sort=-username&page=3')).form('Go');
  expect(form.text).toContain('Go to page');
  expect(form.fields.map((name) => [name, form.field(name)])).toEqual([
    ['sort', '-username'],
    ['per_page', '5'],
    ['page', ''],
  ]);
  expect((await show(app, '/users?sort=-username&per_page=5&page=12')).text).toContain('Showing 56–60 of 60');
});

test('a user page, an edit and a deletion lead back to the very page', async () => {
  const app = await startWith(30, (number) => NOON + number);
  const from = encodeURIComponent('sort=-id&per_page=5&page=3&after=-id.21');
  const list = '/users?sort=-id&per_page=5&page=3&after=-id.21';
  const back = async (address: string) => pageOf(await get(app, address)).link('All users');
  expect(await back(`/users/18?from=${from}`)).toBe(list);
  const saved = await post(app, `/users/18?from=${from}`, { full_name: 'Eighteen' });
  expect(await back(String(saved.headers.location))).toBe(list);
  const deleted = await post(app, `/users/18/delete?from=${from}`);
  expect(deleted.headers.location).toBe(list);
  expect((await show(app, list)).ids).toEqual([20, 19, 17, 16, 15]);
});

describe('the letters above a long list by name or username', () => {
  async function startWithNames() {
    const app = await startApp();
    const names = 'a b c m n z'
      .split(' ')
      .flatMap((letter) => [letter, ...range(10, 30).map((n) => letter + n)]);
    await addUsers(app.db, [...names, 'émile', 'żaba', 'жук', '7up']);
    return app;
  }

  function range(from: number, to: number): number[] {
    return Array.from({ length: to - from + 1 }, (_, index) => from + index);
  }

  const LETTERS = 'Go to a letter';

  test.each([
    ['username', 'M', ['m', 'm10', 'm11'], ['c29', 'c30', 'émile']],
    ['username', 'D', ['émile', 'm', 'm10'], ['c30', 'c29', 'c28']],
    ['username', 'A', ['a', 'a10', 'a11'], ['7up']],
    ['-username', 'M', ['m30', 'm29', 'm28'], ['n', 'n10', 'n11']],
    ['-username', 'Z', ['żaba', 'z30', 'z29'], ['жук']],
    ['name', 'E', ['émile', 'm', 'm10'], ['c30', 'c29', 'c28']],
  ])('lead, by %s, to %s', async (sort, letter, shown, before) => {
    const app = await startWithNames();
    const visit = async (address: string) => pageOf(await get(app, address));
    const href = (await visit(`/users?sort=${sort}&per_page=3`)).nav(LETTERS).link(letter);
    const page = await visit(href);
    expect(page.column('User')).toEqual(shown);
    expect(page.text).toContain('Showing 3 of 136');
    expect(page.current('page')).toEqual([]);
    const previous = (await visit(page.link('Previous'))).column('User');
    expect(previous).toEqual(expect.arrayContaining(before));
    const after = await visit(page.link('Next'));
    expect(after.column('User')).toHaveLength(3);
    expect(after.text).toContain('Showing 3 of 136');
    const user = await visit(page.link(shown[0] ?? ''));
    expect(user.link('All users')).toBe(href);
  });

  test('say where one is, and are not there in another order or a short list', async () => {
    const app = await startWithNames();
    const long = pageOf(await get(app, '/users?sort=username&per_page=3&page=9'));
    expect(long.nav(LETTERS).current('true')).toEqual(['B']);
    for (const other of ['sort=email&per_page=3', 'sort=username&per_page=100'])
      expect(pageOf(await get(app, `/users?${other}`)).navs).not.toContain(LETTERS);
  });
});
