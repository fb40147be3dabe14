/** Pages that are read on replicas: never older than what their browser has changed, and there whatever becomes of a replica. */
import type { FastifyInstance } from 'fastify';
import { sql } from 'kysely';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { replicasOf } from '../../../src/db/engine.ts';
import type { Db } from '../../../src/db/schema.ts';
import { LONGEST_WAIT } from '../../../src/http/admission-queue.ts';
import { scrape, sumOf, TOKEN } from '../../operations/metrics/scraped.ts';
import { pageOf } from '../../page.ts';
import { addPerson, movableClock, signedIn } from '../../people.ts';
import { ask } from '../../postgres/ask.ts';
import { startProxy } from '../../postgres/proxy.ts';
import { addUser, get, listen, startApp } from '../../support.ts';
import {
  Browser,
  cutFromPrimary,
  expectInUse,
  expectThere,
  pause,
  portOf,
  resume,
  type Servers,
  setUp,
  startReading,
  startServers,
} from './replicas.ts';

let servers: Servers;
beforeAll(async () => {
  servers = await startServers();
  return () => servers.stop();
});

async function start(longestLag?: number) {
  const roster = await startReading(servers, longestLag);
  /** Who read all at once already, so that their connections are there. */
  const people = async (count: number) => {
    const all: Browser[] = [];
    for (let number = 0; number < count; number++) all.push(await roster.person(`reader-${number}`));
    const read = () => Promise.all(all.map(async (one) => (await one.get(roster.app, '/users')).statusCode));
    await expect.poll(read).toEqual(all.map(() => 200));
    return all;
  };
  return { ...roster, people };
}

const bob = { username: 'bob', email: 'bob@example.org' };

describe('whoever has changed something', () => {
  test('sees it at once, whichever Roster they ask; others read on a replica, and so do they once it has come there', async () => {
    const { app, db, ann, person, open } = await start();
    const other = await startApp({}, await open());
    const eve = await person('eve');
    for (const one of [db, other.db]) await expectInUse(one, 2);
    await pause(servers.standbys);
    expect((await ann.post(app, '/users', bob)).statusCode).toBe(303);
    for (const roster of [app, other, app]) {
      expect(await ann.users(roster)).toEqual([1, 2, 3]);
      await expect.poll(() => eve.users(roster)).toEqual([1, 2]);
    }
    await resume(servers.standbys);
    await expectInUse(db, 2);
    await pause(servers.standbys);
    await addUser(db, { username: 'carol' });
    expect(await ann.users(app)).toEqual([1, 2, 3]);
  });

  test('is not shown the past where nobody knows how far the primary is', async () => {
    const { app, db, ann, primary } = await start();
    await expectInUse(db, 2);
    await pause(servers.standbys);
    primary.breakOnce(...Array.from({ length: 2 }, () => ({ at: 'insert_lsn', is: 'before' }) as const));
    expect((await ann.post(app, '/users', bob)).statusCode).toBe(303);
    expect(await ann.users(app)).toEqual([1, 2]);
  });
});

test.each([
  ['deactivated', { is_active: '0' }],
  ['made a member', { role: 'member' }],
])('who is %s is out at once, however far behind replicas are', async (_what, change) => {
  const { app, db, ann, person } = await start();
  const eve = await person('eve');
  await expectInUse(db, 2);
  await pause(servers.standbys);
  expect((await eve.get(app, '/users')).statusCode).toBe(200);
  expect((await ann.post(app, '/users/2', change)).statusCode).toBe(303);
  const page = await eve.get(app, '/users');
  expect([page.statusCode, page.headers.location]).toEqual([303, expect.stringMatching(/^\/sign-in/)]);
});

