/** When someone has last signed in: noted with the sign-in itself, and no change of the user. */
import { expect, test } from 'vitest';
import { findCredentials } from '../../src/auth/credentials.ts';
import { findUser } from '../../src/users/queries.ts';
import { pageOf } from '../page.ts';
import { addPerson, codeAt, HOUR, movableClock, PASSWORD, signIn } from '../people.ts';
import { post, startApp } from '../support.ts';

async function start({ hasCode = false } = {}) {
  const clock = movableClock();
  const app = await startApp({}, undefined, clock);
  await addPerson(app.db, 'ann', 'admin');
  const ed = await addPerson(app.db, 'ed', 'editor', { hasCode });
  const lastSignIn = async () => (await findCredentials(app.db, ed.id))?.last_sign_in_at;
  return { app, clock, ed, lastSignIn };
}

test('each sign-in is noted, and leaves the user as they were', async () => {
  const { app, clock, ed, lastSignIn } = await start();
  expect(await lastSignIn()).toBeNull();
  for (let times = 0; times < 2; times++) {
    clock.move(HOUR);
    expect(await signIn(app, 'ed')).toBeDefined();
    expect(await lastSignIn()).toBe(clock());
  }
  expect(await findUser(app.db, ed.id)).toEqual(ed);
});

test('whoever is not let in has not signed in', async () => {
  const { app, lastSignIn } = await start();
  expect(await signIn(app, 'ed', 'wrong')).toBeUndefined();
  expect(await lastSignIn()).toBeNull();
});

test('a password that is right is no sign-in yet where a code is asked for', async () => {
  const { app, clock, lastSignIn } = await start({ hasCode: true });
  const asked = await post(app, '/sign-in', { username: 'ed', password: PASSWORD });
  const ticket = pageOf(asked).field('ticket');
  expect(await lastSignIn()).toBeNull();
  const code = codeAt(clock());
  expect((await post(app, '/sign-in', { ticket, code })).statusCode).toBe(303);
  expect(await lastSignIn()).toBe(clock());
  const then = clock();
  clock.move(HOUR);
  // A ticket begins one session.
  expect((await post(app, '/sign-in', { ticket, code: codeAt(clock()) })).statusCode).toBe(422);
  expect(await lastSignIn()).toBe(then);
});
