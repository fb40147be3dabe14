/** Two Rosters on one database, asked at the same time. */
import type { FastifyInstance } from 'fastify';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { commandLine } from '../src/auth/actor.ts';
import { hasAdministrator } from '../src/auth/administrators.ts';
import type { Db } from '../src/db/schema.ts';
import { transact } from '../src/db/transact.ts';
import { changeUser } from '../src/users/commands.ts';
import { countByStatus } from '../src/users/counts.ts';
import { findUser } from '../src/users/queries.ts';
import { pageOf } from './page.ts';
import { addPerson, signedIn, signIn } from './people.ts';
import { addUser, get, interrupted, post, readyUrl, startApp, temporaryDatabase } from './support.ts';

const CONNECTIONS = 5;

/** All connections are there already: to open them takes longer on a busy machine than a page waits. */
async function connected(url: string): Promise<Db> {
  const db = await temporaryDatabase(url, CONNECTIONS);
  const asking = () => Promise.all(Array.from({ length: CONNECTIONS }, () => sql`select 1`.execute(db)));
  const isAnswered = () =>
    asking().then(
      () => true,
      () => false,
    );
  await expect.poll(isAnswered).toBe(true);
  return db;
}

async function startTwo(): Promise<[FastifyInstance, FastifyInstance]> {
  const url = await readyUrl();
  return [await startApp({}, await connected(url)), await startApp({}, await connected(url))];
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
  const act = (index: number) => {
    const app = apps[index % 2] as FastifyInstance;
    const id = ids[(index * 7) % ids.length];
    if (index % 5 === 0)
      return post(app, '/users', { username: `new${index}`, email: `new${index}@example.org` });
    if (index % 11 === 0) return post(app, `/users/${id}/delete`);
    return post(app, `/users/${id}`, { is_active: String(index % 3 === 0 ? 1 : 0) });
  };
  const statuses: number[] = [];
  // More at once would, on a busy machine, wait longer for a connection than anybody does.
  for (let from = 0; from < 120; from += 12) {
    const acts = Array.from({ length: 12 }, (_, index) => act(from + index));
    statuses.push(...(await Promise.all(acts)).map(({ statusCode }) => statusCode));
  }
  // Whoever is deleted by now is not deleted again, and comes back as a form to whoever changes them.
  for (const [index, status] of statuses.entries()) {
    const refusals = index % 5 === 0 ? [] : index % 11 === 0 ? [404] : [409];
    expect([303, ...refusals], `request ${index}`).toContain(status);
  }
  const counts = await countByStatus(apps[0].db);
  expect(counts).toEqual(await countRows(apps[0].db));
  const total = (counts.active + counts.inactive).toLocaleString('en');
  for (const app of apps) expect(pageOf(await get(app, '/users')).text).toContain(`of ${total}`);
});

test('of two last administrators one stays, whatever both Rosters are asked at once', async () => {
  const acts: [string, Record<string, string>][] = [
    ['', { role: 'editor' }],
    ['', { is_active: '0' }],
    ['/delete', {}],
  ];
  for (const [path, fields] of acts) {
    const apps = await startTwo();
    const people = [await addPerson(apps[0].db, 'ann', 'admin'), await addPerson(apps[0].db, 'bob', 'admin')];
    // Each puts the other out, and then both themselves.
    const sessions = await Promise.all(people.map((user) => signedIn(apps[0], user)));
    const asked = [0, 1, 0, 1].map((who, index) => {
      const target = people[index < 2 ? 1 - who : who];
      return post(apps[who as 0 | 1], `/users/${target?.id}${path}`, fields, sessions[who]);
    });
    await Promise.all(asked);
    const left = apps[1].db.selectFrom('users').select('id').where('role', '=', 'admin');
    expect(await left.where('is_active', '=', true).execute()).toHaveLength(1);
    expect(await hasAdministrator(apps[1].db)).toBe(true);
  }
});

test('an editor does not change someone who is given a role at that moment', async () => {
  const db = await temporaryDatabase();
  await addPerson(db, 'ann', 'admin');
  const max = await addPerson(db, 'max', 'member');
  const promote = () =>
    transact(db, (trx) => changeUser(trx, commandLine, max.id, { role: 'admin' }, Date.now()));
  // At the moment when one of them has been read.
  const acts: [string, Record<string, string>, string][] = [
    ['', { role: 'member' }, 'max'],
    ['', { full_name: 'Max' }, 'max'],
    ['/delete', {}, 'ed2'],
  ];
  for (const [index, [path, fields, read]] of acts.entries()) {
    await transact(db, (trx) => changeUser(trx, commandLine, max.id, { role: 'member' }, Date.now()));
    const app = await startApp(
      {},
      interrupted(db, ({ username }) => username === read, promote),
    );
    const headers = await signedIn(app, await addPerson(db, `ed${index}`, 'editor'));
    expect((await post(app, `/users/${max.id}${path}`, fields, headers)).statusCode).toBe(403);
    expect(await findUser(db, max.id)).toMatchObject({ role: 'admin', full_name: null });
  }
});

test('no session begins for someone who is deactivated while signing in', async () => {
  const db = await temporaryDatabase();
  const ann = await addPerson(db, 'ann', 'viewer');
  const deactivate = () =>
    transact(db, (trx) => changeUser(trx, commandLine, ann.id, { is_active: false }, Date.now()));
  const app = await startApp(
    {},
    interrupted(db, ({ password_hash }) => password_hash !== undefined, deactivate),
  );
  expect(await signIn(app, 'ann')).toBeUndefined();
  expect(await db.selectFrom('sessions').select('id').execute()).toEqual([]);
});

test('the last administrator is told so, on the page and by the answer', async () => {
  const [app] = await startTwo();
  const ann = await addPerson(app.db, 'ann', 'admin');
  // Neither of these lets anyone in.
  await addPerson(app.db, 'gone', 'admin', { is_active: false });
  await addUser(app.db, { username: 'new', role: 'admin' });
  const headers = await signedIn(app, ann);
  const { text } = pageOf(await get(app, `/users/${ann.id}`, headers));
  expect(text).toContain('The last administrator cannot be deactivated or deleted.');
  expect(text).not.toMatch(/Deactivate|Delete…/);
  for (const fields of [{ role: 'editor' }, { is_active: '0' }, { full_name: 'A', role: 'member' }]) {
    const answer = await post(app, `/users/${ann.id}`, fields, headers);
    expect(answer.statusCode).toBe(422);
    expect(pageOf(answer).errorOf('role' in fields ? 'role' : 'is_active')).toBe(
      'Error: ann is the last administrator. Make someone else one first.',
    );
  }
  const deleted = await post(app, `/users/${ann.id}/delete`, {}, headers);
  expect(deleted.statusCode).toBe(409);
  expect(pageOf(deleted).text).toContain('ann is the last administrator. Nothing was changed');
  expect((await post(app, `/users/${ann.id}`, { full_name: 'Ann' }, headers)).statusCode).toBe(303);
  expect((await get(app, '/users', headers)).statusCode).toBe(200);
});
