/** Below a path of its own, as `ORIGIN` says it: whatever leaves Roster has it, and a proxy may take it off what comes in or not. */
import type { FastifyInstance } from 'fastify';
import { parse } from 'node-html-parser';
import { expect, test } from 'vitest';
import { addPerson, PASSWORD, signedIn } from '../people.ts';
import { addUser, get, post, startApp } from '../support.ts';

const BASE = '/people';

const startBelow = () => startApp({ ORIGIN: `https://example.org${BASE}`, TRUST_PROXY: '127.0.0.1' });

/** All addresses of a page that lead to Roster. */
function addressesOf(html: string): string[] {
  const all = parse(html)
    .querySelectorAll('[href], [action], [src]')
    .map((element) => ['href', 'action', 'src'].flatMap((name) => element.getAttribute(name) ?? []));
  return all.flat().filter((address) => !/^(#|mailto:)/.test(address));
}

/** Goes to all pages that links lead to, as a proxy does that takes the path off. */
async function crawl(app: FastifyInstance, headers: object, first: readonly string[]) {
  const [waiting, seen] = [[...first], new Set<string>()];
  const pathOf = (address: string) => address.split('?')[0];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    // Of pages that differ in their query alone one is enough.
    const isKnown = [...seen].some((other) => pathOf(other) === pathOf(path));
    if (seen.has(path) || (isKnown && !first.includes(path))) continue;
    seen.add(path);
    const answer = await get(app, path, headers);
    expect(answer.headers['speculation-rules']).toMatch(/^"\/people\/assets\//);
    const isPage = String(answer.headers['content-type']).startsWith('text/html');
    const addresses = [answer.headers.location ?? [], isPage ? addressesOf(answer.body) : []].flat();
    for (const address of addresses) {
      expect(address, `on ${path}`).toMatch(/^\/people\//);
      waiting.push(address.slice(BASE.length));
    }
    if (!first.includes(path)) expect(answer.statusCode, path).toBeLessThan(400);
  }
  return seen;
}

test('with a path before all addresses every link, form, redirect, file and cookie has it', async () => {
  const app = await startBelow();
  const ann = await addPerson(app.db, 'ann', 'admin');
  for (const username of ['max', 'moe', 'mia']) await addUser(app.db, { username });
  const seen = await crawl(app, await signedIn(app, ann), [
    '/users?per_page=1&page=2&q=m&status=active',
    '/users?page=99',
    '/nowhere',
    '/favicon.ico',
    '/users/by-username/max',
  ]);
  for (const path of ['/users/2/delete', '/roles', '/account/code', '/users/new'])
    expect([...seen].some((address) => address.startsWith(path))).toBe(true);

  const signIn = await post(app, '/sign-in', { username: 'ann', password: PASSWORD, next: '/users/2' });
  expect(signIn.headers.location).toMatch(/^\/people\/(users\/2|sign-in\?next=%2Fusers%2F2)/);
  for (const cookie of [signIn.headers['set-cookie'] ?? []].flat()) expect(cookie).toContain('Path=/people/');

  const link = await post(app, '/users/1/delete', {}, await signedIn(app, ann));
  expect(link.statusCode).toBe(409);
  for (const address of addressesOf(link.body)) expect(address).toMatch(/^\/people\//);
});

test('links for someone else have it, too', async () => {
  const app = await startBelow();
  const ann = await addPerson(app.db, 'ann', 'admin');
  const bob = await addUser(app.db, { username: 'bob', role: 'viewer' });
  const headers = await signedIn(app, ann);
  const made = await post(app, `/users/${bob.id}/invitation`, {}, headers);
  const page = await get(app, String(made.headers.location).replace(BASE, ''), headers);
  const link = /https:\/\/example\.org\/people(\/invitations\/[\w-]+)/.exec(page.body)?.[1] ?? '';
  expect(addressesOf((await get(app, link)).body)).toContain(BASE + link);
});

test('a proxy may leave the path, or take it off', async () => {
  const app = await startBelow();
  const ann = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
  expect((await get(app, `${BASE}/users`, ann)).statusCode).toBe(200);
  expect((await get(app, '/users', ann)).statusCode).toBe(200);
  for (const path of [BASE, `${BASE}/`, '/', `${BASE}?x=1`])
    expect((await get(app, path, ann)).headers.location, path).toBe(`${BASE}/users`);
  expect((await get(app, `${BASE}x/users`, ann)).statusCode).toBe(404);
  expect((await get(app, `${BASE}/readyz`)).statusCode).toBe(200);
});

test('its cookies are for that path alone, and by https', async () => {
  const app = await startBelow();
  await addPerson(app.db, 'ann', 'admin');
  const cookies = [
    (await post(app, '/sign-in', { username: 'ann', password: PASSWORD })).headers['set-cookie'],
  ];
  expect(cookies.flat()).toContainEqual(
    expect.stringMatching(/^__Secure-roster_session_\w+=.*; Path=\/people\/; HttpOnly; Secure/),
  );
});
