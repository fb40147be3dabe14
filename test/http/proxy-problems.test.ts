/** What people get wrong first with a proxy, as its requests show it: what Roster says of that, where, and how often. */
import type { FastifyInstance } from 'fastify';
import { expect, test, vi } from 'vitest';
import { pageOf } from '../page.ts';
import { addPerson, signedIn } from '../people.ts';
import { addUser, get, post, startApp } from '../support.ts';

const BEHIND = { ORIGIN: 'https://users.example.org', TRUST_PROXY: '127.0.0.1' };
const FORWARDED = { 'x-forwarded-for': '198.51.100.3' };
const BROWSER = { 'accept-language': 'en' };

/** What requests note in the log, from warnings on. */
function hearLog(app: FastifyInstance): string[] {
  const said: string[] = [];
  const child = app.log.child.bind(app.log);
  vi.spyOn(app.log, 'child').mockImplementation((...how) => {
    const warn = (...words: unknown[]) => void said.push(`${words.at(-1)}`);
    return Object.assign(child(...how), { warn });
  });
  return said;
}

async function start(settings: Record<string, string>, stopwatch?: () => number) {
  const app = await startApp(settings, undefined, Date.now, stopwatch);
  const said = hearLog(app);
  const ann = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
  return { app, said, ann };
}

/** What an administrator reads in the list, and on the status page. */
async function told(app: FastifyInstance, ann: object, headers = {}) {
  const list = pageOf(await get(app, '/users', { ...headers, ...ann })).text;
  const status = pageOf(await get(app, '/admin/status', { ...headers, ...ann }));
  return { isWarned: list.includes('The proxy before Roster is not set up as it should be.'), status };
}

test('a proxy that is set up as it should be is not spoken of', async () => {
  const { app, said, ann } = await start(BEHIND);
  const headers = { ...FORWARDED, ...BROWSER, host: 'users.example.org', 'x-forwarded-proto': 'https' };
  expect((await get(app, '/sign-in', headers)).statusCode).toBe(200);
  const { isWarned, status } = await told(app, ann, headers);
  expect([isWarned, status.notices, said]).toEqual([false, [], []]);
});

test('nor is Roster without one', async () => {
  const { app, said, ann } = await start({});
  const headers = { ...BROWSER, origin: 'http://localhost', referer: 'http://localhost/users' };
  const { isWarned, status } = await told(app, ann, headers);
  expect([isWarned, status.notices, said]).toEqual([false, [], []]);
});

test('without X-Forwarded-For the line to add is that of the proxy which it can be, in the log once and on the status page', async () => {
  const { app, said, ann } = await start(BEHIND);
  const { status, isWarned } = await told(app, ann, BROWSER);
  const either =
    'The proxy 127.0.0.1 has sent a browser’s request without X-Forwarded-For: whoever is behind it counts as one until it has sent it for an hour. Add to it, for nginx: “proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;” or for HAProxy: “option forwardfor”.';
  expect(said).toEqual([either]);
  expect([isWarned, status.notices]).toEqual([true, [either]]);
});

test('a host that the proxy has not passed on is told with the line to add, of Apache where it is that', async () => {
  const { app, said } = await start(BEHIND);
  const nameless = (headers: object) =>
    get(app, '/users', { ...FORWARDED, ...BROWSER, host: 'roster:3000', ...headers });
  const page = await nameless({});
  expect(page.statusCode).toBe(421);
  expect(pageOf(page).text).toContain(
    'This is not roster: the address leads here by mistake, or the proxy does not pass on which host was asked for. Add to it, for nginx: “proxy_set_header Host $host;” or for Apache: “ProxyPreserveHost On”.',
  );
  const ofApache = pageOf(await nameless({ 'x-forwarded-server': 'users.example.org' })).text;
  expect(ofApache).toContain('Add to it, for Apache: “ProxyPreserveHost On”.');
  expect(said).toHaveLength(1);
});

