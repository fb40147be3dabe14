/** Two Rosters on one database, asked at the same time. */
import type { FastifyInstance } from 'fastify';
import { expect, test } from 'vitest';
import type { Db } from '../src/db/schema.ts';
import { countByStatus } from '../src/users/queries.ts';
import { addUser, get, post, startApp, temporaryDatabase, temporaryUrl, textOf } from './support.ts';

async function startTwo(): Promise<[FastifyInstance, FastifyInstance]> {
  const url = await temporaryUrl();
  return [await startApp({}, await temporaryDatabase(url)), await startApp({}, await temporaryDatabase(url))];
}

async function countRows(db: Db) {
  const users = await db.selectFrom('users').select('is_active').execute();
  const active = users.filter(({ is_active }) => is_active).length;
  return { active, inactive: users.length - active };
}

/** The same request of both, several times over, all at once; the statuses in order. */
async function raceBoth(
  apps: readonly FastifyInstance[],
  address: string,
  fields: (index: number) => object,
) {
  const racers = Array.from({ length: 8 }, (_, index) =>
    post(apps[index % 2] as FastifyInstance, address, { ...fields(index) }),
  );
  return (await Promise.all(racers)).map(({ statusCode }) => statusCode).sort();
}

test('of those who want the same username or email one gets it, and the others see who has it', async () => {
  const apps = await startTwo();
  const sameName = await raceBoth(apps, '/users', (index) => ({
    username: 'alice',
    email: `${index}@example.org`,
  }));
  expect(sameName).toEqual([303, 422, 422, 422, 422, 422, 422, 422]);
  const sameEmail = await raceBoth(apps, '/users', (index) => ({
    username: `bob${index}`,
    email: 'b@example.org',
  }));
  expect(sameEmail).toEqual([303, 422, 422, 422, 422, 422, 422, 422]);
  expect(await countByStatus(apps[0].db)).toEqual({ active: 2, inactive: 0 });
  expect(await countRows(apps[0].db)).toEqual({ active: 2, inactive: 0 });
});

test('of those who change one version of a user one does, and the others see what it has become', async () => {
  const apps = await startTwo();
  const { id } = await addUser(apps[0].db, { username: 'alice' });
  const statuses = await raceBoth(apps, `/users/${id}`, (index) => ({
    username: 'alice',
    email: 'alice@example.org',
    full_name: `Alice ${index}`,
    is_active: '0',
    version: '1',
  }));
  expect(statuses).toEqual([303, 409, 409, 409, 409, 409, 409, 409]);
  expect(await countByStatus(apps[0].db)).toEqual({ active: 0, inactive: 1 });
});

test('a user is deleted once', async () => {
  const apps = await startTwo();
  const { id } = await addUser(apps[0].db, { username: 'alice' });
  expect(await raceBoth(apps, `/users/${id}/delete`, () => ({}))).toEqual([
    303, 404, 404, 404, 404, 404, 404, 404,
  ]);
  expect(await countByStatus(apps[1].db)).toEqual({ active: 0, inactive: 0 });
});

test('whatever both do at once, the totals are what counting gives, and each shows what the other has done', async () => {
  const apps = await startTwo();
  for (let number = 0; number < 10; number++) await addUser(apps[0].db, { username: `user${number}` });
  const ids = (await apps[0].db.selectFrom('users').select('id').execute()).map(({ id }) => id);
  const acts = Array.from({ length: 120 }, (_, index) => {
    const app = apps[index % 2] as FastifyInstance;
    const id = ids[(index * 7) % ids.length];
    if (index % 5 === 0)
      return post(app, '/users', { username: `new${index}`, email: `new${index}@example.org` });
    if (index % 11 === 0) return post(app, `/users/${id}/delete`);
    return post(app, `/users/${id}`, { is_active: String(index % 3 === 0 ? 1 : 0) });
  });
  const statuses = (await Promise.all(acts)).map(({ statusCode }) => statusCode);
  expect([...new Set(statuses)].sort()).toEqual([303, 404]);
  const counts = await countByStatus(apps[0].db);
  expect(counts).toEqual(await countRows(apps[0].db));
  const total = (counts.active + counts.inactive).toLocaleString('en');
  for (const app of apps) expect(textOf((await get(app, '/users')).body)).toContain(`of ${total}`);
});
