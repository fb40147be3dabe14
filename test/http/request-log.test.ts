/** What the log says of requests: one line for each, and nothing about people but their numbers and addresses. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import type { Db } from '../../src/db/schema.ts';
import { addPerson, PASSWORD } from '../people.ts';
import { listenTo, run } from '../roster.ts';
import { readyUrl, temporaryDatabase } from '../support.ts';

type Line = {
  msg: string;
  reqId: string;
  event?: string;
  method?: string;
  route?: string;
  status?: number;
  ms: number;
  databaseMs: number;
  bytes: number;
  actor?: number;
  address: string;
  aborted?: true;
  job?: number;
};

const HOST = 'Host: localhost\r\n';
const FORM = `${HOST}Content-Type: application/x-www-form-urlencoded\r\n`;
const CLOSE = `${HOST}Connection: close\r\n\r\n`;

/** A Roster that logs every request. */
async function startLogging(settings: Record<string, string> = {}, prepare?: (db: Db) => Promise<unknown>) {
  const url = await readyUrl();
  const db = await temporaryDatabase(url);
  await prepare?.(db);
  const child = run([], { PORT: '0', DATABASE_URL: url, LOG_LEVEL: 'info', ...settings });
  const { address, said } = await listenTo(child);
  const lines = () => (said().match(/^\{.*\}$/gm) ?? []).map((line) => JSON.parse(line) as Line);
  const requests = () => lines().filter(({ msg }) => msg === 'request');
  return {
    db,
    child,
    address,
    said,
    lines,
    /** Waits for that many: an answer can be there before its line is. */
    async requests(count: number): Promise<Line[]> {
      while (requests().length < count) await once(child.stdout, 'data');
      expect(requests().length).toBe(count);
      return requests();
    },
  };
}

/** The same with an administrator, ann: without one, nobody needs to sign in. */
async function startWithAnn() {
  const roster = await startLogging();
  const ann = await addPerson(roster.db, 'ann', 'admin');
  return { ...roster, ann };
}

async function signIn(address: string): Promise<{ cookie: string; origin: string }> {
  const body = new URLSearchParams({ username: 'ann', password: PASSWORD });
  const answer = await fetch(`${address}/sign-in`, {
    method: 'POST',
    body,
    headers: { origin: address },
    redirect: 'manual',
  });
  expect(answer.status).toBe(303);
  const cookie = answer.headers.getSetCookie().map((line) => line.split(';')[0]);
  return { cookie: cookie.join('; '), origin: address };
}

