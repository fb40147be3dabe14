import { once } from 'node:events';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { Agent, get as httpGet, request } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { filePathOf } from '../src/database-url.ts';
import { nameOf } from '../src/db/database.ts';
import { pageOf } from './page.ts';
import { type Roster, run, runNpm, startRoster } from './roster.ts';
import { readyUrl, temporaryDatabase, temporaryFolder, temporaryUrl } from './support.ts';

/** Runs Roster to its end. */
async function runToEnd(args: string[], settings: Record<string, string> = {}) {
  const child = run(args, {
    PORT: '0',
    DATABASE_URL: await temporaryUrl(),
    ...settings,
  });
  const [out, error, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  return { out, error, code };
}

async function connectTo({ address }: Roster): Promise<Socket> {
  const socket = connect(Number(new URL(address).port), '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

describe('the command line', () => {
  test('explains the settings', async () => {
    const { out, code } = await runToEnd(['--help']);
    expect(code).toBe(0);
    for (const name of ['HOST', 'PORT', 'ORIGIN', 'DATABASE_URL', 'LOG_LEVEL']) expect(out).toContain(name);
  });

  test.each([
    [['dance'], {}, /^There is no command "dance"; see npm start -- --help\.\n$/],
    [['--loud'], {}, /^Unknown option '--loud'.*--help\.\n$/],
    [['seed'], {}, /^Say how many users to add: npm run seed -- 100000\n$/],
    [['seed', 'many'], {}, /^Say how many users to add/],
    [
      [],
      { ORIGIN: 'https://users.example.org' },
      /^ORIGIN says that there is a proxy: set TRUST_PROXY .*\n$/,
    ],
    [[], { HOST: '0.0.0.0' }, /^Roster speaks plain HTTP, .*ORIGIN.*TRUST_PROXY.*\n$/],
    [['admin'], {}, /^Say who: npm run roster -- admin alice --email alice@example\.com\n$/],
    [[], { PORT: 'x' }, /^PORT must be a whole number from 0 to 65535, not "x"\.\n$/],
    [
      [],
      { HOST: '203.0.113.7', ORIGIN: 'https://users.example.org', TRUST_PROXY: '10.0.0.1' },
      /^203\.0\.113\.7 is no address of this machine; give HOST another one\.\n$/,
    ],
  ])('%o with %o is refused in one sentence', async (args, settings, sentence) => {
    expect(await runToEnd(args, settings)).toMatchObject({
      out: '',
      error: expect.stringMatching(sentence),
      code: 1,
    });
  });

  test.each([
    { HOST: '0.0.0.0', ORIGIN: 'https://users.example.org', TRUST_PROXY: '10.0.0.1' },
    { ORIGIN: 'https://users.example.org', TRUST_PROXY: '127.0.0.1' },
    { TRUST_PROXY: '127.0.0.1' },
  ])('without an administrator, %o is refused in one sentence', async (settings) => {
    const url = await readyUrl();
    await temporaryDatabase(url);
    const { out, error, code } = await runToEnd([], { DATABASE_URL: url, ...settings });
    expect({ out, code }).toEqual({ out: '', code: 1 });
    expect(error).toMatch(
      /^There is no administrator in .* yet, .*: npm run roster -- admin alice --email alice@example\.com\n$/,
    );
  });

  test('a port in use is refused in one sentence', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void taken.close());
    await once(taken, 'listening');
    const address = taken.address();
    const port = typeof address === 'object' ? String(address?.port) : '';
    const { error, code } = await runToEnd([], { PORT: port });
    expect(error).toBe(
      `Port ${port} of 127.0.0.1 is in use; give PORT another number, or 0 for a free one.\n`,
    );
    expect(code).toBe(1);
  });

  test('a file that is no database is refused in one sentence, and nothing appears beside it', async () => {
    const path = join(temporaryFolder(), 'notes.txt');
    writeFileSync(path, 'milk, bread');
    const { error, code } = await runToEnd([], { DATABASE_URL: `sqlite:${path}` });
    expect(error).toBe(`${path} is not a SQLite database; give DATABASE_URL another path.\n`);
    expect(code).toBe(1);
    expect(existsSync(`${path}-wal`)).toBe(false);
  });
});

/** Settings with which a Roster runs some code first. */
const preloading = (code: string) => ({
  NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(code)}`,
});

describe('a start that fails', () => {
  /** Someone else takes the port between the look whether it is free and the listening. */
  const TAKEN = preloading(`
    import { Server } from 'node:net';
    const { listen } = Server.prototype;
    let count = 0;
    Server.prototype.listen = function (...args) {
      if (count++ === 0) return listen.apply(this, args);
      process.nextTick(() => this.emit('error', Object.assign(new Error('taken'), { code: 'EADDRINUSE' })));
      return this;
    };`);
  const NO_SERVER = preloading(`
    import http from 'node:http';
    http.createServer = () => { throw new Error('no server'); };`);

  test.each([
    [TAKEN, /^Port 0 of 127\.0\.0\.1 is in use; /m],
    [NO_SERVER, /no server/],
  ])('says that it has made a database, and closes it in order', async (settings, sentence) => {
    const url = await temporaryUrl();
    const { out, error, code } = await runToEnd([], { DATABASE_URL: url, ...settings });
    expect({ out, code }).toEqual({ out: '', code: 1 });
    expect(error).toContain(`There was no database, so Roster has made a new one: ${nameOf(url)}\n`);
    expect(error).toMatch(sentence);
    const path = filePathOf(url);
    if (path)
      expect(readdirSync(dirname(path)).filter((name) => name.startsWith('roster'))).toEqual(['roster.db']);
  });

  test.runIf(inject('engine') === 'sqlite')(
    'says that it has made a database whose migrations did not get through',
    async () => {
      const url = await temporaryUrl();
      const { error, code } = await runToEnd([], {
        DATABASE_URL: url,
        ...preloading(`
          import { createRequire } from 'node:module';
          const Sqlite = createRequire(${JSON.stringify(import.meta.filename)})('better-sqlite3');
          const { prepare } = Sqlite.prototype;
          Sqlite.prototype.prepare = function (sql) {
            if (/create table/i.test(sql)) throw new Error('no room');
            return prepare.call(this, sql);
          };`),
      });
      expect(error).toMatch(/^There was no database, .*: \/.*\n.* cannot be opened: no room\.\n$/);
      expect(code).toBe(1);
    },
  );

  test.runIf(inject('engine') === 'sqlite')('says nothing of a database that could not be made', async () => {
    const url = `sqlite:${join(import.meta.filename, 'roster.db')}`;
    expect((await runToEnd([], { DATABASE_URL: url })).error).not.toContain('has made a new one');
  });
});

test('with localhost for a host it is all there at whichever address localhost has', async () => {
  // As on most machines, whatever this one's file of hosts says.
  const roster = await startRoster({
    HOST: 'localhost',
    ...preloading(`
      import dns from 'node:dns';
      import { syncBuiltinESMExports } from 'node:module';
      const all = [{ address: '127.0.0.1', family: 4 }, { address: '::1', family: 6 }];
      const { lookup } = dns;
      dns.lookup = (host, options, done) => {
        if (host !== 'localhost' || !options.all) return lookup(host, options, done);
        process.nextTick(done, null, all);
      };
      syncBuiltinESMExports();`),
  });
  const port = Number(new URL(roster.address).port);
  expect((await fetch(`http://localhost:${port}/users`)).status).toBe(200);
  const answers = await Promise.all(
    ['127.0.0.1', '::1'].map((host) => {
      const socket = connect(port, host);
      socket.write('CONNECT a:1 HTTP/1.1\r\nHost: localhost\r\n\r\n');
      return text(socket).catch((error) => error.code);
    }),
  );
  // Nobody has to listen at the second one; but who does answers as at the first.
  for (const answer of answers) expect(answer).toMatch(/^(ECONNREFUSED|EADDRNOTAVAIL)$|<!doctype html>/);
  expect(answers.join()).toContain('<!doctype html>');
});

