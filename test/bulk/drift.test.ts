/** Between asking and confirming others change the directory: it is asked again where that matters, and only there. */
import { expect, test } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import { doToAll } from '../../src/bulk/commands.ts';
import { seedUsers } from '../../src/cli/seed.ts';
import type { Db, User } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { forgetAbsentUsers } from '../../src/imports/absent-users.ts';
import { DAY } from '../../src/lib/clock.ts';
import { changeUser, deleteUser } from '../../src/users/commands.ts';
import { findUser } from '../../src/users/queries.ts';
import type { UserChanges } from '../../src/users/validation.ts';
import { bring } from '../imports/by-pages.ts';
import { pageOf } from '../page.ts';
import { addPerson, movableClock, signedIn, signIn } from '../people.ts';
import { addUser, startApp } from '../support.ts';
import { ask, confirm, type Whom } from './asking.ts';

const ALL: Whom = `from=${encodeURIComponent('q=m&status=active')}&all=on`;

async function start() {
  const app = await startApp();
  const headers = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
  const [max, mia, zoe] = [
    await addUser(app.db, { username: 'max', full_name: 'Max' }),
    await addUser(app.db, { username: 'mia' }),
    await addUser(app.db, { username: 'zoe', email: 'zoe@elsewhere.org' }),
  ];
  return { app, db: app.db, headers, max, mia, zoe };
}

const change = (db: Db, { id }: User, changes: UserChanges) =>
  transact(db, (trx) => changeUser(trx, commandLine, id, changes, Date.now()));
const remove = (db: Db, { id }: User) => transact(db, (trx) => deleteUser(trx, commandLine, id, Date.now()));

test('who came, who went and who was changed since is said, and it is asked again', async () => {
  const { app, db, headers, max, mia, zoe } = await start();
  const moe = await addUser(db, { username: 'moe' });
  const asked = await ask(app, headers, 'deactivate', ALL);
  expect(pageOf(asked).text).toContain('Deactivate 3 users?');
  await addUser(db, { username: 'mud' });
  await change(db, zoe, { username: 'mzoe' });
  await change(db, max, { full_name: 'Moritz' });
  await change(db, mia, { is_active: false });
  await remove(db, moe);
  const again = await confirm(app, headers, 'deactivate', ALL, { asked });
  expect(again.statusCode).toBe(409);
  const page = pageOf(again);
  expect(page.title).toMatch(/^Error: /);
  expect(page.text).toContain('They were 3, and are 3 now.');
  expect(page.items).toEqual(expect.arrayContaining(['Came: mzoe, mud', 'Went: mia, moe', 'Changed: max']));
  expect(await findUser(db, max.id)).toMatchObject({ is_active: true, version: 2 });
  expect((await confirm(app, headers, 'deactivate', ALL, { asked: again })).body).toBe(
    '3 users deactivated!\n',
  );
});

test('of all who match no numbers travel, however few they are', async () => {
  const { app, db, headers } = await start();
  const sealed = async () => pageOf(await ask(app, headers, 'deactivate', ALL)).field('seen').length;
  const ofTwo = await sealed();
  for (let number = 0; number < 30; number++) await addUser(db, { username: `m${number}` });
  // A number of more digits, and what comes of it.
  expect((await sealed()) - ofTwo).toBeLessThan(30);
});

test('a change of somebody who is not concerned, and a sign-in, do not ask again', async () => {
  const { app, db, headers, zoe } = await start();
  await addPerson(db, 'mad', 'viewer');
  const asked = await ask(app, headers, 'deactivate', ALL);
  await change(db, zoe, { full_name: 'Zoë' });
  await addUser(db, { username: 'zack', email: 'zack@elsewhere.org' });
  expect(await signIn(app, 'mad')).toBeDefined();
  const answer = await confirm(app, headers, 'deactivate', ALL, { asked });
  expect(answer.body).toBe('3 users deactivated!\n');
});

