/** Requests that wait, for a database that is behind: it stands for all for which there is no time. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { LONGEST_WAIT } from '../../src/http/admission-queue.ts';
import { pageOf } from '../page.ts';
import { addPerson, movableClock } from '../people.ts';
import { get, listen, startApp } from '../support.ts';

const HOST = 'Host: localhost\r\n';
const LIST = `GET /users HTTP/1.1\r\n${HOST}\r\n`;
const HEALTH = `GET /healthz HTTP/1.1\r\n${HOST}\r\n`;
const FORM = `${HOST}Sec-Fetch-Site: same-origin\r\nContent-Type: application/x-www-form-urlencoded\r\n`;
const BODY = 'username=alice&email=alice@example.org';
const CREATE = `POST /users HTTP/1.1\r\n${FORM}Content-Length: ${BODY.length}\r\n\r\n${BODY}`;

/** A Roster that listens, whose database is behind and for which no time passes, and what it has begun, in order. */
async function startBusy(settings = {}) {
  const stopwatch = movableClock();
  const app = await startApp(settings, undefined, Date.now, stopwatch);
  const begun: string[] = [];
  let timeOfEach = 0;
  app.setGenReqId(({ method, url }) => {
    stopwatch.move(timeOfEach);
    return `${begun.push(`${method} ${url}`)}`;
  });
  const port = Number(new URL(await listen(app)).port);
  const isSaturated = vi.fn(() => true);
  Object.defineProperty(app.db.getExecutor().adapter, 'isSaturated', { get: isSaturated });
  return {
    app,
    begun,
    send: (text: string) => send(port, text),
    /** Waits until what was sent before has arrived: a health check is answered that was sent after it. */
    async arrived() {
      await (await send(port, HEALTH)).answer();
    },
    catchUp: () => void isSaturated.mockReturnValue(false),
    fallBehind: () => void isSaturated.mockReturnValue(true),
    passTime: (milliseconds = LONGEST_WAIT) => stopwatch.move(milliseconds),
    /** From now on each request takes so many milliseconds. */
    takeTime(each: number): void {
      timeOfEach = each;
    },
  };
}

async function send(port: number, text: string) {
  const socket = connect({ port, host: '127.0.0.1' });
  onTestFinished(() => void socket.destroy());
  const closed = once(socket, 'close');
  let received = '';
  socket.setEncoding('utf8').on('data', (data) => {
    received += data;
  });
  socket.write(text);
  return {
    socket,
    closed,
    received: () => received,
    /** What has come by then is no answer to what is asked next. */
    forget(): void {
      received = '';
    },
    /** The first answer, once it is whole. */
    async answer(): Promise<{ head: string; body: string }> {
      return vi.waitUntil(
        () => {
          const [head = '', body = ''] = received.split('\r\n\r\n');
          const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
          return Buffer.byteLength(body) >= Number(length) && { head, body };
        },
        { timeout: 60_000 },
      );
    },
  };
}

function namesOf(head: string): string[] {
  return [...head.matchAll(/^([\w-]+): /gm)].map(([, name]) => String(name).toLowerCase()).sort();
}

test('whoever has waited for too long is refused, by a page with all that others have, and nothing is done', async () => {
  const roster = await startBusy();
  const clients = [await roster.send(LIST), await roster.send(CREATE)];
  await roster.arrived();
  roster.passTime();
  const page = await get(roster.app, '/nowhere');
  const sentences = [
    'Too many people are using Roster at this moment. Reload this page in a few seconds. Reload this page',
    'Nothing was changed; go back and send it again in a few seconds. Go to Roster',
  ];
  for (const [index, client] of clients.entries()) {
    const { head, body } = await client.answer();
    expect(pageOf(body).text).toContain(sentences[index]);
    expect(head).toMatch(/^HTTP\/1.1 503 /);
    expect(head).toMatch(/\r\nretry-after: [1-5]\r\n/i);
    // The log names some of them alone.
    expect(body).not.toContain('as request');
    expect(body).toMatch(/<\/html>\n$/);
    const others = Object.keys(page.headers).filter((name) => name !== 'vary');
    expect(namesOf(head)).toEqual([...others, 'retry-after', 'keep-alive'].sort());
  }
  expect(roster.begun).toEqual(['GET /healthz', 'GET /nowhere']);
  expect(await roster.app.db.selectFrom('users').selectAll().execute()).toEqual([]);
});

