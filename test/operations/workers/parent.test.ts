/** Several processes at one port: what becomes of requests when one of them dies, all are replaced, or all are stopped. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { expect, inject, onTestFinished, test } from 'vitest';
import { seedUsers } from '../../../src/cli/seed.ts';
import { filePathOf } from '../../../src/database-url.ts';
import { engineOf } from '../../../src/db/engine.ts';
import { MIGRATIONS } from '../../../src/db/migration-list.ts';
import { transact } from '../../../src/db/transact.ts';
import { LOOK_EVERY_MS } from '../../../src/operations/workers/watchdog.ts';
import { pageOf } from '../../page.ts';
import { addPerson, PASSWORD } from '../../people.ts';
import {
  askAnew,
  beginForm,
  expectNothingLost,
  send,
  startClients,
  THINKING,
} from '../../reliability/clients.ts';
import { preloading, run, runToEnd } from '../../roster.ts';
import { Browser } from '../../soak/browser.ts';
import { fillAsCommand, readyUrl, temporaryDatabase } from '../../support.ts';
import { exceptRequests, isRunning, PATIENCE, startSeveral } from './running.ts';

const DRAINING = { DRAIN_SECONDS: '1', DATABASE_CONNECTIONS: '16', LOG_LEVEL: 'info' };
const BROWSERS = 6;
const REPLACED = 'All processes were replaced.';
/** So many answers one after the other. */
const MANY = 5;

/** Of processes that come and go while nobody changes anything: with which database they do is all the same. */
const testProcesses = test.skipIf(inject('engine') === 'postgres');