test('who comes at midnight, since they signed in long ago by then, is asked about', async () => {
  const clock = movableClock(Date.UTC(2100, 0, 1));
  const app = await startApp({}, undefined, clock);
  const ann = await addPerson(app.db, 'ann', 'admin');
  for (const name of ['vic', 'val']) {
    await addPerson(app.db, name, 'viewer');
    expect(await signIn(app, name)).toBeDefined();
    clock.move(DAY);
  }
  clock.move(90 * DAY - 60_000);
  const headers = await signedIn(app, ann);
  const whom = `from=${encodeURIComponent('signed_in=over-90-days-ago')}&all=on`;
  const asked = await ask(app, headers, 'deactivate', whom);
  expect(pageOf(asked).text).toContain('Deactivate 1 user?');
  clock.move(60_000);
  const again = await confirm(app, headers, 'deactivate', whom, { asked });
  expect(again.statusCode).toBe(409);
  expect(pageOf(again).text).toContain('Deactivate 2 users?');
});

test('of who is not in a file it is told by their numbers who came, went and was changed', async () => {
  const { app, db, headers, max, mia, zoe } = await start();
  const [kai, lea] = [await addUser(db, { username: 'kai' }), await addUser(db, { username: 'lea' })];
  const address = await bring(app, headers, 'username\nann\nzoe\n');
  const absent = `absent_from=${address.split('/')[2]}&status=active`;
  const whom = `from=${encodeURIComponent(absent)}&all=on`;
  await change(db, kai, { is_active: false });
  const asked = await ask(app, headers, 'deactivate', whom);
  expect(pageOf(asked).text).toContain('Deactivate 3 users?');
  await change(db, max, { full_name: 'Moritz' });
  await change(db, mia, { is_active: false });
  await remove(db, lea);
  await change(db, kai, { is_active: true });
  await change(db, zoe, { full_name: 'Zoë' });
  await addUser(db, { username: 'new' });
  const again = await confirm(app, headers, 'deactivate', whom, { asked });
  expect(again.statusCode).toBe(409);
  expect(pageOf(again).items.filter((item) => /^(Came|Went|Changed)/.test(item))).toEqual([
    'Came: kai',
    'Went: mia, lea',
    'Changed: max',
  ]);
  expect((await confirm(app, headers, 'deactivate', whom, { asked: again })).body).toBe(
    '2 users deactivated!\n',
  );
});

test('once it is forgotten who is not in a file, nothing is done to those who were shown', async () => {
  const { app, db, headers, max } = await start();
  const address = await bring(app, headers, 'username\nann\n');
  const id = Number(address.split('/')[2]);
  const whom = `from=absent_from%3D${id}&all=on`;
  const asked = await ask(app, headers, 'delete', whom);
  expect(pageOf(asked).text).toContain('Delete 3 users?');
  await forgetAbsentUsers(id, (work) => transact(db, work));
  expect((await confirm(app, headers, 'delete', whom, { asked })).statusCode).toBe(409);
  expect(await findUser(db, max.id)).toBeDefined();
});

test('where very much was changed since there are numbers alone, and where that concerns nobody of them nothing is asked', async () => {
  const { app, db, headers, max } = await start();
  const asked = await ask(app, headers, 'deactivate', ALL);
  await seedUsers(db, 150);
  const others = await db
    .selectFrom('users')
    .selectAll()
    .where('id', '>', max.id + 10)
    .limit(101)
    .execute();
  for (const user of others.filter(({ search_text }) => !search_text.includes('m')))
    await change(db, user, { is_active: false });
  const again = await confirm(app, headers, 'deactivate', ALL, { asked });
  expect(pageOf(again).text).toMatch(/They were 2, and are \d+ now\./);
  expect(await findUser(db, max.id)).toMatchObject({ is_active: true });
});