/** Sends bytes as they are, and reads until the connection is closed. */
async function sendRaw(address: string, bytes: string): Promise<string> {
  const socket = connect(Number(new URL(address).port), '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.write(bytes);
  return text(socket);
}

test('a request has one line, with its route, its answer, how long all of it and the database took, and who asked', async () => {
  const roster = await startWithAnn();
  const headers = await signIn(roster.address);
  const page = await fetch(`${roster.address}/users/${roster.ann.id}`, { headers });
  const made = await fetch(`${roster.address}/users`, {
    method: 'POST',
    body: new URLSearchParams({ username: 'bob', email: 'bob@example.org' }),
    headers,
    redirect: 'manual',
  });
  const [signing, shown, created] = await roster.requests(3);
  expect(signing).toMatchObject({ method: 'POST', route: '/sign-in', status: 303, address: '127.0.0.1' });
  expect(shown).toMatchObject({
    reqId: page.headers.get('x-request-id'),
    method: 'GET',
    route: '/users/:id',
    status: 200,
    actor: roster.ann.id,
    address: '127.0.0.1',
  });
  expect(shown?.bytes).toBeGreaterThan(Number(page.headers.get('content-length')));
  expect(created).toMatchObject({
    reqId: made.headers.get('x-request-id'),
    method: 'POST',
    route: '/users',
    status: 303,
    actor: roster.ann.id,
  });
  // A form is read in a context of its own: what is asked after that counts as well.
  for (const line of [shown, created]) {
    expect(line?.databaseMs).toBeGreaterThan(0);
    expect(line?.ms).toBeGreaterThanOrEqual(line?.databaseMs ?? Number.NaN);
  }
});

test('what has no route has a line as well, whatever was wrong with it', async () => {
  const roster = await startLogging();
  const sent: [bytes: string, status: number, more: Partial<Line>][] = [
    [`GET /nowhere/garcia HTTP/1.1\r\n${CLOSE}`, 404, { method: 'GET' }],
    [`GET /users/%zz HTTP/1.1\r\n${CLOSE}`, 400, { method: 'GET' }],
    [`GET /users/by-username/${'a'.repeat(17_000)} HTTP/1.1\r\n${CLOSE}`, 431, {}],
    [`BREW /users HTTP/1.1\r\n${CLOSE}`, 400, {}],
    [`DELETE /users HTTP/1.1\r\n${CLOSE}`, 405, { method: 'DELETE', route: '/users' }],
    ['no request\r\n\r\n', 400, {}],
    [`CONNECT a:1 HTTP/1.1\r\n${CLOSE}`, 400, {}],
    [
      `POST /users HTTP/1.1\r\n${FORM}Transfer-Encoding: chunked\r\n\r\nzz\r\n`,
      400,
      { method: 'POST', route: '/users' },
    ],
  ];
  for (const [at, [bytes, status, more]] of sent.entries()) {
    const answer = await sendRaw(roster.address, bytes);
    const line = (await roster.requests(at + 1)).at(-1);
    const reqId = /^x-request-id: (\S+)\r$/im.exec(answer)?.[1];
    expect(line, bytes.slice(0, 40)).toMatchObject({ reqId, status, address: '127.0.0.1', ...more });
    expect(line?.bytes).toBe(Buffer.byteLength(answer));
    expect(answer).toContain(`as request <code translate="no">${reqId}</code>`);
  }
});

test('a client that goes away has a line, without a status where nothing was answered', async () => {
  const roster = await startLogging();
  const socket = connect(Number(new URL(roster.address).port), '127.0.0.1');
  socket.write(`POST /users HTTP/1.1\r\n${FORM}Content-Length: 20\r\n\r\nusername=`);
  // By then the half of it has arrived.
  await (await fetch(`${roster.address}/healthz`)).text();
  socket.resetAndDestroy();
  const [, gone] = await roster.requests(2);
  expect(gone).toMatchObject({
    method: 'POST',
    route: '/users',
    aborted: true,
    bytes: 0,
    address: '127.0.0.1',
  });
  expect(gone).not.toHaveProperty('status');
});

test('of requests on one connection each counts its own bytes', async () => {
  const roster = await startLogging();
  const answers = await sendRaw(
    roster.address,
    `GET /healthz HTTP/1.1\r\n${HOST}\r\nGET /sign-in HTTP/1.1\r\n${HOST}\r\nGET /nowhere HTTP/1.1\r\n${CLOSE}`,
  );
  const lines = await roster.requests(3);
  expect(lines.map(({ status }) => status)).toEqual([200, 303, 404]);
  const starts = [...answers.matchAll(/HTTP\/1\.1 /g)].map(({ index }) => index);
  const lengths = starts.map((start, at) => Buffer.byteLength(answers.slice(start, starts[at + 1])));
  expect(lines.map(({ bytes }) => bytes)).toEqual(lengths);
});

test('behind a proxy it is the client’s address and the proxy’s name for the request, also where that has no route', async () => {
  const roster = await startLogging({ TRUST_PROXY: '127.0.0.1' }, (db) => addPerson(db, 'ann', 'admin'));
  const forwarded = 'X-Forwarded-For: 203.0.113.7\r\nX-Request-Id: given-by-the-proxy\r\n';
  for (const path of ['/sign-in', '/nowhere', '/users/%zz'])
    await sendRaw(roster.address, `GET ${path} HTTP/1.1\r\n${forwarded}${CLOSE}`);
  for (const line of await roster.requests(3))
    expect(line).toMatchObject({ address: '203.0.113.7', reqId: 'given-by-the-proxy' });
});

test('nothing that somebody typed, and no name, is in the log; not even where it is about an error', async () => {
  const roster = await startWithAnn();
  const headers = await signIn(roster.address);
  const ask = (path: string, fields?: Record<string, string>) =>
    fetch(`${roster.address}${path}`, {
      headers,
      redirect: 'manual',
      ...(fields && { method: 'POST', body: new URLSearchParams(fields) }),
    });
  const token = 'T0ken'.repeat(9).slice(0, 43);
  await ask('/users?q=garcia');
  await ask('/users/by-username/garcia');
  await ask('/nowhere/garcia?email=garcia@example.org');
  await ask('/users/garcia/%zz');
  await ask(`/invitations/${token}`);
  await ask(`/setup/${token}`);
  await ask('/users', { username: 'garcia', email: 'garcia@example.org', full_name: 'García' });
  await ask('/users', { username: 'garcia', email: 'garcia@example.org' });
  await ask('/users/2', { role: 'editor' });
  await roster.db
    .transaction()
    .execute((trx) => trx.schema.alterTable('user_counts').renameTo('lost').execute());
  expect((await ask('/users?q=garcia')).status).toBe(500);
  await roster.requests(11);
  expect(roster.lines().map(({ msg }) => msg)).toContain('request failed');
  expect(roster.lines().map(({ event }) => event)).toContain('role changed from member to editor');
  for (const secret of ['garcia', 'García', 'Garc', token.slice(5, 20), '"ann"', 'example.org'])
    expect(roster.said(), secret).not.toContain(secret);
});

test('every line that a request has caused names it', async () => {
  const roster = await startWithAnn();
  const headers = await signIn(roster.address);
  const [signing] = await roster.requests(1);
  expect(roster.lines().find(({ event }) => event === 'signed in')?.reqId).toBe(signing?.reqId);
  await roster.db
    .transaction()
    .execute((trx) => trx.schema.alterTable('user_counts').renameTo('lost').execute());
  const failed = await fetch(`${roster.address}/users`, { headers });
  await roster.requests(2);
  const own = roster.lines().filter(({ reqId }) => reqId === failed.headers.get('x-request-id'));
  expect(own.map(({ msg }) => msg)).toEqual(['request failed', 'request']);
});

test('below info there are no lines of requests', async () => {
  const roster = await startLogging({ LOG_LEVEL: 'warn' });
  await (await fetch(`${roster.address}/nowhere`)).text();
  await sendRaw(roster.address, 'no request\r\n\r\n');
  roster.child.kill('SIGTERM');
  await once(roster.child, 'close');
  expect(roster.lines().map(({ msg }) => msg)).toEqual(['request not understood']);
});
