import { describe, expect, test } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import { seedUsers } from '../../src/cli/seed.ts';
import { bulkLoadUsers } from '../../src/db/bulk-load.ts';
import type { Db, User } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { changeUser, deleteUser } from '../../src/users/commands.ts';
import { countByStatus } from '../../src/users/counts.ts';
import { parseList } from '../../src/users/list/address.ts';
import type { Filter } from '../../src/users/list/filter.ts';
import { resolveFilter } from '../../src/users/list/filter-result.ts';
import { SORT_KEYS, type Sort } from '../../src/users/list/order.ts';
import { listUsers } from '../../src/users/list/page.ts';
import { findHolders, findUser, findUserByUsername, getUser } from '../../src/users/queries.ts';
import { addUser, addUsers, temporaryDatabase } from '../support.ts';

const { list: ALL } = parseList({});
const NOON = Date.UTC(2026, 0, 31, 12);
const DAY = 24 * 60 * 60 * 1000;

async function usernamesOf(db: Db, filter: Filter, sort: Sort, offset = 0, limit = 100): Promise<string[]> {
  const matches = await resolveFilter(db, filter);
  return (await listUsers(db, { ...filter, sort }, matches, { offset, limit })).map((user) => user.username);
}

test('a user is found by id and by username, however it is cased or composed', async () => {
  const db = await temporaryDatabase();
  const user = await addUser(db, { username: 'Åsa' });
  expect(await findUser(db, user.id)).toEqual(user);
  expect(await findUserByUsername(db, 'A\u030ASA')).toEqual(user);
  expect(await findUser(db, 2)).toBeUndefined();
  await expect(getUser(db, 2)).rejects.toThrow('There is no user 2.');
});

describe('the list', () => {
  const people: [string, number, boolean][] = [
    ['carla', NOON - DAY, true],
    ['Alice', NOON, false],
    ['bob', NOON, true],
    ['Zoë', NOON + DAY, false],
    ['émile', NOON + 2 * DAY, true],
  ];

  async function filled(): Promise<Db> {
    const db = await temporaryDatabase();
    for (const [username, created, is_active] of people) {
      const email = `${people.length - people.findIndex(([name]) => name === username)}@example.org`;
      await addUser(db, { username, email, is_active }, created);
    }
    return db;
  }

  test.each<[Sort, string[]]>([
    ['id', ['carla', 'Alice', 'bob', 'Zoë', 'émile']],
    ['-id', ['émile', 'Zoë', 'bob', 'Alice', 'carla']],
    ['username', ['Alice', 'bob', 'carla', 'émile', 'Zoë']],
    ['-username', ['Zoë', 'émile', 'carla', 'bob', 'Alice']],
    ['email', ['émile', 'Zoë', 'bob', 'Alice', 'carla']],
    ['-email', ['carla', 'Alice', 'bob', 'Zoë', 'émile']],
    ['created', ['carla', 'Alice', 'bob', 'Zoë', 'émile']],
    ['-created', ['émile', 'Zoë', 'bob', 'Alice', 'carla']],
  ])('ordered by %s, from the start and from the end', async (sort, usernames) => {
    const db = await filled();
    expect(await usernamesOf(db, ALL, sort)).toEqual(usernames);
    expect(await usernamesOf(db, ALL, sort, 0, 2)).toEqual(usernames.slice(0, 2));
    expect(await usernamesOf(db, ALL, sort, 2, 2)).toEqual(usernames.slice(2, 4));
    expect(await usernamesOf(db, ALL, sort, 4, 2)).toEqual(usernames.slice(4));
    expect(await usernamesOf(db, ALL, sort, 5, 2)).toEqual([]);
  });

  test.each<[Partial<Filter>, string[]]>([
    [{ status: 'active' }, ['carla', 'bob', 'émile']],
    [{ status: 'inactive' }, ['Alice', 'Zoë']],
    [{ createdAfter: '2026-01-31' }, ['Alice', 'bob', 'Zoë', 'émile']],
    [{ createdBefore: '2026-01-31' }, ['carla', 'Alice', 'bob']],
    [{ createdAfter: '2026-01-31', createdBefore: '2026-01-31' }, ['Alice', 'bob']],
    [{ status: 'active', createdAfter: '2026-01-31', createdBefore: '2026-02-01' }, ['bob']],
    [{ createdAfter: '2026-02-01', createdBefore: '2026-01-31' }, []],
  ])('filtered by %o, counted and shown', async (filter, usernames) => {
    const db = await filled();
    expect((await resolveFilter(db, { ...ALL, ...filter })).total).toEqual({
      count: usernames.length,
      isExact: true,
    });
    expect(await usernamesOf(db, { ...ALL, ...filter }, 'id')).toEqual(usernames);
  });

  test('has every user on exactly one page, in every order', async () => {
    const db = await temporaryDatabase();
    await seedUsers(db, 237);
    for (const key of SORT_KEYS) {
      for (const sort of [key, `-${key}`] as const) {
        const seen: string[] = [];
        for (let offset = 0; offset < 237; offset += 10)
          seen.push(...(await usernamesOf(db, ALL, sort, offset, 10)));
        expect(new Set(seen).size).toBe(237);
        expect(await usernamesOf(db, ALL, sort, 0, 237)).toEqual(seen);
      }
    }
  });
});