test('where each request has a line in the log, the page of a refusal names it', async () => {
  const roster = await startBusy({ LOG_LEVEL: 'info' });
  const client = await roster.send(LIST);
  await roster.arrived();
  roster.passTime();
  const { head, body } = await client.answer();
  const id = /\r\nx-request-id: (\S+)\r\n/i.exec(head)?.[1];
  expect(body).toContain(`as request <code translate="no">${id}</code>`);
});

test.each([
  [300, 150],
  [100, 0],
])('when half the time of %i who wait is over, %i have been refused', async (waiting, refused) => {
  const roster = await startBusy();
  const clients = await Promise.all(Array.from({ length: waiting }, () => roster.send(LIST)));
  await roster.arrived();
  roster.passTime(LONGEST_WAIT / 2);
  await roster.arrived();
  const answered = () => clients.filter((client) => client.received().includes('HTTP/1.1 503 ')).length;
  await expect.poll(answered).toBe(refused);
});

test('who is refused may ask again on the same connection', async () => {
  const roster = await startBusy();
  const client = await roster.send(LIST);
  await roster.arrived();
  roster.passTime();
  expect((await client.answer()).head).toMatch(/^HTTP\/1.1 503 /);
  roster.catchUp();
  client.socket.write(LIST);
  await expect.poll(() => roster.begun).toContain('GET /users');
});

test('HEAD is refused without a page', async () => {
  const roster = await startBusy();
  const client = await roster.send(LIST.replace('GET', 'HEAD').replace(HOST, `${HOST}Connection: close\r\n`));
  let received = '';
  client.socket.on('data', (data) => {
    received += data;
  });
  await roster.arrived();
  roster.passTime();
  await client.closed;
  expect(received).toMatch(/^HTTP\/1.1 503 /);
  expect(received).toMatch(/^[^<]+\r\n\r\n$/);
});

test('health checks do not wait, and the others are begun in the order of their kinds', async () => {
  const roster = await startBusy();
  const at = (path: string) => LIST.replace('/users', path);
  for (const text of [at('/import'), CREATE, LIST, CREATE.replace('/users', '/sign-in')]) {
    await roster.send(text);
    await roster.arrived();
  }
  expect(roster.begun).toEqual(Array(4).fill('GET /healthz'));
  roster.catchUp();
  const inOrder = ['POST /sign-in', 'GET /users', 'POST /users', 'GET /import'];
  await expect.poll(() => roster.begun.slice(4)).toEqual(inOrder);
});

test('the page for signing in comes no sooner than others: whoever asks for it alone holds up nobody', async () => {
  const roster = await startBusy();
  for (const text of [LIST, LIST.replace('/users', '/sign-in')]) {
    await roster.send(text);
    await roster.arrived();
  }
  roster.catchUp();
  await expect.poll(() => roster.begun.slice(2)).toEqual(['GET /users', 'GET /sign-in']);
});

test('passwords that are sent from one address, each on a new connection, hold up nobody', async () => {
  const roster = await startBusy();
  for (let sent = 1; sent <= 5; sent++) {
    await roster.send(CREATE.replace('/users', `/sign-in?${sent}`));
    await roster.arrived();
  }
  for (const text of [LIST, CREATE, LIST.replace('/users', '/import')]) {
    await roster.send(text);
    await roster.arrived();
  }
  roster.catchUp();
  const first = [1, 2, 3].map((sent) => `POST /sign-in?${sent}`);
  const others = ['GET /users', 'POST /users', 'GET /import'];
  const last = [4, 5].map((sent) => `POST /sign-in?${sent}`);
  await expect.poll(() => roster.begun.slice(8)).toEqual([...first, ...others, ...last]);
});

