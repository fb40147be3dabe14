/** Where people are sent to, whatever they have searched for: proxies take so many bytes and no more. */
import type { LightMyRequestResponse as Answer } from 'fastify';
import { describe, expect, test } from 'vitest';
import { pageOf } from '../page.ts';
import { addPerson, HOUR, movableClock, PASSWORD, signedIn } from '../people.ts';
import { addUser, cookiesOf, get, post, startApp } from '../support.ts';

/** What nginx, for one, has room for unless it is told otherwise. */
const MOST_BYTES = 4096;
const BEHIND_PROXY = { ORIGIN: 'https://users.example.org', TRUST_PROXY: '10.0.0.1' };

/** As long as a search can be, in letters that take from 9 to 12 bytes each. */
const SEARCHES = { 'in Chinese': '北'.repeat(219), 'as long as can be': '𠀋'.repeat(256) };

async function start(more = {}) {
  const clock = movableClock();
  const app = await startApp({ ...BEHIND_PROXY, ...more }, undefined, clock);
  const ann = await addPerson(app.db, 'ann', 'admin');
  return { app, clock, ann, headers: await signedIn(app, ann) };
}

function bytesOf({ headers, raw }: Answer): number {
  const lines = Object.entries(headers).flatMap(([name, values]) =>
    [values].flat().map((value) => `${name}: ${value}\r\n`),
  );
  return `HTTP/1.1 303 ${raw.res.statusMessage}\r\n${lines.join('')}\r\n`.length;
}

function expectShort(answer: Answer, what: string): void {
  expect([302, 303], what).toContain(answer.statusCode);
  expect(answer.headers.location?.length, what).toBeLessThanOrEqual(2000);
  expect(bytesOf(answer), what).toBeLessThan(MOST_BYTES);
}

describe.each(Object.entries(SEARCHES))('with a search %s', (_what, q) => {
  const search = new URLSearchParams({ q }).toString();
  const from = `from=${encodeURIComponent(`${search}&page=2`)}`;

  test('each redirect is short, and leads to the page that is meant', async () => {
    const { app, ann, headers } = await start();
    const max = await addUser(app.db, { username: 'max' });
    const zoe = { username: 'zoe', email: 'zoe@example.org' };
    const send = (path: string, fields = {}) => post(app, `${path}?${from}`, fields, headers);
    const answers: Record<string, Answer> = {
      '/users/3': await send('/users', zoe),
      '/users/2': await send('/users/2', { version: String(max.version), full_name: 'Max' }),
      '/users': await send('/users/2/delete'),
      '/users/1/edit': await get(app, `/update_user/${ann.id}?${from}`, headers),
      '/account': await send('/users/1/code/delete'),
      '/users/new': await get(app, `/sign-in?next=${encodeURIComponent(`/users/new?${from}`)}`, headers),
    };
    for (const [path, answer] of Object.entries(answers)) {
      expectShort(answer, path);
      expect(answer.headers.location?.split('?')[0]).toBe(path);
    }
  });

  test('a form with empty fields shows what is searched for', async () => {
    const { app, headers } = await start();
    let page = await get(app, `/users?${search}&role=`, headers);
    if (page.statusCode === 302) {
      expectShort(page, 'the list');
      page = await get(app, String(page.headers.location), headers);
    }
    expect([page.statusCode, pageOf(page).field('q')]).toEqual([200, q]);
  });

  test.each(['a new browser', 'one that was here before'])(
    'signing in leads there, with %s',
    async (which) => {
      const { app, headers, clock } = await start();
      clock.move(13 * HOUR);
      const sent = which === 'a new browser' ? {} : headers;
      const page = await get(app, `/users?${search}`, sent);
      expect([page.statusCode, page.headers.location]).toEqual([401, undefined]);
      expect(page.headers['www-authenticate']).toBe('Form realm="Roster"');
      const next = pageOf(page).field('next');
      expect(next).toBe(`/users?${search}`);
      const answer = await post(app, '/sign-in', { username: 'ann', password: PASSWORD, next }, sent);
      expectShort(answer, 'signing in');
      expect(answer.headers.location).toBe(next.length <= 2000 ? next : '/users');
    },
  );

  test('a form that was sent too late is there afterwards', async () => {
    const { app, headers, clock } = await start();
    clock.move(13 * HOUR);
    const page = await post(app, `/users?${from}`, { username: 'zoe' }, headers);
    const hidden = { next: pageOf(page).field('next'), draft: pageOf(page).field('draft') };
    const answer = await post(app, '/sign-in', { username: 'ann', password: PASSWORD, ...hidden }, headers);
    expectShort(answer, 'signing in');
    const signed = { cookie: cookiesOf(answer) };
    const form = await get(app, String(answer.headers.location), signed);
    expect(pageOf(form).field('username')).toBe('zoe');
  });
});

test('an address that is nothing but long leads to the list', async () => {
  const { app, headers } = await start();
  const next = `/users/${'a'.repeat(3000)}`;
  const answer = await get(app, `/sign-in?next=${next}`, headers);
  expect(answer.headers.location).toBe('/users');
});

test('the path below which Roster lies is counted, too', async () => {
  const base = `/${'x'.repeat(600)}`;
  const { app, headers } = await start({ ORIGIN: BEHIND_PROXY.ORIGIN + base });
  const from = new URLSearchParams({ from: `q=${encodeURIComponent('北'.repeat(100))}` });
  const answer = await get(app, `/update_user/1?${from}`, headers);
  expectShort(answer, 'an edit');
  expect(answer.headers.location).toBe(`${base}/users/1/edit`);
  // Shown where it is asked for, with what it is searched for.
  const search = '北'.repeat(200);
  const page = await get(app, `/users?q=${encodeURIComponent(search)}&role=`, headers);
  expect([page.statusCode, pageOf(page).field('q')]).toEqual([200, search]);
});
