/** The last moment of connections that are kept. */
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import fastify from 'fastify';
import { expect, test } from 'vitest';
import { addDraining } from '../../src/http/graceful-shutdown.ts';

test('whoever listens for several processes, and hangs, keeps none of them from its end', async () => {
  const app = fastify({ return503OnClosing: false });
  const never = new Promise<void>(() => {});
  addDraining(app, { turn: () => never, closed: () => never });
  await app.listen({ host: '127.0.0.1', port: 0 });
  await app.close();
  expect(app.server.listening).toBe(false);
});

test('who asks again at the moment in which connections are closed is answered, and told that theirs is', async () => {
  const app = fastify({ return503OnClosing: false });
  const ask = () => void socket.write('GET / HTTP/1.1\r\nHost: here\r\n\r\n');
  // Of its parent a process hears amid a turn, in which others have asked as well.
  addDraining(app, { turn: async () => ask(), closed: async () => {} });
  app.get('/', async () => 'here');
  await app.listen({ host: '127.0.0.1', port: 0 });
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1');
  ask();
  expect(String(await once(socket, 'data'))).toMatch(/^HTTP\/1\.1 200 .*keep-alive/is);
  const rest = text(socket);
  await app.close();
  expect(await rest).toMatch(/^HTTP\/1\.1 200 .*connection: close\r\n.*\r\nhere$/is);
});
