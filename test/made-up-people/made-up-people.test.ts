/** Trying Roster with made-up people, who are taken out again as long as nobody has changed them. */
import type { FastifyInstance } from 'fastify';
import { describe, expect, test } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import { copyEverything } from '../../src/backup/database-copy.ts';
import { seedUsers } from '../../src/cli/seed.ts';
import { openToRead } from '../../src/db/database.ts';
import { transact } from '../../src/db/transact.ts';
import { NotFoundError } from '../../src/errors.ts';
import { findTimesOf } from '../../src/history/versions.ts';
import { MINUTE } from '../../src/lib/clock.ts';
import { person } from '../../src/made-up-people/people.ts';
import { findMadeUp } from '../../src/made-up-people/queries.ts';
import { changeUser, deleteUser } from '../../src/users/commands.ts';
import { countByStatus } from '../../src/users/counts.ts';
import { findUserByUsername } from '../../src/users/queries.ts';
import { pageOf } from '../page.ts';
import { addPerson, signedIn } from '../people.ts';
import { addUser, get, post, readyUrl, SECRET_KEY, startApp, temporaryDatabase } from '../support.ts';

const add = (app: FastifyInstance, headers = {}) => post(app, '/made-up-people', {}, headers);
const takeOut = (app: FastifyInstance, headers = {}) => post(app, '/made-up-people/delete', {}, headers);

async function startWithMadeUp() {
  const app = await startApp();
  expect((await add(app)).body).toBe('100 made-up people added.\n');
  return app;
}

async function namesOf({ db }: FastifyInstance): Promise<string[]> {
  const users = await db.selectFrom('users').select('username').orderBy('username').execute();
  return users.map(({ username }) => username);
}

async function idOf({ db }: FastifyInstance, number: number): Promise<number> {
  return (await findUserByUsername(db, person(number).username))?.id ?? 0;
}

const change = ({ db }: FastifyInstance, id: number, full_name: string | null) =>
  transact(db, (trx) => changeUser(trx, commandLine, id, { full_name }, Date.now()));

describe('a hundred made-up people', () => {
  test('come into an empty directory by one button, and go by another', async () => {
    const app = await startApp();
    expect(pageOf(await get(app, '/users')).form('Add made-up people').action).toBe('/made-up-people');
    const added = await add(app);
    expect([added.statusCode, added.headers.location]).toEqual([303, '/users']);
    const list = pageOf(await get(app, '/users'));
    expect([list.heading, list.users.length]).toEqual(['Users 100', 10]);
    // Those who are named beside the button.
    for (const name of ['António Bauer', 'Amara Doğan'])
      expect(pageOf(await get(app, `/users?q=${encodeURIComponent(name)}`)).users).toHaveLength(1);
    expect(list.form('Take them out again').action).toBe('/made-up-people/delete');
    expect((await takeOut(app)).body).toBe('100 made-up people taken out.\n');
    expect(await countByStatus(app.db)).toEqual({ active: 0, inactive: 0 });
    expect(pageOf(await get(app, '/users')).heading).toBe('Welcome to Roster');
  });

  test('have no version that is earlier than the one before, also where the clock is set back', async () => {
    const app = await startApp();
    await add(app);
    const id = await idOf(app, 1);
    const { at } = await app.db
      .selectFrom('change_sets')
      .select('at')
      .orderBy('id', 'desc')
      .executeTakeFirstOrThrow();
    await transact(app.db, (trx) => changeUser(trx, commandLine, id, { full_name: 'Ada' }, at - MINUTE));
    expect(await findTimesOf(app.db, id, [1, 2])).toEqual([at, at]);
  });

  test('come beside administrators, whose names none of them takes', async () => {
    const app = await startApp();
    const ann = await addPerson(app.db, 'ADA.abbott', 'admin', { email: person(1).email });
    const headers = await signedIn(app, ann);
    expect((await add(app, headers)).body).toBe('98 made-up people added.\n');
    expect((await takeOut(app, headers)).body).toBe('98 made-up people taken out.\n');
    expect(await namesOf(app)).toEqual(['ADA.abbott']);
  });

  test('do not come to anyone else', async () => {
    const app = await startApp();
    await addUser(app.db, { username: 'zoe' });
    expect((await add(app)).body).toBe('No made-up people were added: there are other users already.\n');
    expect(pageOf(await get(app, '/users')).buttons).not.toContain('Add made-up people');
    expect(await namesOf(app)).toEqual(['zoe']);
  });

  test('come once, however often and at how many Rosters that is pressed', async () => {
    const url = await readyUrl();
    const apps = [
      await startApp({}, await temporaryDatabase(url)),
      await startApp({}, await temporaryDatabase(url)),
    ] as const;
    const answers = await Promise.all([...apps, ...apps].map((app) => add(app)));
    expect(answers.map(({ body }) => body).sort()).toEqual([
      '100 made-up people added.\n',
      ...Array.from({ length: 3 }, () => 'There are 100 made-up people already.\n'),
    ]);
    expect(await namesOf(apps[0])).toHaveLength(100);
    const gone = await Promise.all(apps.map((app) => takeOut(app)));
    expect(gone.map(({ body }) => body).sort()).toEqual([
      '100 made-up people taken out.\n',
      'There was nobody to take out.\n',
    ]);
  });
});