describe('the number of users by status', () => {
  test('follows every change', async () => {
    const db = await temporaryDatabase();
    await addUsers(db, ['alice', 'bob', 'carla']);
    await transact(db, (trx) => changeUser(trx, commandLine, 1, { is_active: false }, NOON));
    await transact(db, (trx) => changeUser(trx, commandLine, 1, { full_name: 'Alice' }, NOON));
    expect(await countByStatus(db)).toEqual({ active: 2, inactive: 1 });
    await transact(db, (trx) => deleteUser(trx, commandLine, 1, 2));
    await transact(db, (trx) => deleteUser(trx, commandLine, 2, 2));
    expect(await countByStatus(db)).toEqual({ active: 1, inactive: 0 });
    await transact(db, (trx) => changeUser(trx, commandLine, 3, { is_active: false }, NOON));
    expect(await countByStatus(db)).toEqual({ active: 0, inactive: 1 });
  });

  test('is what counting gives after many were inserted, some of them twice', async () => {
    const db = await temporaryDatabase();
    await seedUsers(db, 500);
    const matches = await resolveFilter(db, ALL);
    const users = await listUsers(db, { ...ALL, sort: 'id' }, matches, { offset: 490, limit: 10 });
    const again = users.map(({ id, version, ...user }) => user);
    const added = await bulkLoadUsers(db, (loader) => loader.insertNew(again));
    expect(added).toBe(0);
    const counted = await db
      .selectFrom('users')
      .select(({ fn }) => ['is_active', fn.countAll<number>().as('count')])
      .groupBy('is_active')
      .execute();
    const counts = await countByStatus(db);
    expect(counted).toHaveLength(2);
    expect(counted).toContainEqual({ is_active: false, count: counts.inactive });
    expect(counted).toContainEqual({ is_active: true, count: counts.active });
  });
});

describe('an update', () => {
  test('raises the version and leaves what it does not name', async () => {
    const db = await temporaryDatabase();
    const user = await addUser(db, { username: 'alice', full_name: 'Alice' }, NOON);
    const { kind, user: after } = await transact(db, (trx) =>
      changeUser(trx, commandLine, user.id, { username: 'Alicia' }, NOON + 1, 1),
    );
    expect(kind).toBe('changed');
    expect(after).toEqual({
      ...user,
      username: 'Alicia',
      username_key: 'alicia',
      username_sort: 'alicia',
      search_text: '\r\n\nalicia\r\n\nalice@example.org\r\n\nalice',
      updated_at: NOON + 1,
      version: 2,
    } satisfies User);
  });

  test('that changes nothing disturbs nobody', async () => {
    const db = await temporaryDatabase();
    const user = await addUser(db, { username: 'alice' });
    const result = await transact(db, (trx) =>
      changeUser(trx, commandLine, user.id, { username: 'alice', is_active: true }, NOON, 1),
    );
    expect(result).toMatchObject({ kind: 'unchanged', user, theirs: [] });
  });

  test('from an old version writes nothing', async () => {
    const db = await temporaryDatabase();
    const user = await addUser(db, { username: 'alice' });
    const update = (full_name: string) =>
      transact(db, (trx) => changeUser(trx, commandLine, user.id, { full_name }, NOON, 1));
    await update('Alice');
    expect(await update('Alicia')).toMatchObject({
      kind: 'conflict',
      user: { full_name: 'Alice', version: 2 },
    });
    expect(await findUser(db, user.id)).toMatchObject({ full_name: 'Alice', version: 2 });
  });
});

test('who has what somebody asks for is found, but not the one who asks', async () => {
  const db = await temporaryDatabase();
  await addUsers(db, ['alice', 'bob']);
  const wanted = { username: 'ALICE', email: 'BOB@example.org' };
  const usernames = async (exceptId?: number) => {
    const { username, email } = await findHolders(db, wanted, exceptId);
    return { username: username?.username, email: email?.username };
  };
  expect(await usernames()).toEqual({ username: 'alice', email: 'bob' });
  expect(await usernames(1)).toEqual({ email: 'bob' });
  expect(await findHolders(db, {}, undefined)).toEqual({});
});
