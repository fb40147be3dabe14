/** Lists by date: in every order, however many match. */
import { expect, test } from 'vitest';
import { seedUsers } from '../../../src/cli/seed.ts';
import { TooBroadError } from '../../../src/errors.ts';
import { Deadline } from '../../../src/lib/deadline.ts';
import { parseList } from '../../../src/users/list/address.ts';
import { resolveFilter } from '../../../src/users/list/filter-result.ts';
import { SORT_KEYS, type Sort } from '../../../src/users/list/order.ts';
import { listUsers } from '../../../src/users/list/page.ts';
import { scanForPage } from '../../../src/users/list/scan.ts';
import { pageOf } from '../../page.ts';
import { filledDatabase, get, sharedDatabase, startApp } from '../../support.ts';

const ORDERS = SORT_KEYS.flatMap((key): Sort[] => [key, `-${key}`]);
const { list: ALL } = parseList({});
/** Of the first 12,000 made-up people, nearly all were created in the first of these, and few in the second. */
const MANY = { ...ALL, createdAfter: '2019-01-08', createdBefore: '2019-12-31' };
const FEW = { ...ALL, createdAfter: '2019-09-01', createdBefore: '2019-09-03' };

const manyUsers = sharedDatabase((db) => seedUsers(db, 12_000));

test('a list of some days shows whom looking at everyone gives, whether few match or many', async () => {
  const db = await manyUsers();
  const everyone = await db.selectFrom('users').selectAll().execute();
  for (const [filter, isExact] of [
    [MANY, false],
    [{ ...MANY, status: 'inactive' as const }, true],
    [FEW, true],
    [{ ...FEW, status: 'active' as const }, true],
  ] as const) {
    const matching = everyone.filter(
      ({ created_at, is_active }) =>
        new Date(created_at).toISOString().slice(0, 10) >= filter.createdAfter &&
        new Date(created_at).toISOString().slice(0, 10) <= filter.createdBefore &&
        (filter.status === undefined || (filter.status === 'active') === is_active),
    );
    // However slow the machine is.
    const deadline = Deadline.in(Number.POSITIVE_INFINITY);
    const matches = await resolveFilter(db, filter, { deadline });
    const { total } = matches;
    expect(total).toEqual({ count: Math.min(matching.length, 10_000), isExact });
    for (const sort of ORDERS) {
      const column = {
        id: 'id',
        name: 'name_sort',
        username: 'username_sort',
        email: 'email_key',
        created: 'created_at',
      } as const;
      const by = column[sort.replace('-', '') as keyof typeof column];
      const compare = (one: (typeof everyone)[0], other: (typeof everyone)[0]) =>
        one[by] < other[by] ? -1 : one[by] > other[by] ? 1 : one.id - other.id;
      const ordered = matching.toSorted(
        (one, other) => (sort.startsWith('-') ? -1 : 1) * compare(one, other),
      );
      for (const offset of [0, 37, Math.min(matching.length, 10_000) - 5]) {
        const users = await listUsers(db, { ...filter, sort }, matches, { offset, limit: 20 });
        expect(
          users.map(({ id }) => id),
          `${sort} from ${offset}`,
        ).toEqual(
          ordered
            .slice(offset, isExact ? Math.min(offset + 20, total.count) : offset + 20)
            .map(({ id }) => id),
        );
      }
    }
  }
});

test('a list of more than 10,000 says so, and goes on past them by next, by previous and by number', async () => {
  const app = await startApp({}, await manyUsers());
  for (const sort of ['created', '-email', 'id']) {
    const seen: number[] = [];
    let address = `/users?created_after=2019-01-01&sort=${sort}&per_page=100&page=97`;
    for (let clicks = 0; clicks < 30; clicks++) {
      const page = pageOf(await get(app, address));
      seen.push(...page.users);
      expect(page.text).toMatch(/Showing [\d,]+–[\d,]+ of more than 10,000/);
      const links = page.nav('Pages').links.map(({ text }) => text);
      expect(links).not.toContain('Last');
      if (!links.includes('Next')) break;
      address = page.link('Next');
    }
    expect(seen).toHaveLength(2_400);
    expect(new Set(seen).size).toBe(2_400);
    const last = pageOf(await get(app, `/users?created_after=2019-01-01&sort=${sort}&per_page=100&page=120`));
    expect(last.text).toContain('Showing 11,901–12,000 of more than 10,000');
    const before = pageOf(await get(app, last.link('Previous')));
    expect(before.text).toContain('Showing 11,801–11,900 of more than 10,000');
    const beyond = await get(app, `/users?created_after=2019-01-01&sort=${sort}&per_page=100&page=121`);
    expect(beyond.statusCode).toBe(404);
    expect(pageOf(beyond).text).toContain('The list ends before that page.');
  }
});

test('whoever asks for too much to look through is told so', async () => {
  const db = await filledDatabase((filled) => seedUsers(filled, 3_000));
  const nobody = { ...ALL, createdAfter: '2030-01-01' };
  const slice = { isFromEnd: false, offset: 0, limit: 10 };
  const matches = await resolveFilter(db, nobody);
  const list = { ...nobody, sort: 'email' as const };
  expect(await scanForPage(db, list, matches, slice)).toEqual([]);
  await expect(scanForPage(db, list, { ...matches, deadline: Deadline.in(-1) }, slice)).rejects.toThrow(
    TooBroadError,
  );
});
