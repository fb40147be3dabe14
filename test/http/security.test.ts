import { describe, expect, test } from 'vitest';
import { newToken } from '../../src/auth/tokens.ts';
import { HEADERS } from '../../src/http/security.ts';
import { pageOf } from '../page.ts';
import { addPerson, signedIn } from '../people.ts';
import { addUser, cookieName, get, post, sharedApp, startApp } from '../support.ts';

test('every answer carries the security headers, errors included', async () => {
  const app = await startApp();
  const answers = [
    await get(app, '/users'),
    await get(app, '/nowhere'),
    await get(app, '/users/%zz'),
    await get(app, '/healthz'),
    await get(app, '/users', { host: 'evil.example' }),
    await post(app, '/users', { username: '' }),
    await post(app, '/users', 'a=%'),
    await post(app, '/users', { username: 'alice', email: 'alice@example.org' }),
    await app.inject({ method: 'PUT', url: '/users', headers: { host: 'localhost' } }),
    await app.inject({ method: 'PROPFIND' as 'GET', url: '/nowhere', headers: { host: 'localhost' } }),
  ];
  for (const answer of answers) expect(answer.headers).toMatchObject(HEADERS);
  expect(HEADERS['content-security-policy']).toBe(
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  );
});

describe('a form', () => {
  test.each<[number, string, Record<string, string>]>([
    [303, 'from here', { 'sec-fetch-site': 'same-origin', origin: 'http://localhost' }],
    [303, 'sent by hand', { 'sec-fetch-site': 'none' }],
    [403, 'from a neighbouring host', { 'sec-fetch-site': 'same-site', origin: 'http://localhost' }],
    [403, 'from another site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }],
    [303, 'from an older browser, from here', { origin: 'http://localhost' }],
    [303, 'from an older browser, from the public address', { origin: 'https://users.example.org' }],
    [
      421,
      'from an older browser, from the public address without https',
      { origin: 'http://users.example.org' },
    ],
    [403, 'from an older browser, from another site', { origin: 'https://evil.example' }],
    [403, 'from an older browser, from another port', { origin: 'http://localhost:8080' }],
    [403, 'from nowhere', { origin: 'null' }],
    [403, 'from something else', { origin: 'nonsense' }],
  ])('is answered %i when it comes %s', async (status, _where, headers) => {
    const app = await startApp({ ORIGIN: 'https://users.example.org', TRUST_PROXY: '10.0.0.1' });
    const { cookie } = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
    const fields = { username: 'alice', email: 'alice@example.org' };
    const answer = await post(app, '/users', fields, { ...headers, cookie });
    expect(answer.statusCode).toBe(status);
    if (status === 403) expect(pageOf(answer).text).toContain('sent from another site');
    const alice = app.db.selectFrom('users').select('id').where('username', '=', 'alice');
    expect(await alice.execute()).toHaveLength(status === 303 ? 1 : 0);
  });

  test('from no browser is taken, without a session', async () => {
    const app = await startApp();
    expect((await post(app, '/users', { username: 'alice', email: 'alice@example.org' })).statusCode).toBe(
      303,
    );
  });

  test('from another site may still be a link to a page', async () => {
    const app = await startApp();
    expect((await get(app, '/users', { 'sec-fetch-site': 'cross-site' })).statusCode).toBe(200);
  });
});

describe('a host', () => {
  const startHere = sharedApp({
    ORIGIN: 'https://users.example.org',
    HOST: 'roster.internal',
    TRUST_PROXY: '10.0.0.1',
  });
  const startElsewhere = sharedApp({}, (db) => addUser(db, { username: 'alice' }));

  test.each([
    'localhost',
    'localhost:3000',
    'LOCALHOST',
    '127.0.0.1:3000',
    '192.168.1.20',
    '[::1]:3000',
    'users.example.org',
    'users.example.org:8443',
    'roster.internal',
  ])('%s is ours', async (host) => {
    expect((await get(await startHere(), '/healthz', { host })).statusCode).toBe(200);
  });

  test.each([
    'evil.example',
    'localhost.evil.example',
    'localhost@evil.example',
    'evil.example@localhost',
    'localhost/evil',
    'localhost?',
    'localhost\\\\@evil.example',
    '127.0.0.1.evil.example',
    'a b',
  ])('%j is not', async (host) => {
    const answer = await get(await startElsewhere(), '/users', { host });
    expect(answer.statusCode).toBe(421);
    expect(answer.body).not.toContain('alice');
  });
});

/** What a browser can say of where a request comes from: each header, or none. */
const SITES = ['same-origin', 'same-site', 'cross-site', 'none', undefined] as const;
const ORIGINS = {
  here: 'http://localhost',
  'the public address': 'https://users.example.org',
  'another port': 'http://localhost:8080',
  'another site': 'https://evil.example',
  'an opaque one': 'null',
  none: undefined,
} as const;
const REFERERS = {
  here: 'http://localhost/users/new?from=page%3D2',
  'the public address': 'https://users.example.org/sign-in',
  'another port': 'http://localhost:8080/users/new',
  'another site': 'https://evil.example/?http://localhost/',
  nonsense: 'nonsense',
  none: undefined,
} as const;

describe.each(['without', 'with'] as const)('a form %s a session', (has) => {
  const start = sharedApp({ ORIGIN: 'https://users.example.org', TRUST_PROXY: '10.0.0.1' }, (db) =>
    addPerson(db, 'ann', 'admin'),
  );
  type From = keyof typeof ORIGINS;
  type Referer = keyof typeof REFERERS;
  const isOurs = (from: From | Referer) => from === 'here' || from === 'the public address';

  /** By the cross-site rule: what a browser says first counts, and where it says nothing, the cookie. */
  function isTaken(site: (typeof SITES)[number], from: From, referer: Referer): boolean {
    if (site !== undefined) return site === 'same-origin' || site === 'none';
    if (from !== 'none') return isOurs(from);
    return referer === 'none' ? has === 'without' : isOurs(referer);
  }

  const cases = SITES.flatMap((site) =>
    (Object.keys(ORIGINS) as From[]).map((from) => [site, from] as const),
  );

  test.each(cases)('of Sec-Fetch-Site %s and the origin %s, whatever the Referer', async (site, from) => {
    const app = await start();
    const cookie = has === 'with' ? { cookie: `other=1; __Host-${cookieName('session')}=${newToken()}` } : {};
    for (const [name, referer] of Object.entries(REFERERS) as [Referer, string | undefined][]) {
      const said = {
        ...(site && { 'sec-fetch-site': site }),
        ...(ORIGINS[from] && { origin: ORIGINS[from] }),
        ...(referer && { referer }),
      };
      const headers = { host: 'localhost', ...cookie, ...said };
      const answer = await app.inject({ method: 'POST', url: '/users', headers });
      expect(answer.statusCode === 403, name).toBe(!isTaken(site, from, name));
      if (answer.statusCode === 403) {
        const isUnsaid = Object.keys(said).length === 0;
        expect(pageOf(answer).text).toContain(
          isUnsaid
            ? 'Your browser did not say where this form comes from: it sends none of Sec-Fetch-Site, Origin and Referer.'
            : 'sent from another site',
        );
      }
      for (const method of ['GET', 'HEAD'] as const) {
        const answer = await app.inject({ method, url: '/users', headers });
        expect(answer.statusCode, `${method} ${name}`).toBe(303);
      }
    }
  });
});

test.each(['SESSION =', '\tSESSION\t= ', 'a=1;SESSION=', ';;SESSION ='])(
  'whatever is read as the cookie of a session is seen as one (%j)',
  async (cookie) => {
    const app = await startApp();
    const headers = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
    const sent = {
      cookie: cookie.replace('SESSION', cookieName('session')) + headers.cookie.split('=')[1],
    };
    expect((await get(app, '/account', sent)).statusCode, 'it is a session').toBe(200);
    expect((await post(app, '/users', { username: 'max', email: 'max@example.org' }, sent)).statusCode).toBe(
      403,
    );
  },
);

test('whoever may know of https is told to keep to it, and nobody else', async () => {
  const hsts = async (settings: Record<string, string>) =>
    (await get(await startApp(settings), '/users')).headers['strict-transport-security'];
  expect(await hsts({ ORIGIN: 'https://users.example.org', TRUST_PROXY: '10.0.0.1' })).toBe(
    'max-age=31536000',
  );
  expect(await hsts({ ORIGIN: 'http://localhost:8080', TRUST_PROXY: '10.0.0.1' })).toBeUndefined();
  expect(await hsts({})).toBeUndefined();
});

test('what needs a session is kept by its browser alone, and asked for again; what is secret is not kept', async () => {
  const app = await startApp();
  const ann = await addPerson(app.db, 'ann', 'admin');
  const headers = await signedIn(app, ann);
  for (const address of [
    '/users',
    '/users/1',
    '/users/1/edit',
    '/users/new',
    '/account',
    '/roles',
    '/nowhere',
  ]) {
    const page = await get(app, address, headers);
    expect(page.headers['cache-control'], address).toBe('private, no-cache');
  }
  await addUser(app.db, { username: 'bob', role: 'viewer' });
  const made = await post(app, '/users/2/invitation', {}, headers);
  for (const secret of [
    await get(app, '/account/code', headers),
    await get(app, String(made.headers.location), headers),
  ]) {
    expect(secret.headers['cache-control']).toBe('no-store');
    const compressed = { ...headers, 'accept-encoding': 'br, gzip' };
    expect((await get(app, '/account/code', compressed)).headers['content-encoding']).toBe('identity');
    expect((await get(app, '/users', compressed)).headers['content-encoding']).toBe('br');
  }
  // Where someone is sent depends on the session.
  expect((await get(app, '/users')).headers['cache-control']).toBe('no-store');
});