test('a replica that is behind is left out, with a line in the log, and is back once it is not', async () => {
  const { app, db, person } = await start(1_000);
  const eve = await person('eve');
  await expectInUse(db, 2);
  const warn = vi.spyOn(app.log, 'warn');
  await pause(servers.standbys);
  await addUser(db, bob);
  await expectInUse(db, 0);
  expect(await eve.users(app)).toEqual([1, 2, 3]);
  await resume(servers.standbys);
  await expectInUse(db, 2);
  const names = (replicasOf(db)?.states() ?? []).map(({ name }) => name);
  // On a busy machine one may be behind more than once.
  const lines = new Set(warn.mock.calls.map(([line]) => line));
  for (const name of names)
    for (const said of ['left out: it is more than 1 s behind', 'in use again'])
      expect(lines).toContain(`the replica ${name} is ${said}`);
  expect(lines.size).toBe(2 * names.length);
});

test('while the primary is away pages are read all the same, and changes are refused', async () => {
  const { app, url, db, ann, person, primary } = await start();
  const eve = await person('eve');
  await expectInUse(db, 2);
  await ann.get(app, '/users');
  primary.cutOff();
  await expect.poll(async () => (await eve.get(app, '/users')).statusCode).toBe(200);
  expect((await ann.post(app, '/users', bob)).statusCode).toBe(503);
  primary.moveTo(url);
  await expect.poll(async () => (await ann.post(app, '/users', bob)).statusCode).toBe(303);
  expect(await ann.users(app)).toEqual([1, 2, 3]);
});

/** Until pages are read without it, if any replica may stand in. */
async function expectAway(db: Db) {
  const problem = () =>
    replicasOf(db)
      ?.readPosition()
      .catch((error) => error.message);
  await expect.poll(problem).toBe('the primary is away');
}

