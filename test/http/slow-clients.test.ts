/** Clients that stall, are slow, or do not read: each is let go after some ten seconds, in which all of them wait together. */
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { seedUsers } from '../../src/cli/seed.ts';
import { multipart } from '../imports/multipart.ts';
import { startRoster } from '../roster.ts';
import { get, listen, post, startApp } from '../support.ts';
import { connectTo, FORM, readAnswer } from './sockets.ts';

const WAITS: Readonly<Record<string, () => Promise<void>>> = {
  async 'who stalls is told so before the connection closes; not who has sent nothing, nor who waits between two requests'() {
    const app = await startApp();
    const { port } = new URL(await listen(app));
    const form = `POST /users HTTP/1.1\r\nHost: localhost\r\n${FORM}`;
    const open = async (sent: string) => {
      const socket = connect(Number(port), '127.0.0.1');
      onTestFinished(() => void socket.destroy());
      socket.write(sent);
      return socket;
    };
    const page = 'GET /users HTTP/1.1\r\nHost: localhost\r\n\r\n';
    const idle = await open(page);
    expect(await readAnswer(idle)).toMatch(/\r\nkeep-alive: timeout=150\r\n/i);
    const stalled = [
      'GET /us',
      'GET /users HTTP/1.1\r\nHost: loc',
      `${form}Content-Length: 20\r\n\r\n`,
      `${form}Content-Length: 20\r\n\r\nusername=`,
      `${form}Transfer-Encoding: chunked\r\n\r\n`,
      `${form}Transfer-Encoding: chunked\r\n\r\n20\r\nusername=`,
    ];
    const began = performance.now();
    const silent = open('').then(text);
    const answers = await Promise.all(stalled.map(async (sent) => text(await open(sent))));
    expect(await silent).toBe('');
    expect(performance.now() - began).toBeGreaterThan(9_900);
    for (const [at, answer] of answers.entries()) {
      expect(answer, stalled[at]).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
      // Of what has not said yet what it is, nobody knows what it was to change.
      const rest = stalled[at]?.startsWith('POST')
        ? ' Nothing was changed; what you typed is one step back.'
        : '';
      expect(answer, stalled[at]).toContain(`took too long to arrive.${rest}</p>`);
      expect(answer.endsWith('</html>\n'), stalled[at]).toBe(true);
    }
    idle.write(page);
    expect(await readAnswer(idle)).toMatch(/^HTTP\/1\.1 200 /);
  },
  async 'who has been answered keeps the connection for as long as KEEP_ALIVE_SECONDS says, and not much longer'() {
    const app = await startApp({ KEEP_ALIVE_SECONDS: '3' });
    const { port } = new URL(await listen(app));
    const socket = connect(Number(port), '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    socket.write('GET /users HTTP/1.1\r\nHost: localhost\r\n\r\n');
    expect(await readAnswer(socket)).toMatch(/\r\nkeep-alive: timeout=3\r\n/i);
    const answered = performance.now();
    await once(socket.resume(), 'end');
    const kept = performance.now() - answered;
    expect(kept).toBeGreaterThan(2_900);
    // By default it is kept for 150 s.
    expect(kept).toBeLessThan(15_000);
  },
  async 'who stalls behind a request that was answered is told so as well'() {
    const app = await startApp();
    const page = 'GET /users HTTP/1.1\r\nHost: localhost\r\n\r\n';
    const form = `POST /users HTTP/1.1\r\nHost: localhost\r\n${FORM}Content-Length: 20\r\n\r\nusername=`;
    const { port } = new URL(await listen(app));
    const answers = await Promise.all(
      [page, page + page].map((before) => {
        const socket = connect(Number(port), '127.0.0.1');
        onTestFinished(() => void socket.destroy());
        socket.write(before + form);
        return text(socket);
      }),
    );
    const statuses = answers.map((answer) => answer.match(/HTTP\/1\.1 \d+/g)?.map((line) => line.slice(9)));
    expect(statuses).toEqual([
      ['200', '408'],
      ['200', '200', '408'],
    ]);
    for (const answer of answers) expect(answer).toMatch(/ Nothing was changed; .*<\/html>\n$/s);
  },
  async 'what is too slow is told that nothing was changed, and then nothing is, however it goes on'() {
    const app = await startApp();
    const socket = await connectTo(app);
    const body = 'username=alice&email=alice@example.org';
    socket.write(
      `POST /users HTTP/1.1\r\nHost: localhost\r\n${FORM}Content-Length: ${body.length}\r\n\r\nusername`,
    );
    let sent = 'username'.length;
    const drip = setInterval(() => socket.write(body[sent++] ?? ''), 1_000);
    onTestFinished(() => clearInterval(drip));
    const answer = await readAnswer(socket);
    clearInterval(drip);
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(answer).toContain(
      'took too long to arrive. Nothing was changed; what you typed is one step back.',
    );
    expect(sent).toBeLessThan(body.length);
    socket.end(body.slice(sent));
    await once(socket, 'close');
    await post(app, '/users', { username: 'bob', email: 'bob@example.org' });
    expect(await app.db.selectFrom('users').select('username').execute()).toEqual([{ username: 'bob' }]);
  },
  async 'a file may take longer to arrive than a form does; who stalls on the way is told so, and nothing of it stays'() {
    const app = await startApp();
    const { port } = new URL(await listen(app));
    const { body, headers } = multipart(
      {},
      { name: 'a.csv', content: 'username,email\nbob,bob@example.org\n' },
    );
    const begin = () => {
      const socket = connect(Number(port), '127.0.0.1');
      onTestFinished(() => void socket.destroy());
      const type = `Content-Type: ${headers['content-type']}\r\nContent-Length: ${body.length}\r\n`;
      socket.write(`POST /import HTTP/1.1\r\nHost: localhost\r\n${type}\r\n`);
      socket.write(body.subarray(0, -20));
      return socket;
    };
    const [slow, stalled] = [begin(), begin()];
    let sent = body.length - 20;
    // The last of it comes after a form would have been given up.
    const drip = setInterval(() => {
      if (sent < body.length) slow.write(body.subarray(sent, ++sent));
    }, 650);
    onTestFinished(() => clearInterval(drip));
    slow.setEncoding('utf8');
    const [taken] = await once(slow, 'data');
    expect(taken).toMatch(/^HTTP\/1\.1 303 /);
    expect(await readAnswer(stalled)).toMatch(/^HTTP\/1\.1 408 [\s\S]*<\/html>\n$/);
    const left = readdirSync(app.config.importFolder).filter((name) => name.endsWith('.upload'));
    expect(left).toEqual([]);
  },
  async 'a client that does not read its answers is dropped within 15 s'() {
    const app = await startApp();
    await seedUsers(app.db, 100);
    const connected = once(app.server, 'connection');
    const { port } = new URL(await listen(app));
    const client = connect(Number(port), '127.0.0.1').pause();
    onTestFinished(() => void client.destroy());
    const [connection] = (await connected) as [Socket];
    const asked = performance.now();
    // Far more than the buffers between the two hold.
    client
      .on('error', () => {})
      .write('GET /users?per_page=100 HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(300));
    await once(connection, 'close');
    expect(performance.now() - asked).toBeLessThan(15_000);
    expect(client.bytesRead).toBe(0);
    expect((await get(app, '/users')).statusCode).toBe(200);
  },
  async 'a running Roster drops clients that are silent or slow after 10 s, within 15 s, and serves others meanwhile'() {
    const roster = await startRoster();
    const connected = performance.now();
    const open = async () => {
      const socket = connect(Number(new URL(roster.address).port), '127.0.0.1');
      await once(socket, 'connect');
      return socket;
    };
    const silent = await open();
    const slowHeaders = await open();
    slowHeaders.write('GET /users HTTP/1.1\r\nHost: localhost\r\nX-Slow: ');
    const drip = setInterval(() => slowHeaders.write('x'), 500);
    const slowBody = await open();
    slowBody.write(
      'POST /users HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 99\r\n\r\n',
    );
    const dripBody = setInterval(() => slowBody.write('x'), 500);
    onTestFinished(() => {
      clearInterval(drip);
      clearInterval(dripBody);
    });
    const sockets = [silent, slowHeaders, slowBody];
    for (const socket of sockets) socket.on('error', () => {}).resume();
    const closed = sockets.map(async (socket) => {
      await once(socket, 'close');
      return performance.now() - connected;
    });
    expect((await fetch(`${roster.address}/users`)).status).toBe(200);
    const times = await Promise.all(closed);
    expect(Math.min(...times)).toBeGreaterThan(9_900);
    expect(Math.max(...times)).toBeLessThan(15_000);
    expect((await fetch(`${roster.address}/users`)).status).toBe(200);
  },
};

test(Object.keys(WAITS).join('; '), async () => {
  const waiting = Object.entries(WAITS).map(([what, wait]) =>
    wait().catch((cause) => {
      throw new Error(what, { cause });
    }),
  );
  await Promise.all(waiting);
});