test('whoever asks for another host past the proxy is told nothing of it', async () => {
  const { app, said } = await start(BEHIND);
  const headers = { host: 'evil.example' };
  const page = await app.inject({ url: '/users', headers, remoteAddress: '203.0.113.9' });
  expect(pageOf(page).text).toContain('This is not evil.example: the address leads here by mistake. ');
  expect(said).toEqual([]);
});

test('without ORIGIN a page that is asked for by its public address says how Roster is to be started', async () => {
  const { app, said } = await start({});
  const page = await get(app, '/users', { host: 'users.example.org' });
  expect(page.statusCode).toBe(421);
  const sentence =
    'This is not users.example.org: the address leads here by mistake, or Roster does not know that people reach it there. Start it with “ORIGIN=https://users.example.org TRUST_PROXY=127.0.0.1”.';
  expect(pageOf(page).text).toContain(sentence);
  await get(app, '/users', { host: 'users.example.org' });
  // Whoever asks may name any: in the log stands none of theirs.
  const other = await get(app, '/users', { host: 'evil.example' });
  expect(pageOf(other).text).toContain('ORIGIN=https://evil.example');
  expect(said.join()).toContain('“ORIGIN=https://users.example.org TRUST_PROXY=127.0.0.1”');
  expect(said.join()).not.toContain('evil');
  expect(said).toHaveLength(1);
});

test.each([
  ['forwards', FORWARDED],
  ['names the host', { 'x-forwarded-host': 'people.example.com' }],
  ['adds nothing, but a browser does', { origin: 'https://people.example.com' }],
])('without ORIGIN, where a proxy %s, it is told that cookies go without Secure', async (_how, headers) => {
  const { app, said, ann } = await start({});
  const { status, isWarned } = await told(app, ann, headers);
  const sentence = `A proxy passes requests on, and Roster does not know it, so cookies go without Secure. Start it with “ORIGIN=https://users.example.org TRUST_PROXY=127.0.0.1”.`;
  expect([isWarned, status.notices, said]).toEqual([true, [sentence], [sentence]]);
});

test('what was seen an hour ago is not shown any more', async () => {
  let passed = 0;
  const { app, ann } = await start({}, () => passed);
  await get(app, '/account', { ...FORWARDED, ...ann });
  expect((await told(app, ann)).status.notices).toHaveLength(1);
  passed = 60 * 60_000;
  expect((await told(app, ann)).status.notices).toEqual([]);
});

const DISBELIEVED = (peer: string) =>
  `X-Forwarded-For from ${peer} is not believed, so all behind it count as one. If that is the proxy, add it to TRUST_PROXY: “${peer}”.`;

test('a proxy that TRUST_PROXY does not name is named, to administrators where somebody is signed in behind it', async () => {
  const { app, said, ann } = await start(BEHIND);
  const headers = { ...FORWARDED, host: 'users.example.org' };
  const ask = (remoteAddress: string, more = {}) =>
    app.inject({ url: '/users', headers: { ...headers, ...more }, remoteAddress });
  for (const _ of [1, 2]) await ask('172.18.0.2', ann);
  // Whoever reaches Roster past its proxy would have itself trusted.
  await ask('203.0.113.9');
  expect(said).toEqual([DISBELIEVED('172.18.0.2')]);
  const { status } = await told(app, ann, { ...FORWARDED, host: 'users.example.org' });
  expect(status.notices).toEqual([DISBELIEVED('172.18.0.2')]);
});

test.each([
  ['another host', { host: 'evil.example' }, '/users'],
  ['http', { origin: 'http://users.example.org' }, '/users'],
  ['an address that other programs have', {}, '/blog/users'],
])('what a stranger sends of %s is no notice to administrators', async (_what, headers, url) => {
  const { app, said, ann } = await start(BEHIND);
  await get(app, url, { host: 'users.example.org', ...FORWARDED, ...headers });
  expect(said).toHaveLength(1);
  const { isWarned, status } = await told(app, ann, { ...FORWARDED, host: 'users.example.org' });
  expect([isWarned, status.notices]).toEqual([false, []]);
});

