/** What the process does, whatever database there is: who reaches it, how it is told to stop, and what it makes of slow clients. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, get as httpGet, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { isRunning } from './operations/workers/running.ts';
import { isLacking } from './requirements.ts';
import { listening, preloading, type Roster, run, runNpm, startRoster } from './roster.ts';
import { readyUrl, temporaryDatabase, temporaryFolder } from './support.ts';
import { HAS_SCRIPT, runAtTerminal } from './terminal.ts';

const CTRL_C = '\x03';

async function connectTo({ address }: Roster): Promise<Socket> {
  const socket = connect(Number(new URL(address).port), '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

/** Waits until the server has stopped listening. */
async function refusesConnections(roster: Roster): Promise<void> {
  const takes = () =>
    connectTo(roster).then(
      (socket) => Boolean(socket.destroy()),
      () => false,
    );
  await expect.poll(takes, { interval: 1 }).toBe(false);
}

/** Settings with which Roster writes its own process id down, whoever has started it. */
const notingItsId = (path: string) =>
  preloading(`
    import { writeFileSync } from 'node:fs';
    if (process.argv[1].endsWith('main.js')) writeFileSync(${JSON.stringify(path)}, String(process.pid));`);

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
    const note = join(temporaryFolder(), 'pid');
    const roster = await startRoster(start === runNpm ? notingItsId(note) : {}, start);
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
    if (start === runNpm) await expect.poll(() => isRunning(Number(readFileSync(note)))).toBe(false);
    const db = await temporaryDatabase(roster.url);
    expect(await db.selectFrom('users').select('username').execute()).toEqual([{ username: 'alice' }]);
  },
);

const { HOME = '' } = process.env;

describe.skipIf(isLacking(HAS_SCRIPT)).each([
  ['by itself', undefined],
  ['by npm start', ['npm', 'start']],
])('at a terminal, %s', (_how, program) => {
  const byNpm = { PORT: '0', HOME, npm_config_update_notifier: 'false' };

  test('Ctrl-C stops it, and it says so at last', async () => {
    const settings = { ...byNpm, DATABASE_URL: await readyUrl() };
    const { out } = await runAtTerminal([], settings, 'Roster is at', CTRL_C, program);
    // npm draws something after it.
    const said = out.split(/\r?\n/).filter((line) => /^\w/.test(line));
    expect(said.at(-1)).toBe('Roster has stopped.');
  });

  test('it drains from Ctrl-C on for as long as it should, or until one more ends it at once', async () => {
    const settings = { ...byNpm, DATABASE_URL: await readyUrl(), DRAIN_SECONDS: '600' };
    const stopTwice = async (said: string, type: (keys: string) => void) => {
      const address = addressIn(said);
      type(CTRL_C);
      await expect.poll(async () => (await fetch(`${address}/readyz`)).status).toBe(503);
      expect((await fetch(`${address}/users`)).headers.get('connection')).toBe('close');
      const isThere = () =>
        fetch(`${address}/healthz`).then(
          () => true,
          () => false,
        );
      // Within a second of the first one it may be npm that passes that on.
      while (await isThere()) {
        type(CTRL_C);
        await setTimeout(200);
      }
      return '';
    };
    const { out } = await runAtTerminal([], settings, 'Roster is at', stopTwice, program);
    expect(out).not.toContain('Roster has stopped.');
  });
});

const addressIn = (said: string) => /Roster is at (http:\S+)/.exec(said)?.[1];

/** The line of a request that a Roster says. */
const lineIn = (said: string) => said.split(/\r?\n/).find((line) => line.includes('/healthz')) ?? '';

test.skipIf(isLacking(HAS_SCRIPT)).each([
  ['in colours', {}, true],
  ['in none where NO_COLOR says so', { NO_COLOR: '1' }, false],
])('at a terminal each request is a line for people, %s', async (_how, given, isColoured) => {
  const settings = {
    PORT: '0',
    DATABASE_URL: await readyUrl(),
    LOG_LEVEL: 'info',
    TERM: 'xterm-256color',
    ...given,
  };
  const askOnce = async (said: string) => {
    await fetch(`${addressIn(said)}/healthz`);
    return CTRL_C;
  };
  const { out } = await runAtTerminal([], settings, 'Roster is at', askOnce);
  expect(stripVTControlCharacters(lineIn(out))).toMatch(/^\d\d:\d\d:\d\d 200 GET \/healthz /);
  expect(lineIn(out).includes('\x1b[')).toBe(isColoured);
});

test.each([
  ['one object a line', {}, /^\{"level":30,.*\}$/],
  ['one object a line', { LOG_FORMAT: 'json' }, /^\{"level":30,.*\}$/],
  ['a line for people, without colours,', { LOG_FORMAT: 'text' }, /^\d\d:\d\d:\d\d 200 GET \/healthz /],
])('in a pipe each request is %s with %o', async (_what, format, line) => {
  const child = run([], { PORT: '0', DATABASE_URL: await readyUrl(), LOG_LEVEL: 'info', ...format });
  const { address, said } = await listening(child);
  await fetch(`${address}/healthz`);
  await expect.poll(() => lineIn(said())).toMatch(line);
});

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
