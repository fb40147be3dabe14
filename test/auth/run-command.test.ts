/** Whoever is shut out while they send something changes nothing any more. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import type { FastifyInstance } from 'fastify';
import { expect, test, vi } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import { transact } from '../../src/db/transact.ts';
import { changeUser, deleteUser } from '../../src/users/commands.ts';
import { dump } from '../engines.ts';
import { addPerson, type Headers, PASSWORD, signedIn } from '../people.ts';
import { addUser, listen, post, startApp } from '../support.ts';

const NEW_PASSWORD = 'a bicycle in the library';
const PASSWORD_CHANGE = {
  current_password: PASSWORD,
  new_password: NEW_PASSWORD,
  new_password_again: NEW_PASSWORD,
};

async function start() {
  const app = await startApp();
  const ann = await addPerson(app.db, 'ann', 'admin');
  const eve = await addPerson(app.db, 'eve', 'admin');
  const vic = await addPerson(app.db, 'vic', 'viewer');
  await addUser(app.db, { username: 'max' });
  const headers = await signedIn(app, eve);
  const out = {
    deleted: () => transact(app.db, (trx) => deleteUser(trx, commandLine, eve.id, 2)),
    deactivated: () =>
      transact(app.db, (trx) => changeUser(trx, commandLine, eve.id, { is_active: false }, 1)),
    'given another role': () =>
      transact(app.db, (trx) => changeUser(trx, commandLine, eve.id, { role: 'viewer' }, 1)),
    'signed out': () => post(app, '/sign-out', {}, headers),
    'known by another cookie since a new password': () =>
      post(app, '/account/password', PASSWORD_CHANGE, headers),
  };
  return { app, ann, vic, headers, out };
}

/** Sends the head of a request, and the rest of it once `between` is done, which comes after it is known who asks. */
async function sendSlowly(
  app: FastifyInstance,
  path: string,
  fields: Record<string, string>,
  headers: Headers,
  between: () => Promise<unknown>,
): Promise<string> {
  const body = new URLSearchParams(fields).toString();
  const { port } = new URL(await listen(app));
  const socket = connect(Number(port), '127.0.0.1');
  const answer = text(socket);
  await once(socket, 'connect');
  const { promise: isKnown, resolve } = Promise.withResolvers<void>();
  const clock = vi.spyOn(app, 'clock').mockImplementation(() => {
    resolve();
    return Date.now();
  });
  const lines = {
    host: 'localhost',
    connection: 'close',
    'content-type': 'application/x-www-form-urlencoded',
    'content-length': body.length,
    ...headers,
  };
  const head = Object.entries(lines).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`POST ${path} HTTP/1.1\r\n${head.join('')}\r\n${body.slice(0, 1)}`);
  await isKnown;
  clock.mockRestore();
  await between();
  socket.write(body.slice(1));
  return answer;
}

/** Everything that can be changed by someone who is signed in. */
const CHANGES: readonly [path: string, fields: Record<string, string>][] = [
  ['/users', { username: 'zoe', email: 'zoe@example.org' }],
  ['/users', { username: 'zoe', email: 'zoe@example.org', role: 'admin' }],
  ['/users/4', { full_name: 'Max' }],
  ['/users/3', { role: 'admin' }],
  ['/users/4/delete', { go: '1' }],
  ['/users/3/invitation', { go: '1' }],
  ['/users/1/invitation', { go: '1' }],
  ['/users/3/invitation/delete', { go: '1' }],
  ['/users/1/code/delete', { go: '1' }],
  ['/users/3/sessions/delete', { go: '1' }],
  ['/users/3/sessions/9/delete', { go: '1' }],
  ['/roles', { admin: '1', before: '' }],
  ['/account/password', PASSWORD_CHANGE],
  ['/account/sessions/delete', { go: '1' }],
  ['/account/sessions/9/delete', { go: '1' }],
];

test.each(CHANGES)('%s %o is not done for someone who is deleted meanwhile', async (path, fields) => {
  const { app, headers, out } = await start();
  let before: unknown;
  const answer = await sendSlowly(app, path, fields, headers, async () => {
    await out.deleted();
    before = await dump(app.db);
  });
  expect(answer).toMatch(/^HTTP\/1\.1 401 /);
  expect(answer).toContain('You are not signed in, so nothing was changed.');
  expect(await dump(app.db)).toEqual(before);
});

test.each([
  'deactivated',
  'given another role',
  'signed out',
  'known by another cookie since a new password',
] as const)('nothing is done for someone who is %s meanwhile', async (what) => {
  const { app, headers, out } = await start();
  let before: unknown;
  const answer = await sendSlowly(app, '/users/1/invitation', { go: '1' }, headers, async () => {
    await out[what]();
    before = await dump(app.db);
  });
  expect(answer).toMatch(/^HTTP\/1\.1 401 /);
  expect(answer).not.toContain('Sign out');
  expect(await dump(app.db)).toEqual(before);
});

test('what is sent slowly by someone who stays is done', async () => {
  const { app, headers } = await start();
  const answer = await sendSlowly(app, '/users/4', { full_name: 'Max' }, headers, async () => {});
  expect(answer).toMatch(/^HTTP\/1\.1 303 /);
});

test('where nobody signs in, nothing is done once there is an administrator', async () => {
  const app = await startApp();
  await addUser(app.db, { username: 'max' });
  const { promise: isAsked, resolve } = Promise.withResolvers<void>();
  app.server.once('request', () => resolve());
  const { port } = new URL(await listen(app));
  const socket = connect(Number(port), '127.0.0.1');
  const answer = text(socket);
  const body = 'full_name=Max';
  socket.write(
    `POST /users/1 HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: ${body.length}\r\n\r\n`,
  );
  await isAsked;
  // Whoever asks has been looked at by the time that somebody else is answered.
  await post(app, '/users/1', {});
  await addPerson(app.db, 'ann', 'admin');
  const before = await dump(app.db);
  socket.write(body);
  expect(await answer).toMatch(/^HTTP\/1\.1 401 /);
  expect(await dump(app.db)).toEqual(before);
});

test('who may not is refused before a body is sent', async () => {
  const { app, vic } = await start();
  const { port } = new URL(await listen(app));
  const { cookie } = await signedIn(app, vic);
  for (const [sent, status] of [
    [`cookie: ${cookie}\r\n`, 403],
    ['', 401],
  ] as const) {
    const socket = connect(Number(port), '127.0.0.1');
    socket.write(
      `POST /users HTTP/1.1\r\nhost: localhost\r\nsec-fetch-site: same-origin\r\n${sent}content-type: application/x-www-form-urlencoded\r\ncontent-length: 9999999999\r\n\r\n`,
    );
    const [first] = await once(socket, 'data');
    expect(String(first)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    socket.destroy();
  }
});
