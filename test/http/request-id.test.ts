/** By one name a request is found in the log, on the page of an error and in the log of a proxy. */
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { get, listen, startApp } from '../support.ts';

const GIVEN = 'a1b2c3d4e5f60718293a4b5c6d7e8f90';
const OF_APACHE = 'aSrI7H8AAQEAAA@xHd-AAAAB';
const PROXIED = { ORIGIN: 'https://users.example.org', TRUST_PROXY: '127.0.0.1' };

test('every answer has one of its own', async () => {
  const app = await startApp();
  const ids = [];
  for (const path of ['/users', '/healthz', '/nowhere', '/favicon.ico', '/users?page=%zz'])
    ids.push((await get(app, path)).headers['x-request-id']);
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}$/);
});

test('it is the one that a proxy has given, and nobody else’s', async () => {
  const headers = { 'x-request-id': GIVEN };
  const proxied = await startApp(PROXIED);
  for (const given of [GIVEN, OF_APACHE]) {
    const answer = await get(proxied, '/healthz', { 'x-request-id': given });
    expect(answer.headers['x-request-id']).toBe(given);
  }
  expect((await get(await startApp(), '/healthz', headers)).headers['x-request-id']).not.toBe(GIVEN);
});

test.each(['short', 'x'.repeat(129), 'with a space', '"level":50,"', 'ümlaut-name'])(
  'what is no such name is left out: %j',
  async (id) => {
    const answer = await get(await startApp(PROXIED), '/healthz', { 'x-request-id': id });
    expect(answer.headers['x-request-id']).toMatch(/^[\da-f]{8}-[\da-f]{4}$/);
  },
);

test('what is no request has one, too', async () => {
  const { port } = new URL(await listen(await startApp({ LOG_LEVEL: 'warn' })));
  const socket = connect(Number(port), '127.0.0.1');
  socket.end('no request\r\n\r\n');
  const answer = await text(socket);
  const id = /^x-request-id: ([\da-f]{8}-[\da-f]{4})\r$/m.exec(answer)?.[1];
  expect(answer).toContain(`${id}</`);
});