test.each([
  ['a page, as the proxy says', 'GET', { 'x-forwarded-proto': 'http' }],
  ['a form, as the browser says', 'POST', { origin: 'http://users.example.org' }],
] as const)('%s, that came by http leads to https, with the line to add', async (_what, method, more) => {
  const { app, said } = await start(BEHIND);
  const headers = { host: 'users.example.org', ...FORWARDED, ...BROWSER, ...more };
  const answer = await app.inject({ method, url: '/sign-in', headers });
  expect(answer.statusCode).toBe(421);
  const page = pageOf(answer);
  expect(page.text).toContain(
    'This came by http, which others can read on its way: open https://users.example.org/ instead. The proxy can send everyone there. Add to it, for nginx: “return 301 https://$host$request_uri;” or for HAProxy: “http-request redirect scheme https code 301 unless { ssl_fc }” or for Apache: “Redirect permanent / https://users.example.org/”.',
  );
  expect(page.link('Go to Roster')).toBe('https://users.example.org/');
  expect(said).toHaveLength(1);
});

test.each([
  ['another host', { host: 'evil.example' }],
  ['http', { host: 'users.example.org', 'x-forwarded-proto': 'http' }],
])('the page that says what is wrong with %s has its style there', async (_what, more) => {
  const { app } = await start(BEHIND);
  const headers = { ...FORWARDED, ...BROWSER, ...more };
  const page = await get(app, '/users', headers);
  expect(page.statusCode).toBe(421);
  const style = /href="([^"]*app\.css)"/.exec(page.body)?.[1] ?? '';
  expect((await get(app, style, headers)).statusCode).toBe(200);
});

test('a browser that has come by https is let in, whatever a second proxy says', async () => {
  const { app } = await start(BEHIND);
  const headers = { host: 'users.example.org', ...FORWARDED, ...BROWSER, 'x-forwarded-proto': 'http' };
  const ask = (more: object) => get(app, '/sign-in', { ...headers, ...more });
  expect((await ask({ 'sec-fetch-site': 'none' })).statusCode).toBe(200);
  expect((await ask({ 'x-forwarded-proto': 'https, http' })).statusCode).toBe(200);
});

test.each([
  ['https://example.org', '/roster/users?page=2', 'https://example.org/roster'],
  ['https://example.org', '/roster/', 'https://example.org/roster'],
  ['https://example.org/people', '/roster/sign-in', 'https://example.org/roster'],
])('at %s, %s says to start it with ORIGIN=%s', async (origin, url, right) => {
  const { app, said } = await start({ ...BEHIND, ORIGIN: origin });
  const page = await get(app, url, { host: 'example.org', ...FORWARDED });
  expect(page.statusCode).toBe(404);
  const prefix = new URL(right).pathname;
  const sentence = `If people reach Roster below ${prefix}, start it with “ORIGIN=${right}”.`;
  expect(pageOf(page).text).toContain(`There is no page here. ${sentence}`);
  // Programs that look for others' pages ask for addresses that end like this.
  const noted =
    'If people reach Roster below a path, start it with that in its ORIGIN: “ORIGIN=https://users.example.org/roster”.';
  expect(said).toEqual(url.endsWith('/') ? [] : [noted]);
});

test.each(['/nowhere', '/nowhere/users-of', '/users/x/y', '/people/nowhere'])(
  'nothing of that is said of %s',
  async (url) => {
    const { app } = await start({ ...BEHIND, ORIGIN: 'https://example.org/people' });
    const page = await get(app, url, { host: 'example.org', ...FORWARDED });
    expect(page.statusCode).toBe(303);
    expect(page.headers.location).toMatch(/^\/people\/sign-in/);
  },
);

test('a page with a secret says that it is not encoded, so that a proxy does not compress it', async () => {
  const { app, ann } = await start({});
  const headers = { ...ann, 'accept-encoding': 'gzip, br' };
  const bob = await addUser(app.db, { username: 'bob', role: 'viewer' });
  const made = await post(app, `/users/${bob.id}/invitation`, {}, headers);
  const page = await get(app, `${made.headers.location}`, headers);
  expect(page.headers['cache-control']).toBe('no-store');
  expect(page.headers['content-encoding']).toBe('identity');
  expect((await get(app, '/users', headers)).headers['content-encoding']).toBe('br');
});