/** Waits until the first process answers, which is before Roster says where. */
async function answering(child: ReturnType<typeof run>) {
  let out = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  const found = () => /Server listening at (http:[^"]+)/.exec(out)?.[1];
  await expect.poll(found).toBeDefined();
  return { address: found() ?? '', said: () => out };
}

/** In milliseconds. */
const SLOW = 3_000;

/** Settings with which the process of a number, in the order in which they are begun, takes its time. */
const slowToStart = (id: number) =>
  preloading(`
    import cluster from 'node:cluster';
    if (cluster.worker?.id === ${id}) await new Promise((resolve) => setTimeout(resolve, ${SLOW}));`);

/** Someone who is signed in, and the number of the process that has their connection. */
async function connect(address: string) {
  const browser = new Browser(address, '127.0.0.1');
  onTestFinished(() => browser.close());
  await browser.post('/sign-in', { username: 'ann', password: PASSWORD });
  return { browser, pid: await processOf(browser) };
}

async function processOf(browser: Browser): Promise<number> {
  const { text } = pageOf(await browser.get('/admin/status'));
  return Number(/Process (\d+) on/.exec(text)?.[1]);
}

test(
  'of a process that is killed another one takes the place, and nobody else notices',
  PATIENCE,
  async () => {
    const url = await readyUrl();
    await addPerson(await temporaryDatabase(url), 'ann', 'admin');
    const { address, workers, said } = await startSeveral({ DATABASE_URL: url });
    const before = workers();
    const connected = [];
    for (let number = 0; number < BROWSERS; number++) connected.push(await connect(address));
    const [killed = 0, other] = before;
    const others = connected.filter(({ pid }) => pid === other);
    expect(others).toHaveLength(BROWSERS / 2);
    let isOver = false;
    const asking = others.map(async ({ browser }) => {
      for (; !isOver; await setTimeout(THINKING)) expect((await browser.get('/users')).status).toBe(200);
    });
    process.kill(killed, 'SIGKILL');
    await expect.poll(() => workers().filter((pid) => !before.includes(pid))).toHaveLength(1);
    for (const { browser } of connected.filter((one) => one.pid === killed)) {
      // Its connection is cut; the next one leads to another process.
      await browser.get('/users').catch(() => {});
      expect(workers()).toContain(await processOf(browser));
    }
    isOver = true;
    await Promise.all(asking);
    expect(said()).toContain(`Process ${killed} has ended (SIGKILL): another one is started in 0.1 s.`);
  },
);

/** Settings with which the first process is killed as soon as a connection is handed to it. */
const KILLED_BY_CONNECTION = preloading(`
  import cluster from 'node:cluster';
  if (cluster.worker?.id === 1)
    process.prependListener('internalMessage', ({ cmd }) => {
      if (cmd === 'NODE_HANDLE') process.kill(process.pid, 'SIGKILL');
    });`);

testProcesses(
  'who is on the way to a process that is killed is answered by another one, and Roster can be stopped',
  PATIENCE,
  async () => {
    const { child, address, workers, ended } = await startSeveral(KILLED_BY_CONNECTION);
    const [killed = 0] = workers();
    // In turns: one of them is handed to it.
    expect(await send(`${address}/healthz`, { agent: false })).toBe(200);
    expect(await send(`${address}/healthz`, { agent: false })).toBe(200);
    expect(isRunning(killed)).toBe(false);
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  },
);

testProcesses('where there is no other one who was on the way is cut off', PATIENCE, async () => {
  const { address, workers } = await startSeveral({ ...KILLED_BY_CONNECTION, WORKERS: '1' });
  const [killed] = workers();
  await expect(send(`${address}/healthz`, { agent: false })).rejects.toThrow(/ECONNRESET|hang up/);
  await expect.poll(() => workers().filter((pid) => pid !== killed)).toHaveLength(1);
});

testProcesses(
  'one person has as many exports in all of them together as in one, and those of one that is killed are over',
  PATIENCE,
  async () => {
    const url = await readyUrl();
    // More than a connection takes in that nobody reads.
    await fillAsCommand(url, (db) => seedUsers(db, 60_000));
    await addPerson(await temporaryDatabase(url), 'ann', 'admin');
    const { address, workers } = await startSeveral({ DATABASE_URL: url });
    const connected: Awaited<ReturnType<typeof connect>>[] = [];
    for (let number = 0; number < BROWSERS; number++) connected.push(await connect(address));
    const [first = 0, other] = workers();
    const begin = async (pid: number | undefined) => {
      const at = connected.findIndex((one) => one.pid === pid);
      expect(at).toBeGreaterThanOrEqual(0);
      const [found] = connected.splice(at, 1);
      return (await found?.browser.begin('/export/file?format=vcard&all=on'))?.statusCode;
    };
    expect([await begin(first), await begin(first)]).toEqual([200, 200]);
    expect(await begin(other)).toBe(503);
    process.kill(first, 'SIGKILL');
    await expect.poll(() => workers()).not.toContain(first);
    expect(await begin(other)).toBe(200);
  },
);

testProcesses(
  'where the parent gives no turns to export, as one of before, they have their own',
  PATIENCE,
  async () => {
    const older = preloading(`
    import { Worker } from 'node:cluster';
    const { send } = Worker.prototype;
    Worker.prototype.send = function ({ givesSlots, ...message }, ...rest) {
      return message.kind === 'slot' || send.call(this, message, ...rest);
    };`);
    const url = await readyUrl();
    await addPerson(await temporaryDatabase(url), 'ann', 'admin');
    const { address } = await startSeveral({ ...older, DATABASE_URL: url, WORKERS: '1' });
    const { browser } = await connect(address);
    expect((await browser.get('/export/file?format=vcard&all=on')).status).toBe(200);
  },
);

testProcesses(
  'of those that die at once all are begun again, at the port that was said',
  PATIENCE,
  async () => {
    const { address, workers } = await startSeveral();
    const before = workers();
    for (const pid of before) process.kill(pid, 'SIGKILL');
    await expect.poll(() => workers().filter((pid) => !before.includes(pid))).toHaveLength(2);
    await expect.poll(() => send(`${address}/healthz`, { agent: false }).catch(() => 0)).toBe(200);
  },
);

testProcesses(
  'of those that die again and again the next one is started later each time',
  PATIENCE,
  async () => {
    const { workers, said } = await startSeveral({ LOG_LEVEL: 'info' });
    const answering = () => said().match(/Server listening/g)?.length;
    for (const [replaced, pause] of ['0.1', '0.2', '0.4'].entries()) {
      await expect.poll(answering).toBe(2 + replaced);
      const [first = 0] = workers();
      process.kill(first, 'SIGKILL');
      await expect
        .poll(said)
        .toContain(`Process ${first} has ended (SIGKILL): another one is started in ${pause} s.`);
      await expect.poll(workers).not.toContain(first);
    }
  },
);

test(
  'SIGHUP replaces one after the other, Roster is ready all the while, and no request fails',
  PATIENCE,
  async () => {
    const { url, child, address, workers, saying, replaced } = await startSeveral(DRAINING);
    const before = workers();
    const clients = startClients(address, THINKING);
    await clients.more(50);
    const answers = askAnew(`${address}/readyz`);
    child.kill('SIGHUP');
    await saying(REPLACED);
    expect(await answers()).toEqual([200]);
    await replaced(before);
    await clients.more(50);
    await clients.stop();
    await expectNothingLost(clients, url);
  },
);

testProcesses(
  'one that dies while they are replaced is begun anew once, and none of before stays',
  PATIENCE,
  async () => {
    // The one in the place of the dead one comes late.
    const slow = slowToStart(4);
    const { child, workers, said, saying } = await startSeveral({ ...DRAINING, ...slow });
    const before = workers();
    child.kill('SIGHUP');
    // While the first of the new ones starts.
    await expect.poll(workers).toHaveLength(3);
    process.kill(before[1] ?? 0, 'SIGKILL');
    await saying(REPLACED);
    // That waits for whatever is being begun, and replaces all there are.
    child.kill('SIGHUP');
    await saying(REPLACED, 2);
    expect(said().match(/Server listening/g)).toHaveLength(6);
    const isNew = (pid: number) => !before.includes(pid);
    await expect.poll(() => workers().map(isNew)).toEqual([true, true]);
  },
);

testProcesses(
  'who says twice that they are to be replaced gets as many as before, all of them new',
  PATIENCE,
  async () => {
    const { child, workers, said } = await startSeveral(DRAINING);
    const seen = new Set(workers());
    const before = new Set(seen);
    child.kill('SIGHUP');
    // While the first of the new ones starts.
    await expect.poll(workers).toHaveLength(3);
    child.kill('SIGHUP');
    const replacedTwice = () => {
      for (const pid of workers()) seen.add(pid);
      return said().split('All processes were replaced.').length - 1;
    };
    await expect.poll(replacedTwice).toBe(2);
    await expect.poll(() => workers().map((pid) => before.has(pid))).toEqual([false, false]);
    expect(seen.size).toBe(6);
  },
);

test(
  'one that is told to end goes on until another one answers, and then ends what it has begun',
  PATIENCE,
  async () => {
    const { address, workers, answeredBy } = await startSeveral({ ...DRAINING, WORKERS: '1' });
    const [old = 0] = workers();
    const { answered, finish } = await beginForm(address);
    process.kill(old, 'SIGTERM');
    await expect.poll(workers).toHaveLength(2);
    const answers = askAnew(`${address}/readyz`);
    // Connections are handed out in turns: by then it takes none.
    const last = () => new Set(answeredBy('/readyz').slice(-MANY));
    await expect.poll(() => [last().size, last().has(old)]).toEqual([1, false]);
    expect(await answers()).toEqual([200]);
    expect(isRunning(old)).toBe(true);
    finish();
    expect(await answered).toBe(303);
    await expect.poll(() => isRunning(old)).toBe(false);
    await expect.poll(workers).toHaveLength(1);
  },
);

testProcesses(
  'where no other one starts it goes on until one does; who dies after that is not waited for longer by it',
  PATIENCE,
  async () => {
    const broken = preloading(`
    import cluster from 'node:cluster';
    if (cluster.worker?.id === 2) process.exit(3);`);
    const { workers, said } = await startSeveral({ ...broken, WORKERS: '1' });
    const [old = 0] = workers();
    process.kill(old, 'SIGTERM');
    await expect.poll(said).toContain(`Process ${old} is replaced, if one starts then, in 0.1 s.`);
    await expect.poll(() => isRunning(old)).toBe(false);
    await expect.poll(workers).toHaveLength(1);
    const [killed = 0] = workers();
    process.kill(killed, 'SIGKILL');
    await expect
      .poll(said)
      .toContain(`Process ${killed} has ended (SIGKILL): another one is started in 0.1 s.`);
  },
);

testProcesses(
  'of processes that are to be replaced before there are any nobody says that they were',
  PATIENCE,
  async () => {
    const early = preloading(`
    import cluster from 'node:cluster';
    const hangUp = (event) => event === 'SIGHUP' && queueMicrotask(() => process.emit('SIGHUP', 'SIGHUP'));
    if (cluster.isPrimary) process.on('newListener', hangUp);`);
    const { said } = await startSeveral({ ...early, LOG_LEVEL: 'info' });
    expect(said()).not.toContain('All processes were replaced.');
  },
);

test('newer code brings no database up to date beside those that work with it', PATIENCE, async () => {
  const { url, child, address, workers, said } = await startSeveral();
  const before = workers();
  let errors = '';
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const db = await temporaryDatabase(url);
  await transact(db, (trx) => engineOf(trx).writeVersion(trx, MIGRATIONS.length - 1));
  child.kill('SIGHUP');
  await expect.poll(said).toContain('so those that are there go on.');
  await expect.poll(() => errors).toContain('has to be brought up to date: stop Roster, and start it again.');
  expect(await engineOf(db).readVersion(db)).toBe(MIGRATIONS.length - 1);
  const file = filePathOf(url);
  if (file !== undefined) expect(existsSync(`${file}.before-version-${MIGRATIONS.length}`)).toBe(false);
  await expect.poll(workers).toEqual(before);
  expect(await send(`${address}/users`, { agent: false })).toBe(200);
});

test('SIGTERM stops all of them, and cuts nobody off', PATIENCE, async () => {
  const { url, child, address, workers, ended } = await startSeveral(DRAINING);
  const before = workers();
  const clients = startClients(address);
  await clients.more(50);
  child.kill('SIGTERM');
  await clients.ended;
  expect(await ended).toEqual([0, null]);
  expect(before.filter(isRunning)).toEqual([]);
  await expectNothingLost(clients, url);
});

test.each(['SIGTERM', 'SIGHUP'] as const)(
  '%s while some of them still start is heard, and cuts nobody off',
  PATIENCE,
  async (signal) => {
    const settings = { PORT: '0', WORKERS: '2', DATABASE_URL: await readyUrl(), ...DRAINING };
    const child = run([], { ...settings, ...slowToStart(2) });
    const { address, said } = await answering(child);
    const { answered, finish } = await beginForm(address);
    child.kill(signal);
    // Until the one that answers is about to stop. A form that is not whole for long is given up, so it does not wait for those that start.
    if (signal === 'SIGTERM') await expect.poll(() => send(`${address}/readyz`, { agent: false })).toBe(503);
    finish();
    expect(await answered).toBe(303);
    if (signal === 'SIGTERM') expect(await once(child, 'exit')).toEqual([0, null]);
    else await expect.poll(() => exceptRequests(said())).toContain(REPLACED);
  },
);

testProcesses('where another one cannot even be begun it is tried again', PATIENCE, async () => {
  const told = preloading(`
    import cluster from 'node:cluster';
    const { execPath } = process;
    if (cluster.isPrimary)
      process.on('SIGUSR2', () => {
        process.execPath = process.execPath === execPath ? '/nowhere' : execPath;
      });`);
  const { child, workers, said } = await startSeveral(told);
  const [killed = 0, other = 0] = workers();
  child.kill('SIGUSR2');
  process.kill(killed, 'SIGKILL');
  await expect.poll(said).toContain('One has ended before it answered: another one is started in 0.4 s.');
  await expect.poll(workers).toEqual([other]);
  child.kill('SIGUSR2');
  await expect.poll(workers).toHaveLength(2);
});

/** Settings with which the process of a number hangs before it listens, and it is looked twenty times as often who does. */
const hangsAtStart = (id: number) =>
  preloading(`
    import cluster from 'node:cluster';
    import { Server } from 'node:net';
    const { setInterval } = globalThis;
    if (cluster.isPrimary)
      globalThis.setInterval = (look, time) => setInterval(look, time === ${LOOK_EVERY_MS} ? time / 20 : time);
    if (cluster.worker?.id === ${id})
      Server.prototype.listen = function () {
        return this;
      };`);

testProcesses(
  'one that hangs before it answers is ended, and another one begun in its place',
  PATIENCE,
  async () => {
    const { child, workers, saying, replaced } = await startSeveral(hangsAtStart(3));
    const [killed = 0] = workers();
    process.kill(killed, 'SIGKILL');
    await saying('does not answer any more, and is ended.');
    await saying('One has ended before it answered: another one is started');
    await expect.poll(() => workers().length).toBe(2);
    // None waits for the one that hung.
    const before = workers();
    child.kill('SIGHUP');
    await replaced(before);
  },
);

testProcesses('a parent that is killed leaves none of them', PATIENCE, async () => {
  const { child, workers, ended } = await startSeveral();
  const before = workers();
  expect(before).toHaveLength(2);
  child.kill('SIGKILL');
  await ended;
  await expect.poll(() => before.filter(isRunning)).toEqual([]);
});

testProcesses(
  'the link to the first administrator leads to the form, whoever answers',
  PATIENCE,
  async () => {
    const { address, said } = await startSeveral();
    const [link = ''] = /http\S+\/setup\/\S+/.exec(said()) ?? [];
    for (let time = 0; time < 4; time++) expect(await send(link, { agent: false })).toBe(200);
    expect(said().match(/^Roster is at /gm)).toHaveLength(1);
    expect(link).toContain(address);
  },
);

testProcesses('where none can answer it is said, and Roster ends', PATIENCE, async () => {
  const broken = preloading(`
    import cluster from 'node:cluster';
    if (cluster.isWorker) process.exit(3);`);
  const settings = { PORT: '0', WORKERS: '2', DATABASE_URL: await readyUrl(), ...broken };
  expect(await runToEnd([], settings)).toMatchObject({
    code: 1,
    error: 'A process has ended before it answered.\n',
  });
});
