import { expect, test } from 'vitest';
import { findRolesWithCode } from '../../src/roles/queries.ts';
import { pageOf } from '../page.ts';
import { addPerson, signedIn } from '../people.ts';
import { get, post, startApp } from '../support.ts';

test('an administrator asks a second factor of a role, which then has to be set up, and takes it back', async () => {
  const app = await startApp();
  const ann = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
  const ed = await signedIn(app, await addPerson(app.db, 'ed', 'editor'));
  const vera = await signedIn(app, await addPerson(app.db, 'vera', 'viewer'));
  expect(pageOf(await get(app, '/roles', ann)).text).toContain('Ask for a second factor');
  expect((await post(app, '/roles', { editor: '1' }, ann)).headers.location).toBe('/roles');
  expect(pageOf(await get(app, '/roles', ann)).field('editor')).toBe('ticked');
  expect((await get(app, '/users', ed)).headers.location).toBe('/account/code?next=%2Fusers');
  expect((await get(app, '/users', vera)).statusCode).toBe(200);
  expect((await post(app, '/roles', {}, ann)).statusCode).toBe(303);
  expect((await get(app, '/users', ed)).statusCode).toBe(200);
});

test('what two administrators change at once is both changed', async () => {
  const app = await startApp();
  const ann = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
  const before = pageOf(await get(app, '/roles', ann)).field('before');
  await post(app, '/roles', { before, editor: '1' }, ann);
  await post(app, '/roles', { before, viewer: '1' }, ann);
  expect(await findRolesWithCode(app.db)).toEqual(['editor', 'viewer']);
  await post(app, '/roles', { before: 'editor viewer', viewer: '1' }, ann);
  expect(await findRolesWithCode(app.db)).toEqual(['viewer']);
});

test('nothing is asked of members, who do not sign in', async () => {
  const app = await startApp();
  const ann = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
  expect((await post(app, '/roles', { member: '1' }, ann)).body).toBe('Saved.\n');
  expect(await findRolesWithCode(app.db)).toEqual([]);
  const { fields } = pageOf(await get(app, '/roles', ann));
  expect(fields).toContain('viewer');
  expect(fields).not.toContain('member');
});
