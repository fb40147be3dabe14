import { describe, expect, test } from 'vitest';
import { pageOf } from '../page.ts';
import { addPerson, signedIn } from '../people.ts';
import { get, startApp } from '../support.ts';

/** Before there is an administrator, by way of a proxy, too; for a visitor; and for someone who is signed in. */
const ASKERS = [
  ['before there is an administrator', async () => ({ app: await startApp(), headers: {} })],
  [
    'before there is an administrator, to others',
    async () => ({ app: await startApp(), headers: { 'x-forwarded-for': '192.0.2.1' } }),
  ],
  [
    'to whoever is not signed in',
    async () => {
      const app = await startApp();
      await addPerson(app.db, 'ann', 'admin');
      return { app, headers: {} };
    },
  ],
  [
    'to whoever is',
    async () => {
      const app = await startApp();
      return { app, headers: await signedIn(app, await addPerson(app.db, 'ann', 'viewer')) };
    },
  ],
] as const;

describe.each(ASKERS)('%s', (_who, start) => {
  test('robots.txt says that nothing may be indexed', async () => {
    const { app, headers } = await start();
    const answer = await get(app, '/robots.txt', headers);
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(answer.body).toBe('User-agent: *\nDisallow: /\n');
  });

  test('favicon.ico leads to the icon', async () => {
    const { app, headers } = await start();
    const answer = await get(app, '/favicon.ico', headers);
    const icon = await get(app, String(answer.headers.location), headers);
    expect([icon.statusCode, icon.headers['content-type']]).toEqual([200, 'image/svg+xml']);
  });

  test('the well-known address leads to where a password is changed, and others are seen not to be there', async () => {
    const { app, headers } = await start();
    const answer = await get(app, '/.well-known/change-password', headers);
    expect([answer.statusCode, answer.headers.location]).toEqual([303, '/account']);
    const nothing = '/.well-known/resource-that-should-not-exist-whose-status-code-should-not-be-200';
    const missing = await get(app, nothing, headers);
    expect(missing.statusCode).toBe(404);
    expect(pageOf(missing).text).toContain('There is no page at this address.');
  });
});

test('whoever has to sign in first comes to where the password is changed', async () => {
  const app = await startApp();
  const ann = await addPerson(app.db, 'ann', 'admin');
  const door = await get(app, '/account');
  expect(door.headers.location).toBe('/sign-in?next=%2Faccount');
  const account = pageOf(await get(app, '/account', await signedIn(app, ann)));
  expect(account.form('Change password').action).toBe('/account/password');
});
