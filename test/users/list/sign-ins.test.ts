/** Lists by the last sign-in: what looking at everyone gives, whether few match or many, of those alone who can sign in. */
import { expect, test } from 'vitest';
import { seedUsers } from '../../../src/cli/seed.ts';
import type { Db, User } from '../../../src/db/schema.ts';
import { Deadline } from '../../../src/lib/deadline.ts';
import { hasTerm } from '../../../src/search/terms.ts';
import { parseList } from '../../../src/users/list/address.ts';
import { cursorAt } from '../../../src/users/list/cursor.ts';
import type { Filter } from '../../../src/users/list/filter.ts';
import { type FilterResult, resolveFilter } from '../../../src/users/list/filter-result.ts';
import { FILTERS } from '../../../src/users/list/filters.ts';
import { orderOf, type Sort } from '../../../src/users/list/order.ts';
import { readPage } from '../../../src/users/list/page.ts';
import { planRows } from '../../../src/users/list/plan.ts';
import { SIGN_INS } from '../../../src/users/list/sign-ins.ts';
import { pageOf } from '../../page.ts';
import { addPerson, movableClock, signIn } from '../../people.ts';
import {
  addUser,
  filledDatabase,
  get,
  giveAccess,
  giveRole,
  giveRoles,
  type SignIns,
  sharedDatabase,
  startApp,
} from '../../support.ts';

const DAY = 24 * 60 * 60 * 1000;
const NOW = Date.UTC(2026, 10, 28, 17);
const { list: ALL } = parseList({});
const ORDERS: readonly Sort[] = ['id', '-id', '-created', 'email', '-name'];
const SOON = () => Deadline.in(60_000);
const [NEVER, LONG_AGO] = SIGN_INS.map((word) => FILTERS.signedIn.parse(word, NOW));

/** A third has signed in lately, a third long ago, a third never, and members are among them. */
function giveSignIns(db: Db, isChosen: (user: User) => boolean): Promise<SignIns> {
  const times = (id: number) => [NOW - (id % 80) * DAY, NOW - (91 + (id % 80)) * DAY, null];
  return giveAccess(db, isChosen, ({ id }, index) => times(id)[index % 3] ?? null);
}

