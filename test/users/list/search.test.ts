/** Searching: what is found is what looking at everyone finds, whatever has happened to them. */
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { commandLine } from '../../../src/auth/actor.ts';
import { seedUsers } from '../../../src/cli/seed.ts';
import { bulkLoadUsers } from '../../../src/db/bulk-load.ts';
import { derivedColumns } from '../../../src/db/derived-columns.ts';
import { engineOf } from '../../../src/db/engine.ts';
import { rebuildSearch } from '../../../src/db/rebuild-search.ts';
import type { Db, User } from '../../../src/db/schema.ts';
import { transact } from '../../../src/db/transact.ts';
import { TooBroadError } from '../../../src/errors.ts';
import { Deadline } from '../../../src/lib/deadline.ts';
import { hasTerm, parseSearch } from '../../../src/search/terms.ts';
import { changeUser, createUser, deleteUser } from '../../../src/users/commands.ts';
import { parseList } from '../../../src/users/list/address.ts';
import { rowCondition } from '../../../src/users/list/conditions.ts';
import type { Filter } from '../../../src/users/list/filter.ts';
import { resolveFilter } from '../../../src/users/list/filter-result.ts';
import { FILTERS } from '../../../src/users/list/filters.ts';
import { SORT_KEYS, type Sort } from '../../../src/users/list/order.ts';
import { readPage } from '../../../src/users/list/page.ts';
import { WALK_BATCH, walk } from '../../../src/users/list/walk.ts';
import { pageOf } from '../../page.ts';
import { addPerson, signedIn } from '../../people.ts';
import { oneIn, runs } from '../../runs.ts';
import {
  addUser,
  addUsers,
  filledDatabase,
  get,
  sharedDatabase,
  startApp,
  temporaryDatabase,
} from '../../support.ts';
import { aUser } from '../a-user.ts';

const { list: ALL } = parseList({});
const ORDERS = SORT_KEYS.flatMap((key): Sort[] => [key, `-${key}`]);
const SOON = () => Deadline.in(60_000);
const searchFor = FILTERS.q.parse;

/** The ids that a search finds by its index, from the lowest up or from the highest down. */
async function find(db: Db, q: string, { isReversed = false, limit = 10_001 } = {}): Promise<number[]> {
  const search = await engineOf(db).searchIndexOf(db);
  return search.find(db, { terms: parseSearch(q), condition: undefined, isReversed, limit }, SOON());
}

const manyUsers = sharedDatabase((db) => seedUsers(db, 12_000));

/** The ids of everyone whose fields, as they are now, have every piece. */
function scan(users: readonly User[], q: string): number[] {
  const terms = parseSearch(q);
  return users
    .filter((user) => terms.every((term) => hasTerm(derivedColumns(user).search_text, term)))
    .map(({ id }) => id);
}

async function everyone(db: Db): Promise<User[]> {
  return db.selectFrom('users').selectAll().orderBy('id').execute();
}

test('after thousands of changes, some of them rolled back, it finds what looking at everyone finds', async () => {
  const db = await temporaryDatabase();
  const name = fc.string({ unit: fc.constantFrom(...'abABáßłx '), minLength: 1, maxLength: 9 });
  const change = fc.record({
    kind: fc.constantFrom('insert', 'insert', 'update', 'delete'),
    who: fc.nat(60),
    full_name: name.map((typed) => typed.trim() || null),
    isRolledBack: fc.boolean(),
  });
  const q = fc.string({ unit: fc.constantFrom(...'abáßlx "'), minLength: 1, maxLength: 7 });
  let made = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(change, { minLength: 20, maxLength: 60 }),
      fc.array(q),
      async (changes, searches) => {
        for (const { kind, who, full_name, isRolledBack } of changes) {
          const work = transact(db, async (trx) => {
            const users = await trx.selectFrom('users').select('id').orderBy('id').execute();
            const id = users[who % Math.max(1, users.length)]?.id;
            if (kind === 'insert' || id === undefined) {
              const username = `u${made++}`;
              const user = {
                username,
                email: `${username}@b.example`,
                full_name,
                is_active: true,
                role: 'member' as const,
              };
              await createUser(trx, commandLine, user, Date.now());
            } else if (kind === 'update') await changeUser(trx, commandLine, id, { full_name }, Date.now());
            else await deleteUser(trx, commandLine, id, 2);
            if (isRolledBack) throw new Error('rolled back');
          });
          await work.catch((error) => expect(error.message).toBe('rolled back'));
        }
        const users = await everyone(db);
        for (const search of ['ab', 'u', 'example', ...searches].filter(
          (typed) => parseSearch(typed).length > 0,
        )) {
          expect(await find(db, search), search).toEqual(scan(users, search));
          expect(await find(db, search, { isReversed: true }), search).toEqual(scan(users, search).reverse());
        }
      },
    ),
    runs(60),
  );
  const before = await find(db, 'abx');
  await transact(db, (trx) => rebuildSearch(trx));
  expect(await find(db, 'abx')).toEqual(before);
});

