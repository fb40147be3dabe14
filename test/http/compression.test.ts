import { once } from 'node:events';
import { get as httpGet, type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import type { FastifyInstance, LightMyRequestResponse } from 'fastify';
import { expect, test } from 'vitest';
import { allow } from '../../src/auth/access.ts';
import { anyone } from '../../src/auth/policy.ts';
import { seedUsers } from '../../src/cli/seed.ts';
import { assetPath } from '../../src/http/assets.ts';
import { addPerson, signedIn } from '../people.ts';
import { addUser, get, listen, post, startApp } from '../support.ts';

const BROWSER = { 'accept-encoding': 'gzip, deflate, br, zstd' };
const LIST_OF_25 = '/users?per_page=25';
const decompress = { br: brotliDecompressSync, gzip: gunzipSync };

async function startWithUsers(count = 100): Promise<FastifyInstance> {
  const app = await startApp();
  await seedUsers(app.db, count);
  return app;
}

/** Bytes of an answer as it is sent, with its status line and headers. */
async function bytesOnTheWire(url: string): Promise<number> {
  const request = httpGet(url, { headers: BROWSER });
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  expect(answer.statusCode).toBe(200);
  const { length } = await buffer(answer);
  expect(answer.headers['content-length']).toBe(`${length}`);
  const head = `HTTP/1.1 200 OK\r\n${answer.rawHeaders.map((part) => `${part}: `).join('')}\r\n`;
  return head.length + length;
}

/** Without the keys of forms, which are new on each page. */
function keyless(page: string | Buffer): string {
  return `${page}`.replaceAll(/(?<=name="key" value=")[\w-]{43}/g, 'a key');
}

function headersOf({ headers }: LightMyRequestResponse) {
  const { date, 'x-request-id': id, ...rest } = headers;
  return rest;
}

test('a list of 25 users is at most 6 KB on the wire, wherever it is in the directory', async () => {
  const address = await listen(await startWithUsers(1000));
  for (const query of ['', '&page=20', '&sort=-email', '&status=inactive']) {
    expect(await bytesOnTheWire(address + LIST_OF_25 + query), query).toBeLessThanOrEqual(6 * 1024);
  }
});

test('a list of ten users is at most 2,285 bytes, compressed, also with all that an administrator can do', async () => {
  for (const [count, role, address] of [
    [60, 'admin', '/users?page=3'],
    [1000, 'editor', '/users'],
  ] as const) {
    const app = await startWithUsers(count);
    await addPerson(app.db, 'ben', 'admin');
    const headers = await signedIn(app, await addPerson(app.db, 'ann', role));
    for (const encoding of ['gzip', 'br']) {
      const answer = await get(app, address, { ...headers, 'accept-encoding': encoding });
      expect(answer.headers['content-encoding']).toBe(encoding);
      expect(answer.rawPayload.length, `${role}, ${encoding}`).toBeLessThanOrEqual(2285);
    }
  }
});

test('all that a first visit needs is at most 14 KB on the wire', async () => {
  const address = await listen(await startWithUsers(1000));
  const files = ['app.css', 'favicon.svg', 'speculation-rules.json'].map(assetPath);
  const sizes = await Promise.all(['/users', ...files].map((path) => bytesOnTheWire(address + path)));
  expect(sizes.reduce((sum, size) => sum + size)).toBeLessThanOrEqual(14 * 1024);
});

test('pages and files are what they are without, once decompressed', async () => {
  const app = await startWithUsers();
  for (const url of [LIST_OF_25, '/users/1', '/users/new', assetPath('app.css')]) {
    const plain = await get(app, url);
    // Each of them twice, as files are kept.
    for (const encoding of ['br', 'gzip', 'br', 'gzip'] as const) {
      const answer = await get(app, url, { 'accept-encoding': encoding });
      expect(answer.headers['content-encoding'], url).toBe(encoding);
      expect(answer.headers['content-type']).toBe(plain.headers['content-type']);
      expect(answer.headers['content-length']).toBe(`${answer.rawPayload.length}`);
      expect(keyless(decompress[encoding](answer.rawPayload))).toBe(keyless(plain.body));
      expect(answer.rawPayload.length).toBeLessThan(plain.rawPayload.length / 2);
    }
  }
});

test.each([
  ['gzip, deflate, br, zstd', 'br'],
  ['BR', 'br'],
  ['gzip', 'gzip'],
  ['br;q=0.5, gzip;q=0.8', 'gzip'],
  ['br;q=0, gzip', 'gzip'],
  ['br;q=0.5', 'br'],
  ['br;q=0', undefined],
  ['br;q=0, *', undefined],
  ['gzip; q=0.000, br ;Q=0', undefined],
  ['*;q=0', undefined],
  ['identity', undefined],
  ['identity, br;q=0.5', undefined],
  ['deflate, zstd', undefined],
  ['brotli, x', undefined],
  ['', undefined],
  [undefined, undefined],
])('whoever accepts "%s" gets %s', async (accepted, encoding) => {
  const app = await startWithUsers();
  for (const url of ['/users', assetPath('app.css')]) {
    const answer = await get(app, url, accepted === undefined ? {} : { 'accept-encoding': accepted });
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['content-encoding']).toBe(encoding);
    expect(answer.headers.vary).toBe('accept-encoding');
  }
});

test('HEAD answers with the headers of GET', async () => {
  const app = await startWithUsers();
  for (const url of ['/users', '/healthz', '/nowhere', assetPath('app.css'), assetPath('favicon.svg')]) {
    for (const headers of [{}, BROWSER]) {
      const head = await app.inject({ method: 'HEAD', url, headers: { host: 'localhost', ...headers } });
      expect(head.rawPayload.length).toBe(0);
      const answer = await get(app, url, headers);
      expect(headersOf(head), url).toEqual({
        ...headersOf(answer),
        // Compressed, the page of an error is as long as its request's own name makes it.
        ...(url === '/nowhere' && { 'content-length': expect.stringMatching(/^\d+$/) }),
      });
    }
  }
});

test('what is small or empty is left alone', async () => {
  const app = await startWithUsers();
  const changed = await post(app, '/users', { username: 'alice', email: 'alice@example.org' }, BROWSER);
  expect(changed.statusCode).toBe(303);
  const small = ['/', '/healthz', '/%zz', assetPath('favicon.svg'), assetPath('speculation-rules.json')];
  for (const answer of [changed, ...(await Promise.all(small.map((url) => get(app, url, BROWSER))))]) {
    expect(answer.headers).not.toHaveProperty('content-encoding');
    expect(answer.headers).not.toHaveProperty('vary');
    expect(answer.headers['content-length']).toBe(`${answer.rawPayload.length}`);
  }
});

test('pages about what went wrong are compressed, too', async () => {
  const app = await startApp();
  await addUser(app.db, { username: 'alice' });
  const askTaken = (headers = {}) =>
    post(app, '/users', { username: 'alice', email: 'a@b.example' }, headers);
  const host = `${'x'.repeat(500)}.example`;
  const askElsewhere = (headers = {}) => get(app, '/users', { host, ...headers });
  for (const [ask, status] of [
    [askTaken, 422],
    [askElsewhere, 421],
  ] as const) {
    const [plain, answer] = [await ask(), await ask(BROWSER)];
    expect([plain.statusCode, answer.statusCode]).toEqual([status, status]);
    expect(plain.headers.vary).toBe('accept-encoding');
    expect(answer.headers['content-encoding']).toBe('br');
    expect(withoutRequest(brotliDecompressSync(answer.rawPayload))).toBe(withoutRequest(plain.body));
  }
});

/** Each page of an error names its own. */
function withoutRequest(page: Parameters<typeof keyless>[0]): string {
  return keyless(page).replaceAll(/[\da-f]{8}-[\da-f]{4}/g, '');
}

test('what is encoded already is sent as it is', async () => {
  const app = await startApp();
  const bytes = Buffer.alloc(5000, 'x');
  app.get('/encoded', allow(anyone), async (_request, reply) =>
    reply.header('content-encoding', 'zstd').send(bytes),
  );
  const answer = await get(app, '/encoded', BROWSER);
  expect(answer.headers['content-encoding']).toBe('zstd');
  expect(answer.rawPayload).toEqual(bytes);
});

test('a client that knows how reads the page as it was meant', async () => {
  const app = await startWithUsers();
  const answer = await fetch(`${await listen(app)}/users/1`, { headers: BROWSER });
  expect(answer.headers.get('content-encoding')).toBe('br');
  expect(keyless(await answer.text())).toBe(keyless((await get(app, '/users/1')).body));
});