describe('while the primary is away', () => {
  test('nobody is let in who was shut out, though no replica knows; once one does, others are', async () => {
    const { app, db, ann, person, primary } = await start();
    const eve = await person('eve');
    await expectInUse(db, 2);
    const reconnect = await cutFromPrimary(servers.standbys);
    expect((await ann.post(app, '/users/2', { is_active: '0' })).statusCode).toBe(303);
    primary.cutOff();
    await expectAway(db);
    for (const one of [eve, ann]) expect((await one.get(app, '/users')).statusCode).toBe(503);
    await reconnect();
    await expect.poll(async () => (await ann.get(app, '/users')).statusCode).toBe(200);
    expect((await eve.get(app, '/users')).statusCode).toBe(303);
  });

  test('nobody stands in where it answers as one of those that are named', async () => {
    const { url, primary, standbys, open } = await setUp(servers);
    const db = await open(60_000, [url, ...standbys.map((standby) => standby.url)]);
    await expectInUse(db, 2);
    primary.cutOff();
    await expectAway(db);
    expect(replicasOf(db)?.standIn()).toBeUndefined();
  });

  test('pages are read on, also where it is one of those that are named', async () => {
    const { url, primary, standbys, ann, open } = await start();
    const named = await startProxy(url);
    const db = await open(60_000, [named.url, ...standbys.map((standby) => standby.url)]);
    const app = await startApp({}, db);
    await expectInUse(db, 2);
    for (const one of [named, primary]) one.cutOff();
    await expectAway(db);
    await expect.poll(async () => (await ann.get(app, '/users')).statusCode).toBe(200);
  });

  test('a page that was asked for before anyone knew is read on', async () => {
    const { app, db, ann, primary } = await start();
    await expectInUse(db, 2);
    await ann.get(app, '/users');
    primary.fallSilent();
    expect((await ann.get(app, '/users')).statusCode).toBe(200);
  });

  test('whoever was the first to ask a Roster, not signed in, before anyone knew, may sign in', async () => {
    const { db, primary } = await start();
    await expectInUse(db, 2);
    const app = await startApp({}, db);
    primary.fallSilent();
    expect((await get(app, '/users')).headers.location).toMatch(/^\/sign-in/);
  });

  test('those who wait for it hold up no page, and forms wait with them', async () => {
    const { db, primary } = await start();
    const stopwatch = movableClock();
    const app = await startApp({}, db, Date.now, stopwatch);
    const headers = await signedIn(app, await addPerson(db, 'eve', 'editor'));
    const address = await listen(app);
    const page = async () => (await fetch(`${address}/users`, { headers })).status;
    await expectInUse(db, 2);
    expect(await page()).toBe(200);
    primary.fallSilent();
    await expectAway(db);
    const waiting = Array.from({ length: 30 }, () => sql`select 1`.execute(db).catch(() => {}));
    const form = fetch(`${address}/users`, { method: 'POST', headers });
    expect(await page()).toBe(200);
    expect((await fetch(`${address}/sign-in`)).status).toBe(200);
    const refused = () => {
      stopwatch.move(LONGEST_WAIT);
      return app.refused;
    };
    await expect.poll(refused).toMatchObject({ reading: 0, writing: 1 });
    expect((await form).status).toBe(503);
    await Promise.all(waiting);
  });

  /** A Roster that does not reach the primary any more, on which others go on. */
  async function startAlone() {
    const { url, db, openBy } = await start();
    const between = await startProxy(url);
    const alone = await openBy(between.url);
    for (const one of [db, alone]) await expectInUse(one, 2);
    between.cutOff();
    return { db, replicas: replicasOf(alone), untilAway: () => expectAway(alone) };
  }

  test('nobody stands in before showing all that it has got', async () => {
    const { db, replicas, untilAway } = await startAlone();
    await pause(servers.standbys);
    await addUser(db, bob);
    await untilAway();
    // Once they have been looked at since.
    await expect.poll(() => replicas?.standIn()).toBeUndefined();
    await resume(servers.standbys);
    await expect.poll(() => replicas?.standIn()).toBeDefined();
  });

  test('the one stands in that has come furthest', async () => {
    const { db, replicas, untilAway } = await startAlone();
    const [behind = '', furthest = ''] = servers.standbys;
    await cutFromPrimary([behind]);
    await addUser(db, bob);
    await untilAway();
    const standIn = async () => portOf(replicas?.standIn() ?? db);
    await expect.poll(standIn).toBe(new URL(furthest).port);
  });

  test('of which only one Roster knows, it shows nobody less than another one has told them', async () => {
    const { app, db, ann, person, url, openBy } = await start();
    const eve = await person('eve');
    const between = await startProxy(url);
    const other = await startApp({}, await openBy(between.url));
    for (const one of [db, other.db]) await expectInUse(one, 2);
    between.cutOff();
    await expectInUse(db, 2);
    await cutFromPrimary(servers.standbys);
    expect((await ann.post(app, '/users', bob)).statusCode).toBe(303);
    await expectAway(other.db);
    await expect.poll(() => eve.users(other)).toEqual([1, 2]);
    expect((await ann.get(other, '/users')).statusCode).toBe(503);
  });

  test('whoever has changed something just before is not shown the past, though nobody knows how far the primary was', async () => {
    const { app, db, ann, primary } = await start();
    await expectInUse(db, 2);
    await cutFromPrimary(servers.standbys);
    primary.breakOnce(...Array.from({ length: 2 }, () => ({ at: 'insert_lsn', is: 'before' }) as const));
    expect((await ann.post(app, '/users', bob)).statusCode).toBe(303);
    primary.cutOff();
    await expectAway(db);
    expect((await ann.get(app, '/users')).statusCode).toBe(503);
  });

  test('whoever is the first to ask a Roster reads on', async () => {
    const { db, ann, primary } = await start();
    await expectInUse(db, 2);
    const app = await startApp({}, db);
    primary.cutOff();
    await expectAway(db);
    await expect.poll(() => ann.users(app)).toEqual([1]);
  });

  test('whose own form has failed reads on', async () => {
    const { app, db, ann, primary } = await start();
    await expectInUse(db, 2);
    await ann.get(app, '/users');
    primary.cutOff();
    await expectAway(db);
    expect((await ann.post(app, '/users', bob)).statusCode).toBe(503);
    await expect.poll(() => ann.users(app)).toEqual([1]);
  });
});

const ADDRESSES = [
  '/users',
  '/users?q=reader',
  '/users/1',
  '/users?sort=-id',
  '/history',
  '/users?role=editor',
];

