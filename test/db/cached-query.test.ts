import { expect, test } from 'vitest';
import { executeCached } from '../../src/db/cached-query.ts';
import type { Db } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { addUser, temporaryDatabase } from '../support.ts';

type Wanted = { isActive?: boolean | undefined; limit: number };

function find(db: Db, wanted: Wanted, built = () => {}) {
  return executeCached(db, 'users for a test', wanted, ({ isActive, limit }) => {
    built();
    const query = db.selectFrom('users').select('username').orderBy('id').limit(limit);
    return isActive === undefined ? query : query.where('is_active', '=', isActive);
  });
}

test('a query is built once for each set of values that are given, and run with the values of each time', async () => {
  const db = await temporaryDatabase();
  for (const [index, username] of ['alice', 'bob', 'carla'].entries()) {
    await addUser(db, { username, is_active: index !== 1 });
  }
  let builds = 0;
  const usernames = async (wanted: Wanted) => {
    const users = await find(db, wanted, () => builds++);
    return users.map(({ username }) => username);
  };
  expect(await usernames({ limit: 2 })).toEqual(['alice', 'bob']);
  expect(await usernames({ limit: 9 })).toEqual(['alice', 'bob', 'carla']);
  expect(await usernames({ isActive: undefined, limit: 1 })).toEqual(['alice']);
  expect(builds).toBe(1);
  expect(await usernames({ isActive: true, limit: 9 })).toEqual(['alice', 'carla']);
  expect(await usernames({ isActive: false, limit: 9 })).toEqual(['bob']);
  expect(builds).toBe(2);
});

test('in a transaction it sees what the transaction has written', async () => {
  const db = await temporaryDatabase();
  await addUser(db, { username: 'alice' });
  await transact(db, async (trx) => {
    await trx.updateTable('users').set({ username: 'alicia' }).execute();
    expect(await find(trx, { limit: 1 })).toEqual([{ username: 'alicia' }]);
    expect(await find(db, { limit: 1 })).toEqual([{ username: 'alice' }]);
  });
});