describe('a running Roster', () => {
  test('says where it is and how to become the administrator, and nothing else while all goes well', async () => {
    const roster = await startRoster();
    expect(roster.address).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(await read(`${roster.address}/users`)).toContain('Add the first user');
    roster.child.kill('SIGTERM');
    expect(await once(roster.child, 'exit')).toEqual([0, null]);
    expect(await roster.stderr).toBe('');
  });

  test('keeps what it acknowledged when it is killed', async () => {
    const { child, address, url } = await startRoster();
    for (const username of ['alice', 'bob', 'carla']) {
      const body = new URLSearchParams({ username, email: `${username}@example.org` });
      const answer = await fetch(`${address}/users`, { method: 'POST', body, redirect: 'manual' });
      expect(answer.status).toBe(303);
    }
    child.kill('SIGKILL');
    await once(child, 'exit');
    const again = await startRoster({ DATABASE_URL: url });
    expect(await read(`${again.address}/users`)).toContain('Showing 1–3 of 3');
  });

  test.each([
    ['SIGTERM', run, [0, null]],
    ['SIGINT', run, [0, null]],
    ['SIGHUP', run, [0, null]],
    // npm waits for Roster, unless it dies of the signal itself.
    ['SIGTERM', runNpm, [0, null]],
    ['SIGINT', runNpm, [0, null]],
    ['SIGHUP', runNpm, [null, 'SIGHUP']],
    ['SIGKILL', runNpm, [null, 'SIGKILL']],
  ] as const)(
    'on %s (%o) finishes the request under way, closes idle connections, and exits',
    async (signal, start, ending) => {
      const roster = await startRoster({}, start);
      const ended = once(roster.child, 'exit');
      const agent = new Agent({ keepAlive: true });
      onTestFinished(() => agent.destroy());
      const [idle] = await once(httpGet(`${roster.address}/users`, { agent }), 'response');
      idle.resume();
      await once(idle, 'end');

      const body = 'username=alice&email=alice@example.org';
      const posting = request(`${roster.address}/users`, {
        method: 'POST',
        agent,
        headers: { 'content-type': 'application/x-www-form-urlencoded', 'content-length': body.length },
      });
      posting.write(body.slice(0, 10));
      await once(posting, 'socket');
      // Another answer on a connection of its own: by then the half-sent request has arrived too.
      await (await fetch(`${roster.address}/healthz`)).text();
      roster.child.kill(signal);
      await refusesConnections(roster);
      posting.end(body.slice(10));
      const [answer] = await once(posting, 'response');
      expect(answer.statusCode).toBe(303);
      expect(await ended).toEqual(ending);
      const db = await temporaryDatabase(roster.url);
      expect(await db.selectFrom('users').select('username').execute()).toEqual([{ username: 'alice' }]);
    },
  );

  test.each([
    ['SIGINT', {}],
    ['SIGTERM', {}],
    ['SIGINT', { npm_package_name: 'roster' }],
  ] as const)('drains as long as it should, or until a second signal: %s, with %o', async (signal, npm) => {
    const { child, address } = await startRoster({ DRAIN_SECONDS: '60', ...npm });
    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    await expect.poll(async () => (await fetch(`${address}/readyz`)).status).toBe(503);
    // A terminal that closes may be told of more than once; and npm passes on what has been heard already.
    child.kill('SIGHUP');
    if ('npm_package_name' in npm) child.kill('SIGTERM');
    expect((await fetch(`${address}/users`)).headers.get('connection')).toBe('close');
    child.kill(signal);
    expect(await exit).toEqual([null, signal]);
  });

  test('drops clients that are silent or slow within 15 s, and serves others meanwhile', async () => {
    const roster = await startRoster();
    const connected = performance.now();
    const silent = await connectTo(roster);
    const slowHeaders = await connectTo(roster);
    slowHeaders.write('GET /users HTTP/1.1\r\nHost: localhost\r\nX-Slow: ');
    const drip = setInterval(() => slowHeaders.write('x'), 500);
    const slowBody = await connectTo(roster);
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
    expect((await fetch(`${roster.address}/users`)).status).toBe(200);
    await Promise.all(sockets.map((socket) => once(socket, 'close')));
    expect(performance.now() - connected).toBeLessThan(15_000);
    expect((await fetch(`${roster.address}/users`)).status).toBe(200);
  });
});

/** Waits until the server has stopped listening. */
async function read(address: string): Promise<string> {
  return pageOf(await (await fetch(address)).text()).text;
}

async function refusesConnections(roster: Roster): Promise<void> {
  for (let attempt = 0; attempt < 10_000; attempt++) {
    try {
      (await connectTo(roster)).destroy();
    } catch {
      return;
    }
  }
  throw new Error('Roster still takes connections.');
}