/** Pages that some turn to, one after the other, until something is done. @returns what they were answered */
async function readWhile(
  app: FastifyInstance,
  readers: readonly Browser[],
  work: (statuses: number[]) => Promise<void>,
) {
  const statuses: number[] = [];
  let isOver = false;
  const reading = readers.map(async (reader, first) => {
    for (let turn = first; !isOver; turn++) {
      const { statusCode } = await reader.get(app, ADDRESSES[turn % ADDRESSES.length] ?? '/users');
      statuses.push(statusCode);
    }
  });
  await work(statuses).finally(() => {
    isOver = true;
  });
  await Promise.all(reading);
  return statuses;
}

test('a replica that is killed while eight read fails none of their pages, and is used again once it is there', async () => {
  const { app, db, people } = await start();
  const readers = await people(8);
  await expectInUse(db, 2);
  const [killed = ''] = servers.standbys;
  const statuses = await readWhile(app, readers, async (answered) => {
    await expect.poll(() => answered.length).toBeGreaterThan(50);
    await servers.kill(killed);
    await expectInUse(db, 1);
    await servers.revive(killed);
    await expectInUse(db, 2);
  });
  expect(statuses.filter((status) => status !== 200)).toEqual([]);
});

describe('what a replica does not answer is asked at the primary, as all that its page asks then', () => {
  const SLOW = sql<{ port: string; count: number }>`
    select current_setting('port') as port, count(*) as count from users, pg_sleep(2)`;
  const IS_ASKED = `select from pg_stat_activity where query like '%from users, pg_sleep(2)' and state = 'active'`;

  test.each([
    [
      'it cancels it for what comes from the primary (40001)',
      /^it failed a query: canceling statement due to conflict with recovery$/,
      async ({ url, standbys: [standby = ''] }: Servers) => {
        // It waits for nobody who holds that up.
        await ask(standby, 'alter system set max_standby_streaming_delay = 0', 'select pg_reload_conf()');
        onTestFinished(() =>
          ask(standby, 'alter system reset max_standby_streaming_delay', 'select pg_reload_conf()'),
        );
        await expectThere(standby, `select where current_setting('max_standby_streaming_delay') = '0'`);
        await ask(url, 'begin', 'lock table users in access exclusive mode', 'commit');
      },
    ],
    [
      'it ends (57P01)',
      /connection/,
      async ({ kill, revive, standbys: [standby = ''] }: Servers) => {
        await kill(standby);
        onTestFinished(() => revive(standby));
      },
    ],
  ])('%s', async (_what, problem, act) => {
    const { url, db } = await start();
    await expectInUse(db, 2);
    const [standby = ''] = servers.standbys;
    const ports = [servers.url, standby].map((one) => new URL(one).port);
    const reader = replicasOf(db)?.choose(0, 0) ?? db;
    expect(await portOf(reader)).toBe(ports[1]);
    const slow = SLOW.execute(reader);
    await expectThere(standby, IS_ASKED);
    await act({ ...servers, url });
    expect((await slow).rows).toEqual([{ port: ports[0], count: 1 }]);
    expect(await portOf(reader)).toBe(ports[0]);
    expect(replicasOf(db)?.states()[0]?.problem).toMatch(problem);
  });

  test('but not one that takes too long: that would hold up the primary as long', async () => {
    const { db } = await start();
    await expectInUse(db, 2);
    const reader = replicasOf(db)?.choose(0, 0) ?? db;
    await expect(sql`select pg_sleep(4)`.execute(reader)).rejects.toThrow('statement timeout');
    expect(await portOf(reader)).toBe(new URL(servers.standbys[0] ?? '').port);
  });
});

test('how many there are and those who are shown agree, whatever becomes of replicas while others are created', async () => {
  const { app, url, db, people } = await start();
  const readers = await people(3);
  await expectInUse(db, 2);
  let isOver = false;
  const shown: [total: number, rows: number][] = [];
  const reading = readers.map(async (reader) => {
    while (!isOver) {
      const { heading, users } = pageOf(await reader.get(app, '/users?per_page=100'));
      shown.push([Number(/\d+/.exec(heading)), users.length]);
    }
  });
  const end = `select pg_terminate_backend(pid) from pg_stat_activity
    where datname = '${new URL(url).pathname.slice(1)}' and pid <> pg_backend_pid()`;
  await pause(servers.standbys);
  for (let number = 0; number < 30; number++) {
    await addUser(db, { username: `user-${number}` });
    if (number === 15) await resume(servers.standbys);
    if (number % 10 === 5) for (const standby of servers.standbys) await ask(standby, end);
  }
  isOver = true;
  await Promise.all(reading);
  expect(shown.length).toBeGreaterThan(20);
  expect(shown.filter(([total, rows]) => total !== rows)).toEqual([]);
});