test('users whose numbers are far apart, or at the ends of what is searched in one go, are all found, in order', async () => {
  const db = await temporaryDatabase();
  const ids = [1, 262_143, 262_144, 262_145, 524_287, 700_000, 5_000_000, 9_007_199_254];
  const copies = ids.map((id) => aUser({ id, username: `far${id}`, email: `far${id}@example.org` }));
  await bulkLoadUsers(db, async (loader) => {
    await loader.insertCopies(copies);
    await engineOf(db).writeLastId(loader.trx, Math.max(...ids));
  });
  expect(await find(db, 'far')).toEqual(ids);
  expect(await find(db, 'far', { isReversed: true, limit: 3 })).toEqual(ids.toReversed().slice(0, 3));
  const { id } = await addUser(db, { username: 'farther' });
  expect(await find(db, 'far')).toEqual([...ids, id]);
  const search = await engineOf(db).searchIndexOf(db);
  for (const [index, from] of ids.entries()) {
    const question = { terms: parseSearch('far'), condition: undefined, limit: 100 };
    const after = { ...question, range: { operator: '>' as const, id: from }, isReversed: false };
    expect(await search.find(db, after, SOON())).toEqual([...ids, id].slice(index + 1));
    const upTo = { ...question, range: { operator: '<=' as const, id: from }, isReversed: true };
    expect(await search.find(db, upTo, SOON())).toEqual(ids.slice(0, index + 1).reverse());
  }
  await transact(db, (trx) => deleteUser(trx, commandLine, 262_144, 2));
  expect(await find(db, 'far262144')).toEqual([]);
});

test('that there are more than so many is found out as well as who they are, in one part of the index and in several', async () => {
  const db = await temporaryDatabase();
  const few = Array.from({ length: 600 }, (_, index) => index + 1);
  const ids = [...few, ...few.slice(0, 100).map((id) => 262_144 + id), 600_000];
  await bulkLoadUsers(db, async (loader) => {
    await loader.insertCopies(
      ids.map((id) => aUser({ id, username: `far${id}`, email: `far${id}@example.org` })),
    );
    await engineOf(db).writeLastId(loader.trx, Math.max(...ids));
  });
  const search = await engineOf(db).searchIndexOf(db);
  const findAll = (q: string, most: number, status?: 'active') => {
    const condition = status && rowCondition({ ...ALL, status });
    return search.findAll(db, { terms: parseSearch(q), condition }, most, SOON());
  };
  expect(await findAll('nobody', 0)).toEqual({ kind: 'all', ids: [] });
  for (const status of [undefined, 'active'] as const) {
    for (const most of [0, 10, 99, 100, 550, 599, 600, 650, 699, 700]) {
      const found = await findAll('far', most, status);
      const { length } = found.kind === 'too many' ? found.first : [];
      expect(found, `${most}`).toEqual({ kind: 'too many', first: ids.slice(0, length) });
    }
    for (const most of [701, 702, 10_000])
      expect(await findAll('far', most, status)).toEqual({ kind: 'all', ids });
  }
  expect(await findAll('far600000', 0)).toMatchObject({ kind: 'too many' });
  expect(await findAll('far600000', 1)).toEqual({ kind: 'all', ids: [600_000] });
});