test('a health check waits for nobody, however often it comes on a connection and however many wait', async () => {
  const roster = await startBusy();
  for (let waiting = 0; waiting < 40; waiting++) await roster.send(LIST);
  const checks = await roster.send(HEALTH);
  for (let check = 1; check <= 6; check++) {
    expect((await checks.answer()).head).toMatch(/^HTTP\/1.1 200 /);
    checks.forget();
    checks.socket.write(HEALTH);
  }
});

test('health checks put whoever asks for a page after them in no burst', async () => {
  const roster = await startBusy();
  const checker = await roster.send(HEALTH.repeat(5));
  await expect.poll(() => roster.begun).toHaveLength(5);
  checker.socket.write(LIST);
  await roster.arrived();
  await roster.send(CREATE);
  await roster.arrived();
  roster.catchUp();
  await expect.poll(() => roster.begun.slice(7)).toEqual(['GET /users', 'POST /users']);
});

test('whoever never pauses holds up nobody else', async () => {
  const roster = await startBusy();
  roster.catchUp();
  const bursting = await roster.send(LIST.repeat(3));
  await expect.poll(() => roster.begun).toHaveLength(3);
  roster.fallBehind();
  bursting.socket.write(LIST);
  await roster.arrived();
  await roster.send(CREATE);
  await roster.arrived();
  roster.catchUp();
  await expect.poll(() => roster.begun.slice(5)).toEqual(['POST /users', 'GET /users']);
});

/** A form that is sent, and the list, as a proxy passes them on. */
const forwarded = (text: string, client: string) =>
  text.replace(HOST, `${HOST}X-Forwarded-For: 203.0.113.1, ${client}\r\n`);

test('behind a proxy whoever is new comes before a client that never pauses, whichever connection is used', async () => {
  const roster = await startBusy({ TRUST_PROXY: '127.0.0.1' });
  await addPerson(roster.app.db, 'ann', 'admin');
  roster.catchUp();
  const pool = [await roster.send(''), await roster.send('')];
  for (let count = 0; count < 4; count++) {
    pool[count % 2]?.socket.write(forwarded(LIST, '198.51.100.1'));
    await expect.poll(() => roster.begun).toHaveLength(count + 1);
  }
  roster.fallBehind();
  const [first, second] = [forwarded(LIST, '198.51.100.1'), forwarded(CREATE, '198.51.100.2')];
  for (const [index, text] of [first, second].entries()) {
    pool[index]?.socket.write(text);
    await roster.arrived();
  }
  roster.catchUp();
  await expect.poll(() => roster.begun.slice(6)).toEqual(['POST /users', 'GET /users']);
});

test('behind a proxy that does not say who asks nobody is known not to pause', async () => {
  const roster = await startBusy({ TRUST_PROXY: '127.0.0.1' });
  await addPerson(roster.app.db, 'ann', 'admin');
  roster.catchUp();
  const used = await roster.send(LIST.repeat(4));
  await expect.poll(() => roster.begun).toHaveLength(4);
  roster.fallBehind();
  await roster.send(CREATE);
  await roster.arrived();
  used.socket.write(LIST);
  await roster.arrived();
  roster.catchUp();
  await expect.poll(() => roster.begun.slice(6)).toEqual(['GET /users', 'POST /users']);
});

test('requests of one connection are begun in their order, each once the one before is answered', async () => {
  const roster = await startBusy();
  const client = await roster.send(CREATE + LIST + HEALTH);
  await roster.arrived();
  expect(roster.begun).toEqual(['GET /healthz']);
  roster.catchUp();
  await expect.poll(() => roster.begun.slice(1)).toEqual(['POST /users', 'GET /users', 'GET /healthz']);
  await expect.poll(client.received).toMatch(/^HTTP\/1.1 303 .*alice.*HTTP\/1.1 200 .*ok\n$/s);
  // The list that was asked for after it has the user.
  expect(client.received()).toMatch(/HTTP\/1.1 200 .*alice@/s);
});

