import { expect, test } from 'vitest';
import { addPerson, signedIn } from '../people.ts';
import { get, post, startApp, textOf } from '../support.ts';

test('an administrator asks a second factor of a role, which then has to be set up, and takes it back', async () => {
  const app = await startApp();
  const ann = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
  const ed = await signedIn(app, await addPerson(app.db, 'ed', 'editor'));
  const vera = await signedIn(app, await addPerson(app.db, 'vera', 'viewer'));
  expect(textOf((await get(app, '/roles', ann)).body)).toContain('Ask for a second factor');
  expect((await post(app, '/roles', { editor: '1' }, ann)).headers.location).toBe('/roles');
  expect((await get(app, '/roles', ann)).body).toMatch(/name="editor" value="1" checked/);
  expect((await get(app, '/users', ed)).headers.location).toBe('/account/code');
  expect((await get(app, '/users', vera)).statusCode).toBe(200);
  expect((await post(app, '/roles', {}, ann)).statusCode).toBe(303);
  expect((await get(app, '/users', ed)).statusCode).toBe(200);
});

test('nothing is asked of members, who do not sign in', async () => {
  const app = await startApp();
  const ann = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
  expect((await post(app, '/roles', { member: '1' }, ann)).statusCode).toBe(400);
  expect((await get(app, '/roles', ann)).body).not.toContain('name="member"');
});
