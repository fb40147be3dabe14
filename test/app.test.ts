import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { FastifyRequest } from 'fastify';
import { expect, onTestFinished, test } from 'vitest';
import { seedUsers } from '../src/seed/seed.ts';
import { allow } from '../src/sessions/access.ts';
import { anyone } from '../src/sessions/policy.ts';
import { get, listen, startApp } from './support.ts';

test('a client that does not read its answers is dropped within 15 s', { timeout: 15_000 }, async () => {
  const app = await startApp();
  await seedUsers(app.db, 100);
  const connected = once(app.server, 'connection');
  const { port } = new URL(await listen(app));
  const client = connect(Number(port), '127.0.0.1').pause();
  onTestFinished(() => void client.destroy());
  const [connection] = (await connected) as [Socket];
  // Far more than the buffers between the two hold.
  client
    .on('error', () => {})
    .write('GET /users?per_page=100 HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(300));
  await once(connection, 'close');
  expect(client.bytesRead).toBe(0);
  expect((await get(app, '/users')).statusCode).toBe(200);
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
