import { once } from 'node:events';
import { Agent, get as httpGet, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import type { FastifyRequest } from 'fastify';
import { expect, onTestFinished, test } from 'vitest';
import { allow } from '../src/auth/access.ts';
import { anyone } from '../src/auth/policy.ts';
import { listen, startApp } from './support.ts';

test.each([
  ['HAProxy’s first', 'OPTIONS /readyz HTTP/1.0\r\n'],
  ['the old version of HTTP, without a host', 'GET /readyz HTTP/1.0\r\n'],
  ['the new one, without a host', 'HEAD /healthz HTTP/1.1\r\nConnection: close\r\n'],
  ['another host', 'GET /readyz HTTP/1.1\r\nHost: roster.internal\r\nConnection: close\r\n'],
  [
    'another host in a whole address',
    'GET http://a.example/readyz HTTP/1.1\r\nHost: b\r\nConnection: close\r\n',
  ],
  ['what is no host', 'OPTIONS /healthz HTTP/1.1\r\nHost: a@b\r\nConnection: close\r\n'],
])('a health check is answered by whatever name it is asked: %s', async (_what, head) => {
  const app = await startApp();
  const { port } = new URL(await listen(app));
  const client = connect(Number(port), '127.0.0.1');
  client.write(`${head}\r\n`);
  expect(await text(client)).toMatch(/^HTTP\/1\.1 200 /);
});

test('once it drains it is not ready any more, still answers, and lets each connection go', async () => {
  const app = await startApp();
  const address = await listen(app);
  const agent = new Agent({ keepAlive: true });
  onTestFinished(() => agent.destroy());
  const ask = async (path: string) => {
    const [answer] = (await once(httpGet(`${address}${path}`, { agent }), 'response')) as [IncomingMessage];
    await text(answer);
    return [answer.statusCode, answer.headers.connection];
  };
  expect(await ask('/readyz')).toEqual([200, 'keep-alive']);
  const drained = app.drain(1_000);
  expect(await ask('/readyz')).toEqual([503, 'close']);
  expect(await ask('/healthz')).toEqual([200, 'close']);
  expect(await ask('/users')).toEqual([200, 'close']);
  // Fastify refuses it before there are any hooks.
  expect(await ask('/users/%zz')).toEqual([400, 'close']);
  await drained;
});

test('whose request is still on its way when it stops is answered, too', async () => {
  const app = await startApp();
  const { port } = new URL(await listen(app));
  const client = connect(Number(port), '127.0.0.1');
  await once(app.server, 'connection');
  const closed = app.close();
  await expect.poll(() => app.server.listening, { interval: 5 }).toBe(false);
  client.write('GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n');
  expect(await text(client)).toMatch(/^HTTP\/1\.1 200 /);
  await closed;
});

test('a connection is not given up while a handler is at work on it, and is after that', async () => {
  const app = await startApp();
  const timeouts: (number | undefined)[] = [];
  const note = async (request: FastifyRequest) => void timeouts.push(request.socket.timeout);
  app.get('/at-work', { onSend: note, ...allow(anyone) }, async (request) => {
    await note(request);
    return 'done';
  });
  const address = await listen(app);
  for (let time = 0; time < 2; time++) await (await fetch(`${address}/at-work`)).text();
  expect(timeouts).toEqual([0, 5_000, 0, 5_000]);
});