describe('who stays when they are taken out', () => {
  test('has been changed, even back again; the page says how many', async () => {
    const app = await startWithMadeUp();
    await change(app, await idOf(app, 5), 'Somebody');
    expect(pageOf(await get(app, '/users')).text).toContain('99 made-up people');
    expect((await takeOut(app)).body).toBe('99 made-up people taken out; 1 that was changed stays.\n');
    expect(await namesOf(app)).toEqual([person(5).username]);

    const other = await startWithMadeUp();
    for (const number of [7, 8]) {
      await change(other, await idOf(other, number), 'Somebody');
      await change(other, await idOf(other, number), person(number).full_name ?? null);
    }
    expect((await takeOut(other)).body).toBe('98 made-up people taken out; 2 that were changed stay.\n');
    expect((await takeOut(other)).body).toBe('There was nobody to take out; 2 that were changed stay.\n');
    const list = pageOf(await get(other, '/users'));
    expect(list.users).toHaveLength(2);
    expect(list.buttons).not.toContain('Take them out again');
  });

  test('has been added by hand, also with all that a made-up one had', async () => {
    const app = await startWithMadeUp();
    const { created_at, updated_at: _, ...same } = person(3);
    const id = await idOf(app, 3);
    await transact(app.db, (trx) => deleteUser(trx, commandLine, id, 2));
    await addUser(app.db, same, created_at);
    expect((await takeOut(app)).body).toBe('99 made-up people taken out.\n');
    expect(await namesOf(app)).toEqual([same.username]);
  });

  test('has been added by the command that adds many', async () => {
    const app = await startApp();
    await seedUsers(app.db, 3);
    expect(pageOf(await get(app, '/users')).buttons).not.toContain('Take them out again');
    expect((await takeOut(app)).body).toBe('There was nobody to take out.\n');
    expect(await namesOf(app)).toHaveLength(3);
  });

  test('is being changed at the same moment, or nothing becomes of that change', async () => {
    const app = await startWithMadeUp();
    const id = await idOf(app, 50);
    const [changed] = await Promise.all([change(app, id, 'Somebody').catch((error) => error), takeOut(app)]);
    const left = await app.db.selectFrom('users').select('full_name').execute();
    if (changed instanceof NotFoundError) expect(left).toEqual([]);
    else expect(left).toEqual([{ full_name: 'Somebody' }]);
  });
});

describe('who was taken out and is brought back by Undo', () => {
  const undoLast = async (app: FastifyInstance) => {
    const { forms } = pageOf(await get(app, '/history'));
    return post(app, String(forms.find(({ action }) => action.endsWith('/undo'))?.action));
  };

  test('is made up as before, and taken out again in one act, however often', async () => {
    const app = await startWithMadeUp();
    for (const _ of ['once', 'again']) {
      expect((await takeOut(app)).body).toBe('100 made-up people taken out.\n');
      expect((await undoLast(app)).body).toBe('Undone for 100 users!\n');
      expect(pageOf(await get(app, '/users')).text).toContain('100 made-up people');
    }
  });

  test('is so also where it was the adding that was undone, and stays once somebody has changed them', async () => {
    const app = await startWithMadeUp();
    for (const _ of ['they go', 'they come back']) await undoLast(app);
    await change(app, await idOf(app, 5), 'Somebody');
    expect((await takeOut(app)).body).toBe('99 made-up people taken out; 1 that was changed stays.\n');
    await undoLast(app);
    expect((await takeOut(app)).body).toBe('99 made-up people taken out; 1 that was changed stays.\n');
  });

  test('is not made up any more if they had been changed before', async () => {
    const app = await startWithMadeUp();
    await change(app, await idOf(app, 5), 'Somebody');
    const { id } = await app.db
      .selectFrom('change_sets')
      .select('id')
      .where('users', '=', 100)
      .executeTakeFirstOrThrow();
    const asked = pageOf(await get(app, `/history/${id}/undo`));
    const choice = { [String(await idOf(app, 5))]: 'back' };
    await post(app, `/history/${id}/undo`, { seen: asked.field('seen'), ...choice });
    expect(await namesOf(app)).toEqual([]);
    await undoLast(app);
    expect((await takeOut(app)).body).toBe('99 made-up people taken out.\n');
    expect(await namesOf(app)).toEqual([person(5).username]);
  });
});

test('they can be taken out where they have been copied to', async () => {
  const url = await readyUrl('sqlite');
  const source = await startApp({}, await temporaryDatabase(url));
  await add(source);
  const ids = await findMadeUp(source.db);
  const target = await startApp();
  const reading = await openToRead(url);
  await copyEverything(reading, target.db, { from: SECRET_KEY, to: SECRET_KEY });
  await reading.destroy();
  expect(await findMadeUp(target.db)).toEqual(ids);
  expect((await takeOut(target)).body).toBe('100 made-up people taken out.\n');
});