function isAsked(user: User, signIns: SignIns, { signedIn, role, status, q }: Partial<Filter>): boolean {
  const last = signIns.get(user.id) ?? null;
  return (
    user.is_active &&
    user.role !== 'member' &&
    (signedIn?.before === undefined ? last === null : last !== null && last < signedIn.before) &&
    (!role || user.role === role) &&
    status !== 'inactive' &&
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

const idsOf = (users: readonly User[] = []) => users.map(({ id }) => id);

let signIns: SignIns = new Map();
const usersWithAccess = sharedDatabase(async (db) => {
  await seedUsers(db, 12_000);
  await giveRoles(db);
  signIns = await giveSignIns(db, ({ id, role }) => (role === 'member' ? id % 50 === 0 : id % 4 !== 0));
});

test.each<[string, Partial<Filter>]>([
  ['never', { signedIn: NEVER }],
  ['never, with a role', { signedIn: NEVER, role: 'viewer' }],
  ['never, as a member', { signedIn: NEVER, role: 'member' }],
  ['never, and active', { signedIn: NEVER, status: 'active' }],
  ['never, and inactive', { signedIn: NEVER, status: 'inactive' }],
  ['never, with a search', { signedIn: NEVER, q: FILTERS.q.parse('an') }],
  ['long ago', { signedIn: LONG_AGO }],
  ['long ago, with a role', { signedIn: LONG_AGO, role: 'editor' }],
  ['long ago, with a search', { signedIn: LONG_AGO, q: FILTERS.q.parse('an'), role: 'editor' }],
  ['long ago, and dates', { signedIn: LONG_AGO, createdAfter: '2019-02-01', createdBefore: '2019-09-30' }],
])(
  'who has signed in %s is listed in every order, by number, by next and by previous',
  async (_name, some) => {
    const db = await usersWithAccess();
    const filter = { ...ALL, ...some };
    const everyone = await db.selectFrom('users').selectAll().execute();
    const day = ({ created_at }: User) => new Date(created_at).toISOString().slice(0, 10);
    const matching = everyone.filter(
      (user) =>
        isAsked(user, signIns, some) &&
        day(user) >= (some.createdAfter ?? '') &&
        day(user) <= (some.createdBefore ?? '9'),
    );
    const found = { ...(await resolveFilter(db, filter, { deadline: SOON() })), deadline: SOON() };
    expect(found.total).toEqual({ count: matching.length, isExact: true });
    expect(found.ids).toEqual(idsOf(matching).sort((one, other) => one - other));
    if (some.role !== 'member' && some.status !== 'inactive') expect(matching.length).toBeGreaterThan(2);
    await expectPages(db, filter, matching, [
      found,
      // As if they were too many to be put into order.
      { ...found, ids: undefined, total: { count: 10_000, isExact: false } },
    ]);
  },
);

async function expectPages(db: Db, filter: Filter, matching: User[], results: FilterResult[]) {
  for (const result of results) {
    for (const sort of ORDERS) {
      const ordered = orderBySort(matching, sort);
      const read = async (state: object) => {
        const list = { ...ALL, ...filter, sort, perPage: 7, page: 3, ...state };
        return idsOf([...((await readPage(db, list, result))?.page.items ?? [])]);
      };
      expect(await read({ page: 1 }), sort).toEqual(idsOf(ordered.slice(0, 7)));
      const middle = ordered[9];
      if (middle === undefined || ordered.length < 12) continue;
      expect(await read({ page: 2 }), sort).toEqual(idsOf(ordered.slice(7, 14)));
      const after = await read({ cursor: cursorAt('after', middle, sort) });
      expect(after, `${sort} after`).toEqual(idsOf(ordered.slice(10, 17)));
      const before = await read({ cursor: cursorAt('before', middle, sort) });
      expect(before, `${sort} before`).toEqual(idsOf(ordered.slice(2, 9)));
    }
  }
}

test('more than can be put into order are listed all the same, also where they come last in it', async () => {
  const db = await filledDatabase(async (filled) => {
    await seedUsers(filled, 24_000);
    await giveRole(filled, 'viewer', (id) => id > 8_000);
  });
  const given = await giveSignIns(db, ({ id }) => id > 23_500);
  const filter = { ...ALL, signedIn: NEVER };
  const everyone = await db.selectFrom('users').selectAll().execute();
  const matching = everyone.filter((user) => isAsked(user, given, filter));
  const found = { ...(await resolveFilter(db, filter, { deadline: SOON() })), deadline: SOON() };
  expect([found.total, found.ids]).toEqual([{ count: 10_000, isExact: false }, undefined]);
  expect(planRows({ ...filter, sort: 'id' }, found)).toBe('scan-or-top-by-sign-in');
  await expectPages(db, filter, matching, [found]);
});

test('where few can sign in, hardly more rows are looked at than they have', async () => {
  const db = await filledDatabase(async (filled) => {
    await seedUsers(filled, 12_000);
    await giveRole(filled, 'editor', (id) => id % 100 === 0);
  });
  let rows = 0;
  const counted = db.withPlugin({
    transformQuery: ({ node }) => node,
    async transformResult({ result }) {
      rows += result.rows.length;
      return result;
    },
  });
  for (const signedIn of [NEVER, LONG_AGO]) {
    rows = 0;
    const filter = { ...ALL, signedIn, sort: 'email' as const };
    await readPage(counted, filter, await resolveFilter(counted, filter, { deadline: SOON() }));
    expect(rows).toBeLessThan(400);
  }
});

test('the list names them, keeps the choice, and counts ninety days from the beginning of today', async () => {
  const clock = movableClock(NOW);
  const app = await startApp({}, undefined, clock);
  await addPerson(app.db, 'ann', 'admin');
  await addPerson(app.db, 'old', 'viewer');
  await addUser(app.db, { username: 'new', role: 'viewer' });
  await addUser(app.db, { username: 'gone', role: 'viewer', is_active: false });
  await addUser(app.db, { username: 'max' });
  expect(await signIn(app, 'old')).toBeDefined();
  clock.move(90 * DAY);
  const headers = await signIn(app, 'ann');
  const never = pageOf(await get(app, '/users?signed_in=never', headers));
  expect(never.column('User')).toEqual(['new']);
  expect(never.text).toContain('Never signed in');
  expect(never.field('signed_in')).toBe('Never');
  const longAgo = async () => pageOf(await get(app, '/users?signed_in=over-90-days-ago', headers));
  expect((await longAgo()).text).toContain('Nobody matches');
  clock.move(7 * 60 * 60 * 1000);
  const again = await signIn(app, 'ann');
  const page = pageOf(await get(app, '/users?signed_in=over-90-days-ago', again));
  expect(page.column('User')).toEqual(['old']);
  expect(page.text).toContain('Last sign-in over 90 days ago');
  const wrong = pageOf(await get(app, '/users?signed_in=today', again));
  expect(wrong.text).toContain('signed_in=today was ignored: it can be never or over-90-days-ago.');
});