test('others who came in the place of some are seen, also where their numbers and versions add up to the same', async () => {
  const { app, db, headers, mia, zoe } = await start();
  const [zac, moe] = [await addUser(db, { username: 'zac' }), await addUser(db, { username: 'moe' })];
  expect(mia.id + moe.id).toBe(zoe.id + zac.id);
  for (const user of [mia, moe]) await change(db, user, { full_name: 'Before' });
  const all = `from=${encodeURIComponent('status=inactive')}&all=on`;
  for (const user of [mia, moe]) await change(db, user, { is_active: false });
  const asked = await ask(app, headers, 'activate', all);
  expect(pageOf(asked).text).toContain('Activate 2 users?');
  for (const user of [mia, moe]) await change(db, user, { is_active: true });
  for (const user of [zoe, zac])
    for (const full_name of ['A', 'B']) await change(db, user, { full_name, is_active: false });
  const versions = await db.selectFrom('users').select('version').where('is_active', '=', false).execute();
  expect(versions).toEqual([{ version: 3 }, { version: 3 }]);
  const again = await confirm(app, headers, 'activate', all, { asked });
  expect(again.statusCode).toBe(409);
  expect(pageOf(again).items).toEqual(expect.arrayContaining(['Came: zoe, zac', 'Went: mia, moe']));
});

test('where very much was changed of as many as before, that is said', async () => {
  const { app, db, headers, max } = await start();
  const asked = await ask(app, headers, 'deactivate', ALL);
  for (let time = 0; time < 101; time += 1) await change(db, max, { full_name: `Max ${time}` });
  const { text } = pageOf(await confirm(app, headers, 'deactivate', ALL, { asked }));
  expect(text).toContain('Some of them were changed.');
  expect(text).not.toContain('They were');
});

test('a role that was not chosen does not make what was shown anew', async () => {
  const { app, db, headers, max } = await start();
  const asked = await ask(app, headers, 'role', ALL);
  await change(db, max, { full_name: 'Moritz' });
  const unchosen = await confirm(app, headers, 'role', ALL, { asked });
  expect(unchosen.statusCode).toBe(422);
  const again = await confirm(app, headers, 'role', ALL, { asked: unchosen, role: 'viewer' });
  expect(again.statusCode).toBe(409);
  expect(pageOf(again).items).toContain('Changed: max');
});

test('of those ticked it is said who was changed and who is gone; who was not ticked does not matter', async () => {
  const { app, db, headers, max, mia, zoe } = await start();
  const whom = [max, mia];
  const asked = await ask(app, headers, 'delete', whom);
  await change(db, zoe, { is_active: false });
  await change(db, max, { full_name: 'Moritz' });
  await remove(db, mia);
  const again = await confirm(app, headers, 'delete', whom, { asked });
  expect(again.statusCode).toBe(409);
  expect(pageOf(again).items).toEqual(expect.arrayContaining(['Went: mia', 'Changed: max']));
  expect(pageOf(again).text).toContain('1 user: not there any more');
  expect((await confirm(app, headers, 'delete', whom, { asked: again })).body).toBe('1 user deleted!\n');
});

test('who is changed while it is done is left, and named with why', async () => {
  const { db, max, mia, zoe } = await start();
  await change(db, max, { role: 'viewer' });
  await change(db, mia, { full_name: 'Mia' });
  await remove(db, zoe);
  const { done, left } = await transact(db, (trx) =>
    doToAll(trx, commandLine, { do: 'role', role: 'editor' }, [max, mia, zoe], Date.now()),
  );
  expect(done).toBe(1);
  expect(left).toEqual([
    { whom: { id: max.id, name: 'max' }, why: 'changed since' },
    { whom: { id: zoe.id, name: 'zoe' }, why: 'gone' },
  ]);
  expect(await findUser(db, max.id)).toMatchObject({ role: 'viewer' });
  expect(await findUser(db, mia.id)).toMatchObject({ role: 'editor', full_name: 'Mia' });
});

test('the last administrator stays, whoever does it', async () => {
  const { db } = await start();
  const users = await db.selectFrom('users').selectAll().orderBy('id').execute();
  for (const act of [{ do: 'delete' }, { do: 'deactivate' }, { do: 'role', role: 'viewer' }] as const) {
    const { left } = await transact(db, (trx) =>
      doToAll(trx, commandLine, act, users.slice(0, 1), Date.now()),
    );
    expect(left, act.do).toMatchObject([{ whom: { name: 'ann' }, why: 'last administrator' }]);
  }
});
