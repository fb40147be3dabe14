/** Many who ask without a pause, and beside them someone new: answered soon, by a page or by a refusal. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { Agent, get, type IncomingMessage } from 'node:http';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, inject, onTestFinished, test } from 'vitest';
import { percentile } from '../bench/load.ts';
import { addAdministrator, SIGNED_IN } from '../bench/session.ts';
import { run, startRoster } from '../roster.ts';
import { temporaryFolder, temporaryUrl } from '../support.ts';
import type { Orders, Seen } from './crowd.ts';
import { IN_TIME, takesTwoMinutes } from './two-minutes.ts';

takesTwoMinutes();

const CROWDS = inject('isLong') ? [16, 512, 2_000] : [1_000];
/** Machines are faster and slower by turns: crowds are compared by the median of what each was given in several turns. */
const TURNS = inject('isLong') ? 3 : 1;
/** Pages that are asked for before anything is measured, which in short is nothing. */
const WARM_UP = inject('isLong') ? 300 : 0;
/** How long a crowd stands in each turn, and how often someone new comes meanwhile, in milliseconds. */
const STANDING = inject('isLong') ? 2_700 : 750;
const EVERY = inject('isLong') ? 50 : 25;
/** What counts as itself again: so many pages in a row that take so long at most. */
const ITSELF = { pages: 5, milliseconds: 100 };
/** What is promised, in milliseconds, however busy the machine is: `slowness` in the table says how much it was. */
const PROMISE = { answer: 500, recovery: 2_000 };
/** How many of the most pages a second are left in each crowd. Sixteen are none: too few to be answered many at a time. */
const LEAST_PAGES: Record<number, number> = { 512: 0.9, 2000: 0.7 };

/** With the cookie of whoever has been made an administrator by then. */
const headers = () => `Host: localhost\r\nCookie: ${SIGNED_IN.cookie}\r\nSec-Fetch-Site: same-origin\r\n`;
const list = (more: string) => `GET /users HTTP/1.1\r\n${headers()}${more}\r\n`;
const BODY = 'username=user.0000000&email=user.0000000@example.org';
const create = (more: string) =>
  `POST /users HTTP/1.1\r\n${headers()}${more}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`;

type Answer = { status: number; time: number; isWhole: boolean };
type Turn = Awaited<ReturnType<typeof withCrowd>> & { connections: number; slowness: number };

/** One request, and how long it took until the end of the answer: on a connection of its own, or as a proxy sends it. */
async function comeNew(port: number, path: string, proxy?: Agent): Promise<Answer> {
  const began = performance.now();
  const headers = {
    cookie: SIGNED_IN.cookie,
    'sec-fetch-site': 'same-origin',
    ...(proxy && { 'x-forwarded-for': `192.0.2.${came++ % 256}` }),
  };
  const asking = get({ port, path, host: '127.0.0.1', agent: proxy ?? false, headers });
  const [answer] = (await once(asking, 'response')) as [IncomingMessage];
  const isWhole = /(<\/html>|ok|ready)\n$/.test(await text(answer));
  return { status: Number(answer.statusCode), time: performance.now() - began, isWhole };
}
let came = 0;

/**
 * By how much a process has been slowed down from now on: the time that it ran and waited for a core, because of others, by the
 * time that it ran (https://docs.kernel.org/scheduler/sched-stats.html). 1 where that is not known.
 */
function watchSlowness(pid: number | undefined): () => number {
  const path = `/proc/${pid}/schedstat`;
  const read = () => (existsSync(path) ? readFileSync(path, 'utf8') : '0 0').split(' ').map(Number);
  const [ranBefore = 0, waitedBefore = 0] = read();
  return () => {
    const [ran = 0, waited = 0] = read();
    return ran > ranBefore ? 1 + (waited - waitedBefore) / (ran - ranBefore) : 1;
  };
}

/** A Roster as `npm start` runs it, with a thousand users and someone who is signed in. */
async function startFull(engine: 'sqlite' | 'postgres', more: Record<string, string>) {
  const settings = {
    ...more,
    DATABASE_URL: await temporaryUrl(engine),
    SECRET_KEY_FILE: join(temporaryFolder(), 'secret.key'),
  };
  const seeding = run(['seed', '1000', '--new-database'], settings);
  seeding.stdout.resume();
  expect((await once(seeding, 'exit'))[0]).toBe(0);
  await addAdministrator(settings.DATABASE_URL, settings.SECRET_KEY_FILE);
  const { scripts } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'));
  const NODE_OPTIONS = scripts.start.match(/--\S+/g).join(' ');
  const { address, child } = await startRoster({ ...settings, LOG_LEVEL: 'silent', NODE_OPTIONS });
  return { port: Number(new URL(address).port), pid: child.pid };
}