test('what follows the last answer of a connection is not begun', async () => {
  const roster = await startBusy();
  const last = LIST.replace(HOST, `${HOST}Connection: close\r\n`);
  const client = await roster.send(last + CREATE);
  await roster.arrived();
  roster.catchUp();
  await client.closed;
  expect(roster.begun).toEqual(['GET /healthz', 'GET /users']);
});

test('of what is sent ahead on a connection no more is read than comes at once', async () => {
  const roster = await startBusy();
  const connected = once(roster.app.server, 'connection');
  const client = await roster.send('');
  const [connection] = (await connected) as [Socket];
  for (let sent = 0; sent < 100; sent++) client.socket.write(LIST.repeat(1_000));
  for (let round = 0; round < 5; round++) await roster.arrived();
  expect(connection.bytesRead).toBeGreaterThan(0);
  expect(connection.bytesRead).toBeLessThan(200_000);
});

test('what is sent of a form while it waits is all there', async () => {
  const roster = await startBusy();
  const client = await roster.send(CREATE.slice(0, -10));
  await roster.arrived();
  client.socket.write(CREATE.slice(-10));
  await roster.arrived();
  roster.catchUp();
  expect((await client.answer()).head).toMatch(/^HTTP\/1.1 303 /);
});

test('nothing is begun for whoever has gone', async () => {
  const roster = await startBusy();
  const gone = await roster.send(CREATE);
  await roster.arrived();
  gone.socket.destroy();
  await gone.closed;
  await roster.arrived();
  roster.catchUp();
  expect((await (await roster.send(LIST)).answer()).head).toMatch(/^HTTP\/1.1 200 /);
  expect(roster.begun).not.toContain('POST /users');
});

test('what is no HTTP, after a request that waits, does not take its answer', async () => {
  const roster = await startBusy();
  const client = await roster.send(LIST);
  await roster.arrived();
  client.socket.write('noise\r\n\r\n');
  await roster.arrived();
  roster.catchUp();
  expect((await client.answer()).head).toMatch(/^HTTP\/1.1 200 /);
  await client.closed;
});

test('whoever is refused while still sending sees the answer', async () => {
  const roster = await startBusy();
  const length = 5_000_000;
  const head = CREATE.slice(0, CREATE.indexOf('Content-Length'));
  const client = await roster.send(`${head}Content-Length: ${length}\r\n\r\n${'a'.repeat(length)}`);
  await roster.arrived();
  roster.passTime();
  expect((await client.answer()).head).toMatch(/^HTTP\/1.1 503 /);
});

test('refusals are lines of one kind in the log, of which one a second is written', async () => {
  const roster = await startBusy();
  const warn = vi.spyOn(roster.app.log, 'warn');
  const clients = await Promise.all([LIST, LIST, LIST].map(roster.send));
  await roster.arrived();
  roster.passTime();
  await Promise.all(clients.map((client) => client.answer()));
  expect(new Set(warn.mock.calls.map(([, line]) => line)).size).toBe(1);
  expect(warn).toHaveBeenCalledTimes(3);
});

test('what has just come waits for a few requests at most, however long each of them takes', async () => {
  const roster = await startBusy();
  for (let waiting = 0; waiting < 12; waiting++) await roster.send(LIST);
  await roster.arrived();
  roster.takeTime(20);
  roster.catchUp();
  let before = roster.begun.length;
  let most = 0;
  // Between two of these whatever has come is read.
  for (const all = before + 12; before < all; before = roster.begun.length) {
    await setImmediate();
    most = Math.max(most, roster.begun.length - before);
  }
  expect(most).toBeLessThan(4);
});

test('whoever is late where all that wait can be begun at once is not refused', async () => {
  const roster = await startBusy();
  const client = await roster.send(LIST);
  await roster.arrived();
  // As when the machine has stood still.
  roster.catchUp();
  roster.passTime();
  expect((await client.answer()).head).toMatch(/^HTTP\/1.1 200 /);
});
