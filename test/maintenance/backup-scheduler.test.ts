/** Backups that Roster itself has made. */
import { once } from 'node:events';
import { mkdirSync, readdirSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { buildApp } from '../../src/app.ts';
import { seedUsers } from '../../src/cli/seed.ts';
import { readConfig } from '../../src/config.ts';
import type { Db } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { findRuns } from '../../src/maintenance/queries.ts';
import { backupsIn, draftSize, expectWhole, until } from '../backup/files.ts';
import { childrenOf } from '../children.ts';
import { isRunning, PATIENCE, startSeveral } from '../operations/workers/running.ts';
import { HOUR, movableClock } from '../people.ts';
import { listenTo, preloading, run, startRoster, unyielding } from '../roster.ts';
import {
  addUsers,
  DATABASE_ID,
  fillAsCommand,
  readyUrl,
  SECRET_KEY,
  temporaryDatabase,
  temporaryFolder,
} from '../support.ts';

const HALF_A_MINUTE = 30_000;

/** Rosters on one database, with a folder for backups. */
async function start(count = 1, folder = temporaryFolder()) {
  const [url, own] = [await readyUrl(), temporaryFolder()];
  const env = {
    PATH: process.env.PATH ?? '',
    DATABASE_URL: url,
    SECRET_KEY_FILE: join(own, 'secret.key'),
    BACKUP_FOLDER: folder,
    BACKUP_KEEP: '2',
    LOG_LEVEL: 'silent',
  };
  const clock = movableClock(Date.now());
  const make = async () => {
    const db = await temporaryDatabase(url);
    const keys = { secretKey: SECRET_KEY, databaseId: DATABASE_ID };
    const config = { ...readConfig(env), importFolder: join(own, 'imports') };
    const ledger = join(own, 'erased.jsonl');
    const app = await buildApp({ config, db, ...keys, ledger, clock, env: unyielding(env) });
    onTestFinished(() => app.close());
    return app;
  };
  const apps = [];
  for (let index = 0; index < count; index++) apps.push(await make());
  const [app] = apps as [Awaited<ReturnType<typeof make>>];
  await addUsers(app.db, ['alice']);
  return { app, apps, db: app.db, folder, clock, env };
}

const outcomesOf = async (db: Db) => (await findRuns(db, 'backup')).map(({ outcome }) => outcome);

test('a day after the last good one there is another, and of those in the folder as many stay as are set', async () => {
  const { app, db, folder, clock } = await start();
  await app.backUpIfDue();
  await app.backUpIfDue();
  const first = backupsIn(folder);
  expect(first).toHaveLength(1);
  await expectWhole(join(folder, `${first[0]}`));
  expect(await findRuns(db, 'backup')).toMatchObject([
    { outcome: 'good', file: join(folder, `${first[0]}`), users: 1 },
  ]);
  for (let day = 0; day < 2; day++) {
    clock.move(25 * HOUR);
    await app.backUpIfDue();
  }
  expect(await outcomesOf(db)).toEqual(['good', 'good', 'good']);
  const left = backupsIn(folder);
  expect(left).toHaveLength(2);
  expect(left).not.toContain(first[0]);
});

test('of several Rosters on one database one makes it', async () => {
  const { apps, db, folder } = await start(3);
  await Promise.all(apps.map((app) => app.backUpIfDue()));
  expect(backupsIn(folder)).toHaveLength(1);
  expect(await outcomesOf(db)).toEqual(['good']);
});

test('where it fails, it is tried again after an hour, and it is noted why', async () => {
  const folder = join(temporaryFolder(), 'not mounted');
  const { app, db, clock } = await start(1, folder);
  await app.backUpIfDue();
  await app.backUpIfDue();
  const problem = `There is no folder ${folder}: make it, or write elsewhere.`;
  expect(await findRuns(db, 'backup')).toMatchObject([{ outcome: 'bad', problem }]);
  clock.move(1.1 * HOUR);
  await app.backUpIfDue();
  expect(await outcomesOf(db)).toEqual(['bad', 'bad']);
  mkdirSync(folder);
  clock.move(1.1 * HOUR);
  await app.backUpIfDue();
  expect(await outcomesOf(db)).toEqual(['good', 'bad', 'bad']);
});

// On SQLite the table's name would stand in quotes from then on, and a backup refuses what is not as Roster makes it.
test.runIf(inject('engine') === 'postgres')(
  'where the database does not answer, it is seen to soon after',
  async () => {
    const { app, db, folder } = await start();
    const rename = (from: 'maintenance_runs' | 'lost', to: string) =>
      transact(db, (trx) => trx.schema.alterTable(from).renameTo(to).execute());
    await rename('maintenance_runs', 'lost');
    const timers = vi.spyOn(globalThis, 'setTimeout');
    await app.backUpIfDue();
    const [again] = timers.mock.calls.find(([, delay]) => delay === HALF_A_MINUTE) ?? [];
    await rename('lost', 'maintenance_runs');
    (again as () => void)();
    // After what is under way.
    await app.backUpIfDue();
    expect(backupsIn(folder)).toHaveLength(1);
    expect(await outcomesOf(db)).toEqual(['good']);
  },
);

test('where the database is away for several looks, one more is to come, and none once Roster has ended', async () => {
  const { app, db } = await start();
  await transact(db, (trx) => trx.schema.alterTable('maintenance_runs').renameTo('lost').execute());
  const [set, cleared] = [vi.spyOn(globalThis, 'setTimeout'), vi.spyOn(globalThis, 'clearTimeout')];
  const toCome = () => {
    const timers = set.mock.calls.flatMap(([, delay], index) =>
      delay === HALF_A_MINUTE ? [set.mock.results[index]?.value] : [],
    );
    return timers.filter((timer) => !cleared.mock.calls.some(([given]) => given === timer));
  };
  await app.backUpIfDue();
  await app.backUpIfDue();
  expect(toCome()).toHaveLength(1);
  await app.close();
  expect(toCome()).toEqual([]);
});

test('one that has not ended when the next is due is stopped', async () => {
  const { app, db, folder } = await start();
  app.config.backupEvery = 1;
  await app.backUpIfDue();
  expect(await findRuns(db, 'backup')).toMatchObject([{ outcome: 'bad', problem: 'It ended with SIGKILL.' }]);
  expect(backupsIn(folder)).toEqual([]);
});

test('where it has failed, a Roster that is started again tries at once', async () => {
  const folder = join(temporaryFolder(), 'not mounted');
  const { app, env } = await start(1, folder);
  await app.backUpIfDue();
  mkdirSync(folder);
  await startRoster(env);
  await until(() => backupsIn(folder).length === 1);
});

test('a Roster that is started without the folder says so in a sentence, and serves', async () => {
  const folder = join(temporaryFolder(), 'not mounted');
  const { env } = await start(1, folder);
  const { child, stderr } = await startRoster(env);
  child.kill();
  expect(await stderr).toContain(
    `Warning: there is no folder ${folder}, so Roster makes no backups until that is mended. It tries each hour, and when it is started again, as with another BACKUP_FOLDER.\n`,
  );
});

test('a Roster that stops stops it, and leaves nothing half', async () => {
  const { app, db, folder, env } = await start();
  await fillAsCommand(env.DATABASE_URL, (filled) => seedUsers(filled, 10_000));
  const making = app.backUpIfDue();
  await until(() => draftSize(folder, 'backup.db') > 0);
  await app.close();
  await making;
  expect(readdirSync(folder)).toEqual([]);
  expect(await findRuns(db, 'backup')).toMatchObject([
    { outcome: 'bad', problem: 'Roster was stopped meanwhile.' },
  ]);
});

test('a Roster in whose place another one goes on makes it to its end', async () => {
  const { app, db, folder, env } = await start();
  await fillAsCommand(env.DATABASE_URL, (filled) => seedUsers(filled, 10_000));
  const making = app.backUpIfDue();
  await until(() => draftSize(folder, 'backup.db') > 0);
  app.isReplaced = true;
  await app.close();
  await making;
  expect(await outcomesOf(db)).toEqual(['good']);
  expect(backupsIn(folder)).toHaveLength(1);
});

test(
  'one that a process began which was replaced since ends with Roster all the same',
  PATIENCE,
  async () => {
    const slow = preloading(`
    if (process.argv.includes('backup')) await new Promise((resolve) => setTimeout(resolve, 120_000));`);
    const settings = { BACKUP_FOLDER: temporaryFolder(), WORKERS: '1', DRAIN_SECONDS: '5', ...slow };
    const { url, child, address, workers, ended } = await startSeveral(settings);
    const [old = 0] = workers();
    await expect.poll(() => childrenOf(old)).toHaveLength(1);
    const [backup = 0] = childrenOf(old);
    const agent = new Agent({ keepAlive: true });
    const ask = async () => {
      const [answer] = await once(get(`${address}/healthz`, { agent }), 'response');
      await text(answer);
      return answer.headers.connection;
    };
    expect(await ask()).toBe('keep-alive');
    process.kill(old, 'SIGTERM');
    // By then the one that has this connection is replaced.
    await expect.poll(ask).toBe('close');
    agent.destroy();
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
    expect(isRunning(backup)).toBe(false);
    // The process of after may have begun one, too, before it heard of the end.
    const [first] = (await findRuns(await temporaryDatabase(url), 'backup')).reverse();
    expect(first).toMatchObject({ outcome: 'bad', problem: 'Roster was stopped meanwhile.' });
  },
);

test('one whose process is killed ends soon, says so, and leaves nothing half', PATIENCE, async () => {
  const folder = temporaryFolder();
  // It has begun, and goes on once whoever has it made is gone.
  const held = preloading(`
    import fs from 'node:fs';
    import { syncBuiltinESMExports } from 'node:module';
    const { mkdirSync } = fs;
    const { ppid } = process;
    fs.mkdirSync = (...given) => {
      mkdirSync(...given);
      while (String(given[0]).includes('.new-') && process.ppid === ppid)
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    };
    if (process.argv.includes('backup')) syncBuiltinESMExports();`);
  const { url, workers } = await startSeveral({ BACKUP_FOLDER: folder, WORKERS: '1', ...held });
  const [killed = 0] = workers();
  const draft = () => readdirSync(folder).find((name) => name.includes('.new-'));
  await expect.poll(draft).toBeDefined();
  const begun = `${draft()}`;
  process.kill(killed, 'SIGKILL');
  const db = await temporaryDatabase(url);
  const first = async () => (await findRuns(db, 'backup')).at(-1);
  await expect.poll(async () => (await first())?.outcome).toBe('bad');
  const problem = 'The process of Roster that had it made has ended meanwhile.';
  expect(await first()).toMatchObject({ problem });
  expect(readdirSync(folder)).not.toContain(begun);
  expect(backupsIn(folder)).toEqual([]);
});

test('that it was made stands in the log as it is by default, in one line', async () => {
  const { env, folder } = await start();
  const { LOG_LEVEL: _, ...settings } = env;
  const { said } = await listenTo(run([], { ...settings, PORT: '0' } as Record<string, string>));
  await expect.poll(said, { timeout: 120_000 }).toContain('a backup was made');
  // A database that a busy machine has kept waiting is asked once more.
  const lines = said()
    .split('\n')
    .filter((line) => line.includes('backup') && !line.includes('could not be seen to'));
  expect(lines).toEqual([expect.stringContaining(join(folder, `${backupsIn(folder)[0]}`))]);
});

test('a Roster that is started where there is none makes one at once', async () => {
  const { env, folder } = await start();
  await startRoster(env);
  await until(() => backupsIn(folder).length === 1);
  await expectWhole(join(folder, `${backupsIn(folder)[0]}`));
});