test('more than are found in one go are all found, in order', async () => {
  const db = await filledDatabase((filled) => seedUsers(filled, 45_000));
  const everyId = Array.from({ length: 45_000 }, (_, index) => index + 1);
  expect(await find(db, 'example', { limit: 100_000 })).toEqual(everyId);
  expect(await find(db, 'example', { limit: 100_000, isReversed: true })).toEqual(everyId.toReversed());
});

test('users who were added many at once, beside others and by a seed, are found', async () => {
  const db = await temporaryDatabase();
  await addUsers(db, ['first']);
  await seedUsers(db, 300);
  await seedUsers(db, 300);
  const users = await everyone(db);
  for (const q of ['garcia', 'an', 'first', 'example.org muller'])
    expect(await find(db, q)).toEqual(scan(users, q));
});

test('a search that was rebuilt finds whom it had missed', async () => {
  const db = await temporaryDatabase();
  const user = await addUser(db, { username: 'zoe', full_name: 'Zoë' });
  await transact(db, (trx) =>
    trx.updateTable('users').set({ search_text: '\rof another age' }).where('id', '=', user.id).execute(),
  );
  await transact(db, (trx) => rebuildSearch(trx));
  expect(await find(db, 'zoe')).toEqual([user.id]);
  expect(await find(db, 'another')).toEqual([]);
});

describe('with a status, dates and an order', () => {
  test('a list is what looking at everyone gives, by number and by next, whether few match or many', async () => {
    const db = await manyUsers();
    const users = await everyone(db);
    const dates = { createdAfter: '2019-02-01', createdBefore: '2019-09-30' };
    const filters: Partial<Filter>[] = [
      { q: searchFor('an') },
      { q: searchFor('martin example'), status: 'inactive' },
      { q: searchFor('garcia'), ...dates },
      { q: searchFor('example') },
      { q: searchFor('example'), status: 'active', createdAfter: '2019-01-08' },
      { q: searchFor('ana'), createdAfter: '2019-09-01', createdBefore: '2019-09-03' },
    ];
    const isTried = oneIn(7);
    for (const some of filters) {
      const filter = { ...ALL, ...some };
      const searched = new Set(scan(users, filter.q?.text ?? ''));
      const matching = users.filter(
        ({ id, is_active, created_at }) =>
          searched.has(id) &&
          (!filter.status || (filter.status === 'active') === is_active) &&
          new Date(created_at).toISOString().slice(0, 10) >= (filter.createdAfter ?? '') &&
          new Date(created_at).toISOString().slice(0, 10) <= (filter.createdBefore ?? '9'),
      );
      for (const sort of ORDERS) {
        const ordered = orderBySort(matching, sort);
        const found = { ...(await resolveFilter(db, filter, { deadline: SOON() })), deadline: SOON() };
        const isExact = matching.length <= 10_000;
        expect(found.total).toEqual({ count: Math.min(10_000, matching.length), isExact });
        // As few, and as if they were too many to be put into order.
        const asMany = { ...found, ids: undefined, total: { count: 10_000, isExact: false } };
        for (const matches of [found, asMany]) {
          if (!isTried()) continue;
          for (const page of [1, 2, 3]) {
            const list = { ...filter, sort, page, perPage: 7 };
            const read = await readPage(db, list, matches);
            const shown = read?.page.items.map(({ id }) => id) ?? [];
            expect(shown, `${JSON.stringify(some)} ${sort} ${page}`).toEqual(
              ordered.slice(7 * page - 7, 7 * page),
            );
          }
          const middle = matching.find(({ id }) => id === ordered[20]);
          if (middle === undefined) continue;
          const key = {
            id: middle.id,
            name: middle.name_sort,
            username: middle.username_sort,
            email: middle.email_key,
            created: middle.created_at,
          };
          for (const side of ['after', 'before'] as const) {
            const cursor = { side, id: middle.id, key: key[sort.replace('-', '') as keyof typeof key] };
            const read = await readPage(db, { ...filter, sort, page: 3, perPage: 7, cursor }, matches);
            const expected = side === 'after' ? ordered.slice(21, 28) : ordered.slice(13, 20);
            expect(
              read?.page.items.map(({ id }) => id),
              `${JSON.stringify(some)} ${sort} ${side}`,
            ).toEqual(expected);
          }
        }
      }
    }
  });

  function orderBySort(users: readonly User[], sort: Sort): number[] {
    const column = {
      id: 'id',
      name: 'name_sort',
      username: 'username_sort',
      email: 'email_key',
      created: 'created_at',
    } as const;
    const by = column[sort.replace('-', '') as keyof typeof column];
    const sign = sort.startsWith('-') ? -1 : 1;
    return users
      .toSorted(
        (one, other) => sign * (one[by] < other[by] ? -1 : one[by] > other[by] ? 1 : one.id - other.id),
      )
      .map(({ id }) => id);
  }
});

