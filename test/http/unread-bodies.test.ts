/** Whoever is still sending when the answer is known sees the answer, and not a reset. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { describe, expect, test } from 'vitest';
import { get, post, startApp } from '../support.ts';
import { connectTo, FORM, readAnswer } from './sockets.ts';

const MB = 1_000_000;

/** Sends it all before it reads anything; the answer then. */
async function sendThenRead(app: FastifyInstance, parts: readonly string[]): Promise<string> {
  const socket = await connectTo(app);
  for (const part of parts) if (!socket.write(part)) await once(socket, 'drain');
  return readAnswer(socket);
}

function withLength(head: string, length: number): string[] {
  return [`${head}Content-Length: ${length}\r\n\r\n`, 'a'.repeat(length)];
}

function inChunks(head: string, length: number): string[] {
  const chunk = `${(length / 50).toString(16)}\r\n${'a'.repeat(length / 50)}\r\n`;
  return [
    `${head}Transfer-Encoding: chunked\r\n\r\n`,
    ...Array.from({ length: 50 }, () => chunk),
    '0\r\n\r\n',
  ];
}

describe.each([
  ['with its length', withLength],
  ['in chunks', inChunks],
])('of 5 MB %s the answer is seen', (_how, parts) => {
  test.each([
    ['that a form is too large', 413, 'POST /users', FORM],
    ['that no form is that large, even to sign in', 413, 'POST /sign-in', FORM],
    ['that it comes from another site', 403, 'POST /users', `${FORM}Origin: https://evil.example\r\n`],
    ['that it is no form', 415, 'POST /users', 'Content-Type: text/plain\r\n'],
    ['that there is no such method', 405, 'PUT /users', ''],
    ['that there is no such page', 404, 'POST /nowhere', 'Content-Type: text/plain\r\n'],
    ['that the address is no address', 400, 'POST /users/%zz', FORM],
    ['that there are two hosts', 400, 'POST /users', `${FORM}Host: localhost\r\n`],
    ['that it is for another host', 421, 'POST http://evil.example/users', FORM],
    ['of a page that takes none', 200, 'GET /users', ''],
  ])('%s (%i)', async (_what, status, line, headers) => {
    const app = await startApp();
    const answer = await sendThenRead(
      app,
      parts(`${line} HTTP/1.1\r\nHost: localhost\r\n${headers}`, 5 * MB),
    );
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer).toMatch(/<\/html>\n$/);
  });
});

test.each([
  ['headers', `GET /users HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(5 * MB)}\r\n\r\n`, 431],
  ['noise', `NOISE ${'x'.repeat(5 * MB)}`, 400],
  ['what goes through a tunnel', `CONNECT a:1 HTTP/1.1\r\nHost: localhost\r\n\r\n${'x'.repeat(5 * MB)}`, 400],
])('of 5 MB of %s the answer is seen', async (_what, bytes, status) => {
  const answer = await sendThenRead(await startApp(), [bytes]);
  expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
});

test.each(['CONNECT a:1 HTTP/1.1\r\nHost: localhost\r\n\r\n', 'NOISE\r\n\r\n'])(
  'whoever breaks off after %j breaks nothing',
  async (bytes) => {
    const app = await startApp();
    const connected = once(app.server, 'connection');
    const socket = await connectTo(app);
    const [connection] = (await connected) as [Socket];
    // Not `once`, which would see to the error itself.
    const closed = new Promise((resolve) => connection.on('close', resolve));
    socket.write(bytes);
    expect(await readAnswer(socket)).toMatch(/^HTTP\/1\.1 400 /);
    socket.resetAndDestroy();
    await closed;
    expect((await get(app, '/users')).statusCode).toBe(200);
  },
);

test('no more than 8 MiB are read for an answer', async () => {
  const app = await startApp();
  const connected = once(app.server, 'connection');
  const socket = await connectTo(app);
  const [connection] = (await connected) as [Socket];
  const closed = once(connection, 'close');
  socket.on('error', () => {});
  for (const part of withLength(`POST /users HTTP/1.1\r\nHost: localhost\r\n${FORM}`, 40 * MB))
    socket.write(part);
  await closed;
  expect(connection.bytesRead).toBeLessThan(9 * 1024 * 1024);
});

test('whoever waits for the answer before going on gets it', async () => {
  const socket = await connectTo(await startApp());
  socket.write(`POST /users HTTP/1.1\r\nHost: localhost\r\n${FORM}Content-Length: ${MB}\r\n\r\nusername=`);
  const answer = await readAnswer(socket);
  expect(answer).toMatch(/^HTTP\/1\.1 413 /);
  expect(answer).toMatch(/\r\nconnection: close\r\n/i);
});

test('a form of 64 KiB is taken, and one of a byte more is not; a sealed one has room', async () => {
  const app = await startApp();
  const formOf = (length: number) => `username=&full_name=`.padEnd(length, 'a');
  expect((await post(app, '/users', formOf(64 * 1024))).statusCode).toBe(422);
  expect((await post(app, '/users', formOf(64 * 1024 + 1))).statusCode).toBe(413);
  expect((await post(app, '/sign-in', `draft=${'a'.repeat(127 * 1024)}`)).statusCode).toBe(422);
  expect((await post(app, '/sign-in', `draft=${'a'.repeat(128 * 1024)}`)).statusCode).toBe(413);
  expect((await get(app, '/users')).statusCode).toBe(200);
});
