/** What Roster tells of itself to whoever has the token, on each engine. */
import { once } from 'node:events';
import { METHODS } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { HTTPMethods } from 'fastify';
import { describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import { allow } from '../../../src/auth/access.ts';
import { anyone } from '../../../src/auth/policy.ts';
import { seedUsers } from '../../../src/cli/seed.ts';
import type { Replicas } from '../../../src/db/replicas.ts';
import { type Db, ROLES } from '../../../src/db/schema.ts';
import { transact } from '../../../src/db/transact.ts';
import { LONGEST_WAIT } from '../../../src/http/admission-queue.ts';
import { beginRun, endRun } from '../../../src/maintenance/queries.ts';
import { WALK_BATCH } from '../../../src/users/list/walk.ts';
import { holdBatches } from '../../engines.ts';
import { apply, bring, csv } from '../../imports/bringing.ts';
import { startMailServer } from '../../mail-server.ts';
import { addPerson, HOUR, movableClock, signedIn, signIn } from '../../people.ts';
import {
  addUser,
  get,
  listen,
  post,
  readyUrl,
  startApp,
  temporaryDatabase,
  temporaryFolder,
} from '../../support.ts';
import { parse, scrape, sumOf, TOKEN, WITH_TOKEN } from './scraped.ts';

const ON = { METRICS_TOKEN: TOKEN };

async function start(settings: Record<string, string> = {}) {
  const clock = movableClock(Math.floor(Date.now() / 1_000) * 1_000);
  const stopwatch = movableClock(0);
  const app = await startApp({ ...ON, ...settings }, undefined, clock, stopwatch);
  const ann = await addPerson(app.db, 'ann', 'admin');
  return { app, clock, stopwatch, ann };
}

describe('who asks', () => {
  test('where no setting says who may, there is no such address', async () => {
    const app = await startApp();
    await addPerson(app.db, 'ann', 'admin');
    const [answer, other] = [await get(app, '/metrics', WITH_TOKEN), await get(app, '/nowhere', WITH_TOKEN)];
    expect(answer.statusCode).toBe(other.statusCode);
    expect(answer.headers.location).toBe(other.headers.location?.toString().replace('nowhere', 'metrics'));
    const ann = await signIn(app, 'ann');
    expect((await get(app, '/metrics', { ...WITH_TOKEN, ...ann })).statusCode).toBe(404);
  });

  test.each([
    undefined,
    'Bearer',
    'Bearer ',
    `Bearer ${TOKEN}x`,
    `Bearer ${TOKEN.slice(0, -1)}`,
    `Bearer ${TOKEN} ${TOKEN}`,
    `Basic ${TOKEN}`,
    TOKEN,
  ])('with %j gets nothing but how to ask', async (authorization) => {
    const { app } = await start();
    const answer = await get(app, '/metrics', authorization === undefined ? {} : { authorization });
    expect(answer.statusCode).toBe(401);
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="Roster"');
    expect(answer.body).toBe(
      'This takes the token that METRICS_TOKEN sets, as: Authorization: Bearer TOKEN\n',
    );
  });

  test('nor does an administrator without the token', async () => {
    const { app, ann } = await start();
    expect((await get(app, '/metrics', await signedIn(app, ann))).statusCode).toBe(401);
  });

  test('with the token gets all of it, also under the name of a container, and before there is anybody', async () => {
    const app = await startApp(ON);
    for (const authorization of [`Bearer ${TOKEN}`, `bearer  ${TOKEN}`]) {
      const answer = await get(app, '/metrics', { authorization, host: 'roster:3000' });
      expect(answer.statusCode).toBe(200);
      expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
      expect(answer.headers['cache-control']).toBe('no-store');
      expect(answer.body).toContain('\nroster_database_up 1\n');
    }
    const post = await app.inject({
      method: 'POST',
      url: '/metrics',
      headers: { host: 'localhost', ...WITH_TOKEN },
    });
    expect(post.statusCode).toBe(405);
  });
});

test('each name is told once, with what it is, and none is told of anybody', async () => {
  const { app } = await start();
  await addUser(app.db, { username: 'zaphod', email: 'zaphod@example.com' });
  await get(app, '/users?q=zaphod', await signIn(app, 'ann'));
  await post(app, '/sign-in', { username: 'zaphod', password: 'a long wrong password' });
  const { body } = await get(app, '/metrics', WITH_TOKEN);
  const names = [...body.matchAll(/^# TYPE (\S+) (?:counter|gauge|histogram)$/gm)].map(([, name]) =>
    String(name),
  );
  expect(new Set(names).size).toBe(names.length);
  expect([...body.matchAll(/^# HELP (\S+) \S.*\.$/gm)].map(([, name]) => name)).toEqual(names);
  for (const name of names) expect(name).toMatch(/^(roster|process)_[a-z0-9_]+$/);
  for (const { name } of parse(body))
    expect(
      names.some((known) => name === known || /^_(bucket|sum|count)$/.test(name.slice(known.length))),
    ).toBe(true);
  expect(body).not.toMatch(/zaphod|ann|127\.0\.0\.1|NaN|undefined/);
});

test('requests are told by route, method and status', async () => {
  const { app } = await start();
  const ann = await signIn(app, 'ann');
  const bob = await addUser(app.db, { username: 'bob' });
  for (let times = 0; times < 3; times++) await get(app, `/users/${bob.id}`, ann);
  await app.inject({ method: 'HEAD', url: `/users/${bob.id}`, headers: { host: 'localhost', ...ann } });
  await get(app, '/users/999', ann);
  await post(app, `/users/${bob.id}`, { full_name: 'Bob' }, ann);
  await get(app, '/no/such/address', ann);
  await app.inject({ method: 'DELETE', url: '/users', headers: { host: 'localhost', ...ann } });
  const all = await scrape(app);
  const answers = (labels: object) => sumOf(all, 'roster_http_requests_total', { ...labels });
  expect(answers({ route: '/users/:id', method: 'GET', status: '2xx' })).toBe(4);
  expect(answers({ route: '/users/:id', method: 'GET', status: '4xx' })).toBe(1);
  expect(answers({ route: '/users/:id', method: 'POST', status: '3xx' })).toBe(1);
  expect(answers({ route: 'unknown', method: 'GET', status: '4xx' })).toBe(1);
  expect(answers({ route: 'unknown', method: 'other', status: '4xx' })).toBe(1);
  expect(sumOf(all, 'roster_http_route_seconds_total', { route: '/users/:id' })).toBeGreaterThan(0);
  const durations = (kind: string, le: string) =>
    sumOf(all, 'roster_http_request_duration_seconds_bucket', { kind, le });
  expect(durations('signing in', '+Inf')).toBe(1);
  expect(durations('reading', '+Inf')).toBe(6);
  expect(durations('reading', '0.001')).toBeLessThanOrEqual(Number(durations('reading', '5')));
  expect(sumOf(all, 'roster_http_request_duration_seconds_count', { kind: 'reading' })).toBe(6);
});

test('that the event loop was late is told to each who asks', async () => {
  const { app } = await start();
  const since = performance.now();
  while (performance.now() < since + 150);
  const longDelays = async () => {
    const all = await scrape(app);
    const [every, short] = [{ le: '+Inf' }, { le: '0.1' }].map((labels) =>
      Number(sumOf(all, 'roster_event_loop_delay_seconds_bucket', labels)),
    );
    return Number(every) - Number(short);
  };
  await expect.poll(longDelays).toBeGreaterThan(0);
  expect(await longDelays()).toBeGreaterThan(0);
});

test('whatever is asked, there are at most 500 series', async () => {
  const { app } = await start();
  const ann = await signIn(app, 'ann');
  const addresses = [...app.rules.keys()].map((rule) => rule.split(' ')[1] ?? '');
  const strange = Array.from({ length: 400 }, (_, number) => `/${number.toString(36)}/x?${number}=<script>`);
  const methods = METHODS.filter((method) => app.supportedMethods.includes(method)) as HTTPMethods[];
  for (const headers of [{}, ann])
    for (const url of [...new Set(addresses), '/assets/x', '/users/by-username/%00'])
      for (const method of methods)
        await app.inject({
          method,
          url: url.replace('*', 'x'),
          headers: { host: 'localhost', 'sec-fetch-site': 'same-origin', ...headers },
        });
  for (const [index, url] of strange.entries())
    await app.inject({
      method: methods[index % methods.length] ?? 'GET',
      url,
      headers: { host: `${index}.example.org` },
    });
  const all = await scrape(app);
  expect(all.filter(({ name }) => name === 'roster_http_requests_total').length).toBeGreaterThan(100);
  expect(all.length).toBeLessThanOrEqual(500);
  expect(JSON.stringify(all)).not.toContain('script');
});

test('nor are there more where every bound is reached, and two replicas are read', async () => {
  const db = await temporaryDatabase();
  followedBy(db, ['one', 'other']);
  const app = await startApp({ ...ON, BACKUP_FOLDER: temporaryFolder() }, db);
  const made = Array.from({ length: 300 }, (_, number) => `/made/${number}`);
  for (const address of made) app.get(address, allow(anyone, { isBeforeSetup: true }), async () => '');
  for (const role of ROLES)
    for (const is_active of [true, false])
      await addUser(db, { username: `${role} ${is_active}`, role, is_active });
  for (const outcome of ['good', 'bad'] as const)
    for (const kind of ['backup', 'check'] as const)
      await transact(db, async (trx) =>
        endRun(trx, await beginRun(trx, kind, 1), { outcome, size: 1, users: 1 }, 2),
      );
  await get(app, '/healthz');
  for (const address of made) await get(app, address);
  const all = await scrape(app);
  expect(sumOf(all, 'roster_http_requests_total')).toBe(301);
  expect(all.filter(({ labels }) => labels.replica === 'other')).toHaveLength(2);
  expect(all.length).toBeLessThanOrEqual(500);
});

/** As if its pages were read on these. */
function followedBy(db: Db, names: readonly string[]): void {
  const replicas: Replicas = {
    chosen: { replica: 1, primary: 1 },
    choose: () => undefined,
    atPrimary: () => db,
    standIn: () => undefined,
    hasStandIn: false,
    readPrimary: (read) => read(db),
    unlessAway: (work) => work,
    readPosition: async () => 0,
    isSilentFor: () => false,
    states: () => names.map((name) => ({ name, lag: 0, problem: undefined })),
    observe: () => () => {},
    end: async () => {},
  };
  Object.defineProperty(db.getExecutor().adapter, 'replicas', { value: replicas });
}

describe('what the database knows', () => {
  test('is how many users there are, and who is signed in', async () => {
    const { app, clock, stopwatch, ann } = await start();
    await addUser(app.db, { username: 'bob' });
    await addUser(app.db, { username: 'cem', is_active: false });
    await signedIn(app, ann);
    await signedIn(app, ann);
    let all = await scrape(app);
    expect(sumOf(all, 'roster_users', { status: 'active' })).toBe(2);
    expect(sumOf(all, 'roster_users', { status: 'active', role: 'admin' })).toBe(1);
    expect(sumOf(all, 'roster_users', { status: 'inactive', role: 'member' })).toBe(1);
    expect(sumOf(all, 'roster_sessions')).toBe(2);
    expect(sumOf(all, 'roster_database_size_bytes')).toBeGreaterThan(10_000);
    clock.move(13 * HOUR);
    // For some seconds it is not asked again, however many ask.
    expect(sumOf(await scrape(app), 'roster_sessions')).toBe(2);
    stopwatch.move(5_000);
    all = await scrape(app);
    expect(sumOf(all, 'roster_sessions')).toBe(0);
  });

  test('is when there was the last good backup, and what became of others', async () => {
    const { app, clock, stopwatch } = await start({ BACKUP_FOLDER: temporaryFolder() });
    const before = await scrape(app);
    expect(sumOf(before, 'roster_backup_interval_seconds')).toBe(86_400);
    expect(sumOf(before, 'roster_backup_last_success_timestamp_seconds')).toBeUndefined();
    expect(sumOf(before, 'roster_backup_in_progress')).toBe(0);
    const noon = clock();
    const note = (at: number, kind: 'backup' | 'check', ended: Parameters<typeof endRun>[2]) =>
      transact(app.db, async (trx) => endRun(trx, await beginRun(trx, kind, at), ended, at + 90_000));
    const file = join('/srv', 'roster.db');
    await note(noon, 'backup', { outcome: 'good', file, size: 4_100_000, users: 7 });
    await note(noon + HOUR, 'backup', { outcome: 'bad', problem: 'There is no room.' });
    await note(noon, 'check', { outcome: 'bad', problem: 'Something.' });
    await transact(app.db, (trx) => beginRun(trx, 'backup', noon + 2 * HOUR));
    clock.move(2 * HOUR);
    stopwatch.move(5_000);
    const all = await scrape(app);
    const backup = (name: string) => sumOf(all, `roster_backup_${name}`);
    expect(backup('last_success_timestamp_seconds')).toBe(noon / 1_000);
    expect(backup('last_verified_timestamp_seconds')).toBe(noon / 1_000 + 90);
    expect(backup('last_failure_timestamp_seconds')).toBe((noon + HOUR) / 1_000 + 90);
    expect(backup('size_bytes')).toBe(4_100_000);
    expect(backup('duration_seconds')).toBe(90);
    expect(backup('in_progress')).toBe(1);
    clock.move(2 * HOUR);
    stopwatch.move(5_000);
    // Whoever made it was killed.
    expect(sumOf(await scrape(app), 'roster_backup_in_progress')).toBe(0);
    expect(sumOf(all, 'roster_check_last_good')).toBe(0);
    expect(sumOf(all, 'roster_check_last_timestamp_seconds')).toBe(noon / 1_000 + 90);
  });

  test('is left out while it is down, and the rest is told all the same', async () => {
    const { app, stopwatch } = await start();
    expect(sumOf(await scrape(app), 'roster_database_up')).toBe(1);
    await transact(app.db, (trx) => trx.schema.alterTable('user_counts').renameTo('lost').execute());
    stopwatch.move(5_000);
    const all = await scrape(app);
    expect(sumOf(all, 'roster_database_up')).toBe(0);
    expect(sumOf(all, 'roster_users')).toBeUndefined();
    expect(sumOf(all, 'roster_build_info', { node: process.versions.node })).toBe(1);
    expect(sumOf(all, 'process_resident_memory_bytes')).toBeGreaterThan(10_000_000);
    await transact(app.db, (trx) => trx.schema.alterTable('lost').renameTo('user_counts').execute());
    stopwatch.move(5_000);
    expect(sumOf(await scrape(app), 'roster_database_up')).toBe(1);
  });
});

describe('sign-ins', () => {
  test('are told by what became of them', async () => {
    const { app } = await start();
    await signIn(app, 'ann');
    for (let times = 0; times < 6; times++) await signIn(app, 'ann', 'not the password of ann');
    const all = await scrape(app);
    const outcome = (name: string) => sumOf(all, 'roster_sign_ins_total', { outcome: name });
    expect(outcome('signed in')).toBe(1);
    expect(outcome('wrong')).toBe(4);
    expect(outcome('throttled')).toBe(2);
    expect(outcome('wrong code')).toBe(0);
    expect(sumOf(all, 'roster_throttled_attempts_total', { what: 'sign-in' })).toBe(2);
  });

  test('are not the only ones who have to wait: who is signed in does, where the password is asked once more', async () => {
    const { app, ann } = await start();
    const headers = await signedIn(app, ann);
    const typed = { current: 'not the password of ann', password: 'x'.repeat(20), again: 'x'.repeat(20) };
    for (let times = 0; times < 6; times++) await post(app, '/account/password', typed, headers);
    expect(sumOf(await scrape(app), 'roster_throttled_attempts_total', { what: 'own password' })).toBe(2);
  });
});

test('mails are told by what became of them', async () => {
  let isRefused = false;
  const { port } = await startMailServer({
    onRcptTo: (_address, _session, done) => done(isRefused ? new Error('nobody of that name') : null),
  });
  const settings = { ORIGIN: 'https://users.example.org', TRUST_PROXY: '10.0.0.1' };
  const { app, ann } = await start({ ...settings, SMTP_URL: `smtp://127.0.0.1:${port}` });
  const headers = { ...(await signedIn(app, ann)), host: 'users.example.org' };
  const invite = (email: string) =>
    post(app, '/invite', { full_name: 'Ada', email, role: 'viewer' }, headers);
  const mails = async () => {
    const all = await scrape(app);
    return ['sent', 'refused', 'late', 'failed'].map((outcome) =>
      sumOf(all, 'roster_mails_total', { outcome }),
    );
  };
  expect(await mails()).toEqual([0, 0, 0, 0]);
  await invite('ada@example.org');
  expect(await mails()).toEqual([1, 0, 0, 0]);
  isRefused = true;
  await invite('bea@example.org');
  expect(await mails()).toEqual([1, 1, 0, 0]);
});

test('an import is told of by how far it is, from when its file was brought until it is done', async () => {
  const { app, stopwatch } = await start();
  const imports = async () => {
    stopwatch.move(5_000);
    const all = await scrape(app);
    return ['reading', 'checked'].map((state) => sumOf(all, 'roster_imports', { state }));
  };
  expect(await imports()).toEqual([0, 0]);
  const id = await bring(app, csv(['username', 'email'], ['bob', 'bob@example.com']));
  expect(await imports()).toEqual([1, 0]);
  await app.runJobs();
  expect(await imports()).toEqual([0, 1]);
  await apply(app, id);
  expect(await imports()).toEqual([0, 0]);
});

test('an export is told of while it is sent', async () => {
  const { app, ann } = await start();
  await seedUsers(app.db, 2 * WALK_BATCH);
  const { begun, letGo } = holdBatches(app.db);
  const exports = async () => sumOf(await scrape(app), 'roster_exports_in_flight');
  expect(await exports()).toBe(0);
  const download = get(app, '/export/file?format=csv&all=on', await signedIn(app, ann));
  await expect.poll(() => begun).toHaveBeenCalled();
  expect(await exports()).toBe(1);
  letGo();
  await download;
  expect(await exports()).toBe(0);
});

describe('the database', () => {
  const isSqlite = inject('engine') === 'sqlite';

  test('is told with how long statements and commits took, and what waited', async () => {
    const url = await readyUrl();
    const app = await startApp({ ...ON, DATABASE_URL: url }, await temporaryDatabase(url));
    // With the first change the log begins anew.
    for (const username of ['bob', 'cem']) await addUser(app.db, { username });
    const all = await scrape(app);
    expect(sumOf(all, 'roster_database_statement_seconds_count')).toBeGreaterThan(3);
    expect(sumOf(all, 'roster_database_statement_seconds_sum')).toBeGreaterThan(0);
    expect(sumOf(all, 'roster_database_commit_seconds_count')).toBeGreaterThan(0);
    const waits = { for: isSqlite ? 'lock' : 'pool' };
    expect(sumOf(all, 'roster_database_wait_seconds_count', waits)).toBeGreaterThan(0);
    for (const name of ['roster_database_log_size_bytes', 'roster_disk_free_bytes']) {
      if (isSqlite) expect(sumOf(all, name)).toBeGreaterThan(0);
      else expect(sumOf(all, name)).toBeUndefined();
    }
  });

  test.runIf(isSqlite)('is told with how many transactions were synced as one', async () => {
    const { app } = await start();
    const before = await scrape(app);
    await Promise.all(['bob', 'cem', 'dora'].map((username) => addUser(app.db, { username })));
    const all = await scrape(app);
    const grown = (name: string) => Number(sumOf(all, name)) - Number(sumOf(before, name));
    expect(grown('roster_database_group_size_sum')).toBe(3);
    expect(grown('roster_database_group_size_count')).toBeLessThan(3);
  });
});

describe('on a connection', () => {
  async function startBusy() {
    // Nobody has waited for too long until that is said.
    const { app, stopwatch } = await start();
    const port = Number(new URL(await listen(app)).port);
    const isSaturated = vi.fn(() => false);
    Object.defineProperty(app.db.getExecutor().adapter, 'isSaturated', { get: isSaturated });
    const passTime = () => stopwatch.move(LONGEST_WAIT);
    const send = async (path: string, header = '') => {
      const socket = connect({ port, host: '127.0.0.1' });
      onTestFinished(() => void socket.destroy());
      let received = '';
      socket.setEncoding('utf8').on('data', (data) => {
        received += data;
      });
      await once(socket, 'connect');
      socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n${header}\r\n`);
      return { socket, received: () => received };
    };
    const withToken = (path = '/metrics') =>
      send(path, `Authorization: Bearer ${TOKEN}\r\nConnection: close\r\n`);
    const read = async () => {
      const { socket, received } = await withToken();
      await once(socket, 'close');
      return parse(received().split('\r\n\r\n')[1] ?? '');
    };
    return { app, port, isSaturated, passTime, send, withToken, read };
  }

  test('whoever has the token is answered however many wait; who has not waits like everyone', async () => {
    const { isSaturated, passTime, send, read } = await startBusy();
    isSaturated.mockReturnValue(true);
    const others = [
      await send('/users'),
      await send('/metrics'),
      await send('/metrics', 'Authorization: Bearer wrong\r\n'),
    ];
    const all = await read();
    expect(sumOf(all, 'roster_database_up')).toBe(1);
    // Those three, and this one.
    expect(sumOf(all, 'roster_http_requests_in_flight', { kind: 'reading' })).toBe(4);
    for (const { received } of others) expect(received()).toBe('');
    passTime();
    for (const { received } of others) await expect.poll(received).toMatch(/^HTTP\/1.1 503 /);
    const after = await read();
    expect(sumOf(after, 'roster_http_requests_refused_total', { kind: 'reading' })).toBe(3);
    expect(sumOf(after, 'roster_http_requests_refused_total', { kind: 'writing' })).toBe(0);
    expect(sumOf(after, 'roster_http_requests_in_flight', { kind: 'reading' })).toBe(1);
  });

  test('the token opens nothing else', async () => {
    const { isSaturated, passTime, withToken, read } = await startBusy();
    isSaturated.mockReturnValue(true);
    const { received } = await withToken('/users');
    await read();
    passTime();
    await expect.poll(received).toMatch(/^HTTP\/1.1 503 /);
  });

  test('a file that is brought is told of while it comes, and not once it is given up', async () => {
    const { app, port, read } = await startBusy();
    const { cookie } = await signedIn(app, await addPerson(app.db, 'bob', 'admin'));
    const socket = connect({ port, host: '127.0.0.1' });
    onTestFinished(() => void socket.destroy());
    const head = `POST /import HTTP/1.1\r\nHost: localhost\r\nCookie: ${cookie}\r\nSec-Fetch-Site: same-origin\r\n`;
    socket.write(
      `${head}Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 5000\r\n\r\n--x\r\n`,
    );
    const underWay = async () => sumOf(await read(), 'roster_uploads_in_flight');
    await expect.poll(underWay).toBe(1);
    socket.destroy();
    await expect.poll(underWay).toBe(0);
  });

  test('who goes away before the answer is told of', async () => {
    const { isSaturated, send, read } = await startBusy();
    isSaturated.mockReturnValue(true);
    const { socket } = await send('/users');
    await read();
    socket.destroy();
    const aborted = async () =>
      sumOf(await read(), 'roster_http_requests_aborted_total', { kind: 'reading' });
    await expect.poll(aborted).toBe(1);
  });
});
