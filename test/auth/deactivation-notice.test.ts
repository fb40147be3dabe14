/** What someone sees who was signed in when their account was deactivated. */
import { expect, test } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import { deleteSessionsOf } from '../../src/auth/sessions.ts';
import { newToken } from '../../src/auth/tokens.ts';
import { transact } from '../../src/db/transact.ts';
import { insertInvitation } from '../../src/invitations/queries.ts';
import { changeUser, deleteUser } from '../../src/users/commands.ts';
import type { UserChanges } from '../../src/users/validation.ts';
import { pageOf } from '../page.ts';
import { addPerson, PASSWORD } from '../people.ts';
import { cookieName, cookiesOf, get, post, startApp } from '../support.ts';

const SENTENCE = 'Your account has been deactivated';

async function start() {
  const app = await startApp();
  await addPerson(app.db, 'ann', 'admin');
  const ed = await addPerson(app.db, 'ed', 'editor');
  const answer = await post(app, '/sign-in', { username: 'ed', password: PASSWORD });
  const headers = { cookie: cookiesOf(answer), 'sec-fetch-site': 'same-origin' };
  const change = (changes: UserChanges) =>
    transact(app.db, (trx) => changeUser(trx, commandLine, ed.id, changes, Date.now()));
  const signInPage = async () => {
    const led = await get(app, '/users', headers);
    expect(led.statusCode).toBe(303);
    return pageOf(await get(app, String(led.headers.location), headers)).text;
  };
  return { app, ed, headers, change, signInPage };
}

test('they are told so, with the form below, until the account is active again', async () => {
  const { change, signInPage } = await start();
  await change({ is_active: false });
  expect(await signInPage()).toMatch(
    /Your account has been deactivated\. An administrator can activate it again\. Username or email/,
  );
  await change({ is_active: true });
  expect(await signInPage()).not.toContain(SENTENCE);
});

test('they are told so after they have tried to sign in, too', async () => {
  const { app, headers, change } = await start();
  await change({ is_active: false });
  const tried = await post(app, '/sign-in', { username: 'ed', password: PASSWORD }, headers);
  expect(pageOf(tried).text).toContain('Username or password is wrong.');
  expect(pageOf(tried).text).toContain(SENTENCE);
});

test('whoever opened a link for someone else in their browser is not told of that one', async () => {
  const { app, ed, headers } = await start();
  const bob = await addPerson(app.db, 'bob', 'viewer');
  const token = newToken();
  await transact(app.db, (trx) => insertInvitation(trx, bob.id, token, app.clock()));
  const password = {
    new_password: 'eleven green bottles hang',
    new_password_again: 'eleven green bottles hang',
  };
  const accepted = await post(app, `/invitations/${token}`, password, headers);
  expect(accepted.statusCode).toBe(303);
  await transact(app.db, (trx) => deleteSessionsOf(trx, ed.id));
  await transact(app.db, (trx) => changeUser(trx, commandLine, bob.id, { is_active: false }, Date.now()));
  const session = headers.cookie.split('; ').find((cookie) => cookie.startsWith(cookieName('session')));
  const cookie = [session, cookiesOf(accepted)].join('; ');
  expect(pageOf(await get(app, '/sign-in', { cookie })).text).not.toContain(SENTENCE);
});

test('they are told that what they sent has changed nothing', async () => {
  const { app, headers, change } = await start();
  await change({ is_active: false });
  const answer = await post(app, '/users', { username: 'zoe', email: 'zoe@example.org' }, headers);
  expect(answer.statusCode).toBe(401);
  expect(pageOf(answer).text).toContain(`${SENTENCE}, so nothing was changed.`);
});

test.each<[string, UserChanges | undefined]>([
  ['given another role', { role: 'viewer' }],
  ['made a member', { role: 'member' }],
  ['deleted', undefined],
])('nobody is told so who was %s', async (_what, changes) => {
  const { app, ed, change, signInPage } = await start();
  if (changes) await change(changes);
  else await transact(app.db, (trx) => deleteUser(trx, commandLine, ed.id, 2));
  expect(await signInPage()).not.toContain(SENTENCE);
});

test('nor whoever had signed out before, or somebody else who signed in there since', async () => {
  const { app, headers, change } = await start();
  const out = await post(app, '/sign-out', {}, headers);
  const kept = headers.cookie.split('; ').filter((cookie) => !cookie.startsWith(cookieName('session')));
  expect(cookiesOf(out)).toContain(`${cookieName('session')}=`);
  await change({ is_active: false });
  expect(pageOf(await get(app, '/sign-in', { cookie: kept.join('; ') })).text).not.toContain(SENTENCE);
  const other = await post(
    app,
    '/sign-in',
    { username: 'ann', password: PASSWORD },
    { cookie: kept.join('; ') },
  );
  expect((await get(app, '/users', { cookie: cookiesOf(other) })).statusCode).toBe(200);
  const stale = cookiesOf(other).replace(/(roster_session_\w+=)[^;]+/, '$1gone');
  expect(pageOf(await get(app, '/sign-in', { cookie: stale })).text).not.toContain(SENTENCE);
});