async function withCrowd(orders: Orders, proxy?: Agent) {
  const crowd = spawn(process.execPath, [join(import.meta.dirname, 'crowd.ts'), JSON.stringify(orders)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void crowd.kill('SIGKILL'));
  const lines = createInterface(crowd.stdout)[Symbol.asyncIterator]();
  expect((await lines.next()).value).toBe('standing');
  let isStanding = true;
  const told = lines.next().then(({ value }) => {
    isStanding = false;
    return JSON.parse(value ?? '') as Seen;
  });
  const newcomers: Promise<Answer>[] = [];
  const checks: Promise<Answer>[] = [];
  while (isStanding) {
    newcomers.push(comeNew(orders.port, '/users', proxy));
    checks.push(comeNew(orders.port, newcomers.length % 2 ? '/healthz' : '/readyz'));
    await pause(EVERY);
  }
  const [seen, recovery] = [await told, await recover(orders.port)];
  return { seen, recovery, newcomers: await Promise.all(newcomers), checks: await Promise.all(checks) };
}

/** Times are in milliseconds. */
function sum(turns: Turn[]) {
  const newcomers = turns.flatMap((turn) => turn.newcomers);
  const refusals = turns.flatMap(({ seen }) => seen.refusals);
  const rate = (answers: number) => Math.round((answers / STANDING) * 1000);
  const pages = turns.map(({ seen: { answers } }) => (answers[200] ?? 0) + (answers[303] ?? 0));
  const times = timesOf(newcomers);
  return {
    connections: Number(turns[0]?.connections),
    'pages/s': rate(percentile(pages, 0.5)),
    'refusals/s': rate(refusals.length / turns.length),
    'refusal, p50': percentile(refusals, 0.5),
    'refusal, p99': percentile(refusals, 0.99),
    'new, p50': percentile(times, 0.5),
    'new, p99': percentile(times, 0.99),
    'new, refused (share)': newcomers.filter(({ status }) => status === 503).length / newcomers.length,
    'health, p99': percentile(timesOf(turns.flatMap(({ checks }) => checks)), 0.99),
    recovery: Math.max(...turns.map(({ recovery }) => recovery)),
    slowness: Math.max(...turns.map(({ slowness }) => slowness)),
    load: Number(loadavg()[0]),
  };
}

function timesOf(answers: Answer[]): number[] {
  return answers.map(({ time }) => time);
}

function rounded(row: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, Number(value.toPrecision(3))]));
}

/** How long it takes from now on until Roster is itself again, in milliseconds. */
async function recover(port: number): Promise<number> {
  const began = performance.now();
  let good = 0;
  let last = began;
  while (good < ITSELF.pages) {
    const { status, time } = await comeNew(port, '/users');
    const isGood = status === 200 && (time < ITSELF.milliseconds || !inject('isLong'));
    good = isGood ? good + 1 : 0;
    if (!isGood) last = performance.now();
  }
  return last - began;
}

test.each([
  ['sqlite', 'on connections of its own'],
  ['postgres', 'on connections of its own'],
  ['sqlite', 'through a proxy that keeps its connections'],
] as const)(
  'on %s a crowd that asks without a pause, %s, gets pages or refusals, and whoever is new is answered soon',
  IN_TIME,
  async (engine, how) => {
    const isProxied = how.startsWith('through');
    const { port, pid } = await startFull(engine, isProxied ? { TRUST_PROXY: '127.0.0.1' } : {});
    // Its connections are everyone's.
    const proxy = isProxied ? new Agent({ keepAlive: true }) : undefined;
    onTestFinished(() => proxy?.destroy());
    const client = isProxied ? 'X-Forwarded-For: 0.0.0.0\r\n' : '';
    // What has been compiled by then is not measured.
    for (let asked = 0; asked < WARM_UP; asked++) await comeNew(port, '/users');
    const turns: Turn[] = [];
    for (const connections of Array(TURNS).fill(CROWDS).flat()) {
      const requests = inject('isLong') ? [list(client)] : [list(client), create(client)];
      const untilRefused = !inject('isLong');
      const orders = { port, connections, milliseconds: STANDING, untilRefused, requests };
      const slownessSince = watchSlowness(pid);
      const turn = { connections, ...(await withCrowd(orders, proxy)), slowness: slownessSince() };
      const { 200: _pages, 303: _creates, 503: _refusals, ...others } = turn.seen.answers;
      expect(others).toEqual({});
      expect(turn.seen.problems).toEqual([]);
      for (const seconds of turn.seen.retryAfter) expect(seconds).toMatch(/^[1-5]$/);
      for (const { status, isWhole } of turn.newcomers)
        expect([status, isWhole]).toEqual([expect.toBeOneOf([200, 503]), true]);
      for (const check of turn.checks) expect(check).toMatchObject({ status: 200, isWhole: true });
      turns.push(turn);
    }
    const rows = CROWDS.map((connections) => sum(turns.filter((turn) => turn.connections === connections)));
    if (!inject('isLong')) {
      expect(rows[0]?.['refusals/s']).toBeGreaterThan(0);
      return;
    }
    console.log(engine, how);
    console.table(rows.map(rounded));
    const best = Math.max(...rows.map((row) => row['pages/s']));
    for (const row of rows) {
      expect(row['new, p99']).toBeLessThan(PROMISE.answer);
      expect(row['health, p99']).toBeLessThan(PROMISE.answer);
      if (row['refusals/s'] > 0) expect(row['refusal, p99']).toBeLessThan(PROMISE.answer);
      expect(row.recovery).toBeLessThan(PROMISE.recovery);
      expect(row['pages/s'] / best).toBeGreaterThan(LEAST_PAGES[row.connections] ?? 0);
    }
  },
);
