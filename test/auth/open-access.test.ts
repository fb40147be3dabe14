/** Before there is an administrator Roster is open: to whoever sits at its machine, and to nobody else. */
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import type { FastifyInstance } from 'fastify';
import { describe, expect, test } from 'vitest';
import { assetPath } from '../../src/http/assets.ts';
import { pageOf } from '../page.ts';
import { addPerson, PASSWORD, signedIn } from '../people.ts';
import { addUser, get, listen, post, startApp } from '../support.ts';

const PASSED_ON = [
  { 'x-forwarded-for': '203.0.113.7' },
  { 'x-forwarded-for': '127.0.0.1' },
  { 'x-forwarded-proto': 'https' },
  { 'X-Forwarded-Host': 'users.example.org' },
  { forwarded: 'for=203.0.113.7' },
  { 'x-real-ip': '203.0.113.7' },
  { via: '1.1 proxy' },
  { 'cf-connecting-ip': '203.0.113.7' },
  { 'true-client-ip': '203.0.113.7' },
  { 'x-client-ip': '203.0.113.7' },
  { x_forwarded_for: '203.0.113.7' },
  { 'x-forwarded': 'for=203.0.113.7' },
  { 'x-amzn-trace-id': 'Root=1' },
  { 'cdn-loop': 'cdn' },
];

/** As a browser asks elsewhere, and a proxy that adds nothing hands it on. */
const UNLIKE_HERE = [
  { host: '127.0.0.1:3000', origin: 'https://users.example.org', 'sec-fetch-site': 'same-origin' },
  { host: '10.0.0.1:3000' },
  { host: '192.0.2.1' },
];

const FROM_ELSEWHERE = [
  ...[...PASSED_ON, ...UNLIKE_HERE].map((headers) => ({ headers })),
  ...['203.0.113.7', '::ffff:203.0.113.7', '2001:db8::1', '10.0.0.2'].map((remoteAddress) => ({
    remoteAddress,
  })),
];

function ask(app: FastifyInstance, url: string, from: object, method: 'GET' | 'POST' = 'GET', payload = '') {
  const headers = {
    host: 'localhost',
    ...(method === 'POST' && { 'content-type': 'application/x-www-form-urlencoded' }),
    ...('headers' in from ? (from.headers as object) : {}),
  };
  return app.inject({ ...from, url, method, headers, payload });
}

describe.each(FROM_ELSEWHERE)('whoever asks from elsewhere (%o)', (from) => {
  test('reads and changes nothing', async () => {
    for (const settings of [{}, { TRUST_PROXY: '127.0.0.1', ORIGIN: 'https://users.example.org' }]) {
      const app = await startApp(settings);
      await addUser(app.db, { username: 'alice' });
      for (const url of [
        '/',
        '/users',
        '/users/1',
        '/users/1/edit',
        '/users?q=ali',
        '/sign-in',
        '/nowhere',
      ]) {
        const answer = await ask(app, url, from);
        expect(answer.statusCode, url).toBe(403);
        expect(answer.body).not.toContain('alice');
        expect(pageOf(answer).text).toContain(
          'There is no administrator yet, so Roster answers only on the machine it runs on.',
        );
      }
      for (const url of [
        '/users',
        '/users/1',
        '/setup',
        '/made-up-people',
        '/users/1/delete',
        '/delete_user/1',
        '/sign-in',
        '/sign-out',
        '/invitations/x',
      ])
        expect(
          (await ask(app, url, from, 'POST', 'username=eve&email=eve@example.org')).statusCode,
          url,
        ).toBe(403);
      expect(await app.db.selectFrom('users').select(['username', 'version']).execute()).toEqual([
        { username: 'alice', version: 1 },
      ]);
    }
  });

  test('is answered the setup link, health and the style sheet', async () => {
    const app = await startApp();
    for (const url of [`/setup/${app.setupToken}`, '/healthz', '/readyz', assetPath('app.css')])
      expect((await ask(app, url, from)).statusCode, url).toBe(200);
    const fields = new URLSearchParams({
      username: 'ann',
      email: 'ann@example.org',
      new_password: PASSWORD,
      new_password_again: PASSWORD,
    });
    const answer = await ask(app, `/setup/${app.setupToken}`, from, 'POST', fields.toString());
    expect(answer.statusCode).toBe(303);
    expect((await ask(app, '/users', from)).headers.location).toMatch(/^\/sign-in/);
  });
});

test('what a proxy hands on in the old version of HTTP, saying nothing, is not answered', async () => {
  const app = await startApp();
  const { port } = new URL(await listen(app));
  for (const [version, status] of [
    ['1.0', 403],
    ['1.1', 200],
  ] as const) {
    const socket = connect(Number(port), '127.0.0.1');
    socket.write(`GET /users HTTP/${version}\r\nHost: 127.0.0.1:3000\r\nConnection: close\r\n\r\n`);
    expect(await text(socket)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  }
});

test('whoever sits at the machine reads and changes what there is', async () => {
  const app = await startApp();
  for (const remoteAddress of ['127.0.0.1', '::1', '::ffff:127.0.0.1', '127.8.0.1'])
    expect((await ask(app, '/users', { remoteAddress })).statusCode, remoteAddress).toBe(200);
  expect((await post(app, '/users', { username: 'bob', email: 'bob@example.org' })).statusCode).toBe(303);
});

test('once there is an administrator it does not matter where anyone asks from', async () => {
  const app = await startApp();
  const ann = await addPerson(app.db, 'ann', 'admin');
  const headers = await signedIn(app, ann);
  for (const passed of PASSED_ON)
    expect((await get(app, '/users', { ...headers, ...passed })).statusCode).toBe(200);
});
