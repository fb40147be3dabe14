import { expect, test } from 'vitest';
import { seal } from '../../src/auth/tokens.ts';
import { pageOf } from '../page.ts';
import { addUser, cookieName, get, post, startApp } from '../support.ts';

async function deleteAlice(settings = {}) {
  const app = await startApp(settings);
  await addUser(app.db, { username: 'alice' });
  const answer = await post(app, '/users/1/delete');
  return { app, cookie: String(answer.headers['set-cookie']) };
}

test('a flash message is shown on the next page, whichever it is, and no more', async () => {
  const { app, cookie } = await deleteAlice();
  const page = await get(app, '/nowhere', { cookie: cookie.split(';')[0] });
  expect(page.statusCode).toBe(404);
  expect(pageOf(page).notices).toContain('User alice deleted!');
  expect(page.headers['set-cookie']).toMatch(/^roster_flash_\w{8}=; Max-Age=0/);
});

test('a flash message is read aloud: it has the focus and stands first in the title, and is no live region', async () => {
  const { app, cookie } = await deleteAlice();
  const answer = await get(app, '/users?sort=x', { cookie: cookie.split(';')[0] });
  const page = pageOf(answer);
  expect(page.title).toBe('User alice deleted! · Users · Roster');
  expect(page.focused).toEqual(['User alice deleted!']);
  expect(page.notices).toContainEqual(expect.stringContaining('sort=x was ignored'));
  expect(answer.body).not.toMatch(/role="status"|aria-live/);
});

test('a flash message leaves the focus and the title to a mistake on the same page', async () => {
  const { app, cookie } = await deleteAlice();
  const page = pageOf(await post(app, '/users', {}, { cookie: cookie.split(';')[0] }));
  expect(page.title).toBe('Error: New user · Roster');
  expect(page.notices).toContain('User alice deleted!');
  expect(page.focused).toEqual([expect.stringMatching(/^There are 2 problems /)]);
});

test('the cookie of a flash message is for pages of this host alone', async () => {
  expect((await deleteAlice()).cookie).toMatch(/; Max-Age=\d+; Path=\/; HttpOnly; SameSite=Lax$/);
  expect(
    (await deleteAlice({ ORIGIN: 'https://users.example.org', TRUST_PROXY: '10.0.0.1' })).cookie,
  ).toContain('; Secure');
});

test.each([
  { 'sec-purpose': 'prefetch' },
  { 'sec-purpose': 'prefetch;prerender' },
  { purpose: 'prefetch' },
  { 'sec-purpose': 'PREFETCH' },
  { 'sec-fetch-dest': 'image' },
])('what nobody looks at (%o) neither shows nor uses up the message', async (headers) => {
  const { app, cookie } = await deleteAlice();
  const page = await get(app, '/users', { cookie: cookie.split(';')[0], ...headers });
  expect(page.body).not.toContain('deleted!');
  expect(page.headers['set-cookie']).toBeUndefined();
});

test('a flash message that somebody else has planted is not shown, and is gone', async () => {
  const { app, cookie } = await deleteAlice();
  const planted = [
    'Call%200900%20to%20go%20on',
    seal(Buffer.alloc(32), 'flash', 'Call 0900'),
    `${cookie.split(';')[0]}x`,
  ];
  for (const value of planted) {
    const page = await get(app, '/users', { cookie: `${cookieName('flash')}=${value}` });
    expect(page.body).not.toMatch(/0900|deleted!|class="flash"/);
    expect(page.headers['set-cookie']).toMatch(/^roster_flash_\w{8}=; Max-Age=0/);
  }
});

test('no neighbouring host can set a flash message, where there is https', async () => {
  const { app, cookie } = await deleteAlice({ ORIGIN: 'https://users.example.org', TRUST_PROXY: '10.0.0.1' });
  expect(cookie).toMatch(
    /^__Host-roster_flash_\w{8}=[\w-]+; Max-Age=\d+; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
  );
  const [pair = ''] = cookie.split(';');
  const page = await get(app, '/users', { cookie: pair });
  expect(pageOf(page).notices).toContain('User alice deleted!');
  expect(page.headers['set-cookie']).toMatch(/^__Host-roster_flash_\w{8}=; Max-Age=0; Path=\/;.* Secure/);
  expect((await get(app, '/users', { cookie: pair.replace('__Host-', '') })).body).not.toContain('deleted!');
});

test('a flash message that cannot be read is none', async () => {
  const app = await startApp();
  expect((await get(app, '/users', { cookie: `${cookieName('flash')}=%zz` })).statusCode).toBe(200);
});