test('with two replicas and eight who read, hardly anything but their sessions is asked of the primary', async () => {
  const { app, db, people, primary, standbys } = await start();
  const readers = await people(8);
  await expectInUse(db, 2);
  const before = [primary, ...standbys].map(({ heard }) => heard().length);
  await readWhile(app, readers, async (statuses) => {
    await expect.poll(() => statuses.length).toBeGreaterThan(200);
  });
  const [atPrimary = [], ...atReplicas] = [primary, ...standbys].map(({ heard }, at) =>
    statementsIn(heard().slice(before[at])),
  );
  const others = atPrimary.filter((statement) => !/ from "sessions" /.test(statement)).length;
  const replicated = atReplicas.map(({ length }) => length);
  const all = others + replicated.reduce((sum, count) => sum + count, 0);
  const shares = `of ${all} statements but sessions ${others} at the primary, ${replicated.join(' and ')} at replicas`;
  expect(others / all, shares).toBeLessThan(0.1);
  for (const count of replicated) expect(count / all, shares).toBeGreaterThan(0.2);
});

/** What went over the wire to be parsed (https://www.postgresql.org/docs/18/protocol-message-formats.html): "Parse" or "Query". */
function statementsIn(heard: string): string[] {
  return [...heard.matchAll(/(?:P.{4}\0|Q.{4})((?:select|begin|insert|update|delete|with)[^\0]*)\0/gs)].map(
    ([, statement = '']) => statement,
  );
}

test('what is no replica of the database is left out, and Roster starts all the same', async () => {
  const { url, primary, standbys, open, person } = await start();
  const elsewhere = Object.assign(new URL(servers.standbys[0] ?? ''), { pathname: '/postgres' }).href;
  const nowhere = Object.assign(new URL(url), { port: '1' }).href;
  const db = await open(60_000, [primary.url, elsewhere, nowhere, standbys[0]?.url ?? '']);
  const problems = () =>
    replicasOf(db)
      ?.states()
      .map(({ problem }) => problem);
  await expect
    .poll(() => problems()?.slice(0, 3))
    .toEqual([
      'it is no standby',
      'it is a copy of another database',
      expect.stringContaining('ECONNREFUSED'),
    ]);
  await expectInUse(db, 1);
  const app = await startApp({}, db);
  expect((await (await person('eve')).get(app, '/users')).statusCode).toBe(200);
});

test('what is told of replicas is which are in use, how far behind they are, and how often they answer', async () => {
  const { url, standbys, open } = await setUp(servers);
  const nowhere = Object.assign(new URL(url), { port: '1' }).href;
  const db = await open(60_000, [standbys[0]?.url ?? '', nowhere]);
  const app = await startApp({ METRICS_TOKEN: TOKEN }, db);
  const ann = new Browser(await signedIn(app, await addPerson(db, 'ann', 'admin')));
  await expectInUse(db, 1);
  await ann.get(app, '/users');
  const nameOf = (address: string) => new URL(address).host + new URL(address).pathname;
  const there = { replica: nameOf(standbys[0]?.url ?? '') };
  const away = { replica: nameOf(nowhere) };
  await expect.poll(async () => sumOf(await scrape(app), 'roster_replica_in_use', there)).toBe(1);
  const series = await scrape(app);
  expect(sumOf(series, 'roster_replica_lag_seconds', there)).toBeLessThan(60);
  expect(sumOf(series, 'roster_replica_in_use', away)).toBe(0);
  expect(sumOf(series, 'roster_replica_lag_seconds', away)).toBeUndefined();
  expect(sumOf(series, 'roster_reads_total', { from: 'replica' })).toBeGreaterThan(0);
});