test.each(['id', '-id'] as const)(
  'all whom a search finds, more than can be counted, are gone through by %s, and the search is begun but twice',
  async (sort) => {
    const db = await manyUsers();
    const list = { ...ALL, q: searchFor('example'), sort };
    const result = await resolveFilter(db, list, { deadline: SOON() });
    const search = await engineOf(db).searchIndexOf(db);
    const find = vi.fn(search.find);
    const ids: number[] = [];
    for await (const users of walk(db, list, { ...result, search: { ...search, find } })) {
      expect(users.length).toBeLessThanOrEqual(WALK_BATCH);
      ids.push(...users.map(({ id }) => id));
    }
    const inOrder = (await everyone(db)).map(({ id }) => id);
    expect(ids).toEqual(sort === 'id' ? inOrder : inOrder.reverse());
    expect(find).toHaveBeenCalledTimes(2);
  },
);

describe('a page of a search', () => {
  async function startWith(...names: [username: string, full_name: string][]) {
    const app = await startApp();
    for (const [username, full_name] of names) await addUser(app.db, { username, full_name });
    return app;
  }

  test('says what was searched, marks it and keeps it in the box', async () => {
    const app = await startWith(['jm', 'Jürgen Müller'], ['ada', 'Ada']);
    const answer = await get(app, '/users?q=muller%20ju');
    expect(answer.statusCode).toBe(200);
    const page = pageOf(answer);
    expect(page.heading).toBe('Users 2');
    expect(page.text).toContain('Showing 1 of 1 “muller” and “ju” Clear all');
    expect(page.column('User')).toEqual(['Jürgen Müller jm']);
    expect(page.marks).toEqual(['Jü', 'Müller']);
    expect(page.field('q')).toBe('muller ju');
    expect(page.title).toBe('“muller ju” · Users · Roster');
    expect(answer.body).not.toContain('Ada');
  });

  test('finds what was pasted with invisible characters around it, and shows it without them', async () => {
    const app = await startApp();
    await addUser(app.db, { username: 'zoe' });
    await addUser(app.db, { username: 'bob' });
    const pasted = encodeURIComponent('\u2068 \u200Bzoe@example.org\u2069\u00A0');
    const page = pageOf(await get(app, `/users?q=${pasted}`));
    expect(page.field('q')).toBe('zoe@example.org');
    expect(page.text).toContain('Showing 1 of 1 “zoe@example.org” Clear all');
  });

  test('for somebody who was deleted leads those who may bring them back to where they are', async () => {
    const app = await startWith(['ada', 'Ada']);
    expect(pageOf(await get(app, '/users?q=grace')).link('history')).toBe('/history?kind=deleted');
    const vera = await signedIn(app, await addPerson(app.db, 'vera', 'viewer'));
    expect(pageOf(await get(app, '/users?q=grace', vera)).text).not.toContain('Who was deleted');
  });

  test('without a match says what was searched and how to widen it', async () => {
    const app = await startWith(['ada', 'Ada']);
    const page = pageOf(await get(app, '/users?q=grace&status=inactive'));
    expect(page.text).toContain('Looking for “grace” Inactive Clear all Nobody matches');
    expect(page.chips).toEqual([
      { text: '“grace”', href: '/users?status=inactive' },
      { text: 'Inactive', href: '/users?q=grace' },
    ]);
    expect(page.text).toContain('a part of a name is enough');
    expect(page.link('Search all users')).toBe('/users?q=grace');
  });

  test('is marked in an email too, which may still break after the @', async () => {
    const app = await startWith(['ada', 'Ada']);
    expect((await get(app, '/users?q=exam')).body).toContain('ada@<wbr><mark>exam</mark>ple.org');
    expect((await get(app, '/users?q=a@ex')).body).toContain('ad<mark>a@<wbr>ex</mark>ample.org');
  });

  test('shows what was typed as text, whatever it is', async () => {
    const app = await startWith(['ada', 'Ada']);
    const typed = '<b>&"x" onclick=\'1\'';
    const { body } = await get(app, `/users?q=${encodeURIComponent(typed)}`);
    expect(body).not.toContain('<b>');
    expect(pageOf(body).field('q')).toBe(typed);
    expect(pageOf(body).text).toContain('“&”');
  });

  test('has the search in every link and form that stays in the list', async () => {
    const app = await startApp();
    await seedUsers(app.db, 400);
    const { links } = pageOf(await get(app, '/users?q=example&per_page=25&sort=-email'));
    const inTheList = links.filter(({ href }) => href.startsWith('/users?'));
    expect(inTheList.length).toBeGreaterThan(12);
    expect(inTheList.filter(({ href }) => !/[?&]q=example(&|$)/.test(href))).toEqual([
      { text: '“example”', href: '/users?sort=-email&per_page=25' },
      { text: 'Clear all', href: '/users?sort=-email&per_page=25' },
    ]);
    const user = links.find(({ href }) => /^\/users\/\d/.test(href))?.href ?? '';
    expect(pageOf(await get(app, user)).link('Back to the list')).toBe(
      '/users?q=example&sort=-email&per_page=25',
    );
  });

  test.each([
    ['q=', '/users'],
    ['q=&created_after=&created_before=&sort=id', '/users'],
    ['q=ada&created_after=&created_before=&sort=email', '/users?q=ada&sort=email'],
    ['q=&status=active&created_after=2026-01-01', '/users?status=active&created_after=2026-01-01'],
  ])('an address with empty fields (%s) becomes a short one', async (query, address) => {
    const app = await startApp();
    const answer = await get(app, `/users?${query}`);
    expect([answer.statusCode, answer.headers.location]).toEqual([302, address]);
  });

  test('of nothing but quotes is the whole list, and says so', async () => {
    const app = await startWith(['ada', 'Ada']);
    const { body } = await get(app, '/users?q=%22%22');
    expect(pageOf(body).text).toContain('q="" was ignored: there is nothing in it to search for.');
    expect(pageOf(body).text).toContain('Showing 1 of 1');
  });

  test('takes a huge paste, searches for its beginning and says so', async () => {
    const app = await startWith(['ada', 'Ada']);
    const { body, statusCode } = await get(app, `/users?q=${'ada'.repeat(2_000)}`);
    expect(statusCode).toBe(200);
    expect(pageOf(body).text).toContain('Only the first 256 characters were searched for.');
  });

  test('that takes too long says so, asks for one more word and keeps everything', async () => {
    let time = 0;
    const db = await filledDatabase((filled) => seedUsers(filled, 3_000));
    const app = await startApp({}, db, Date.now, () => {
      time += 2_000;
      return time;
    });
    const answer = await get(app, '/users?q=example&sort=email');
    expect(answer.statusCode).toBe(422);
    expect(pageOf(answer).text).toContain('Add one more word, or sort by number');
    expect(pageOf(answer).field('q')).toBe('example');
    expect(pageOf(answer).link('sort by number')).toBe('/users?q=example');
  });
});

test('a page whose number has no end is not found, where nobody has counted how many match', async () => {
  const app = await startApp({}, await manyUsers());
  for (const page of ['9007199254740993', '9'.repeat(30), '9'.repeat(400)]) {
    const answer = await get(app, `/users?q=example&page=${page}`);
    expect(answer.statusCode).toBe(404);
    expect(pageOf(answer).text).toContain('The list ends before that page.');
  }
});

test('whoever has no time left is told so', async () => {
  const db = await temporaryDatabase();
  await seedUsers(db, 100);
  const search = await engineOf(db).searchIndexOf(db);
  const question = { terms: parseSearch('example'), condition: undefined, isReversed: false, limit: 500 };
  await expect(search.find(db, question, Deadline.in(0))).rejects.toThrow(TooBroadError);
});
