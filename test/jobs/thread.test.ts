/** Jobs in a thread of their own: what they do and say is as in the process, and one that crashes is begun anew. */
import { readdirSync, writeFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { expect, inject, onTestFinished, test } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import { openDatabase } from '../../src/db/database.ts';
import { transact } from '../../src/db/transact.ts';
import { reachIn, readLedger } from '../../src/erasure/ledger.ts';
import { beginImport, confirmImport } from '../../src/imports/commands.ts';
import { filesOf, makeFolder, newName } from '../../src/imports/folder.ts';
import { findImport } from '../../src/imports/queries.ts';
import { JobsThread } from '../../src/jobs/jobs-thread.ts';
import { findJobOfSet } from '../../src/jobs/queries.ts';
import { createUser } from '../../src/users/commands.ts';
import { addPerson } from '../people.ts';
import { listenTo, preloading, run } from '../roster.ts';
import { readyUrl, temporaryFolder } from '../support.ts';
import { begin, changeMany, countAsBefore } from './many.ts';

async function start() {
  const databaseUrl = await readyUrl();
  const db = await openDatabase(databaseUrl, { connections: 2 });
  onTestFinished(() => db.destroy());
  const importFolder = join(temporaryFolder(), 'imports');
  const said = { notes: [] as unknown[][], warnings: [] as unknown[][] };
  const hear = {
    note: (...note: unknown[]) => void said.notes.push(note),
    warn: (...warning: unknown[]) => void said.warnings.push(warning),
  };
  const ledger = `${importFolder}.jsonl`;
  const thread = new JobsThread({ databaseUrl, importFolder, ledger }, hear);
  onTestFinished(() => thread.end());
  return { db, databaseUrl, thread, said, importFolder, ledger };
}

test('the thread does a job, and ends when it is asked to', async () => {
  const { db, thread, said } = await start();
  const set = await begin(db, await changeMany(db, 250));
  await thread.run();
  expect(await findJobOfSet(db, set)).toMatchObject({ state: 'done', done: 250 });
  expect(await countAsBefore(db)).toEqual({ before: 250, others: 0 });
  await thread.end();
  expect(said.warnings).toEqual([]);
  // Nobody begins another one by then.
  await thread.run();
});

test.runIf(process.platform === 'linux' && inject('engine') === 'postgres')(
  'it has less priority than what answers requests',
  async () => {
    const threads = () => readdirSync('/proc/self/task').map(Number);
    const others = threads();
    const { thread } = await start();
    await thread.run();
    const own = threads().filter((id) => !others.includes(id));
    expect(own.map(priorityOf)).toContain(Math.min(getPriority() + 5, 19));
  },
);

/** Undefined of what has ended by now. */
function priorityOf(thread: number): number | undefined {
  try {
    return getPriority(thread);
  } catch {
    return undefined;
  }
}

test('it reads what was brought, and what it does for somebody is noted by the process', async () => {
  const { db, thread, said, importFolder, ledger } = await start();
  const ann = await addPerson(db, 'ann', 'admin');
  const folder = makeFolder(importFolder);
  const file = newName();
  writeFileSync(filesOf(folder, file).upload, 'username,email,role\nada,ada@example.org,viewer\n');
  const actor = { ...commandLine, via: 'form' as const, user: ann };
  const upload = { file, name: 'users.csv', size: 1 };
  const id = await transact(db, (trx) => beginImport(trx, actor, folder, upload, Date.now()));
  await thread.run();
  const { judged = 0, state } = (await findImport(db, id)) ?? {};
  expect(state).toBe('checked');
  await transact(db, (trx) => confirmImport(trx, actor, id, judged, Date.now()));
  await thread.run();
  expect(await findImport(db, id)).toMatchObject({ state: 'done' });
  // Outside of the database, so that a copy of before gives nobody else ada's number.
  expect(reachIn(readLedger(ledger)).users).toBeGreaterThan(ann.id);
  const by = { id: ann.id, username: 'ann' };
  const ada = expect.objectContaining({ username: 'ada' });
  expect(said).toEqual({ notes: [[1, by, 'role given: viewer', ada]], warnings: [] });
});

test('one that crashes is said to have, and a new one is begun by whoever asks next', async () => {
  const warnings: unknown[][] = [];
  const hear = { note: () => {}, warn: (...warning: unknown[]) => void warnings.push(warning) };
  const nowhere = join(temporaryFolder(), 'nowhere', 'roster.db');
  const thread = new JobsThread(
    { databaseUrl: `sqlite:${nowhere}`, importFolder: nowhere, ledger: nowhere },
    hear,
  );
  await thread.run();
  await thread.run();
  expect(warnings).toMatchObject([
    ['the thread of jobs', { code: 'ENOENT' }],
    ['the thread of jobs', { code: 'ENOENT' }],
  ]);
  await thread.end();
});

test('where none can be begun Roster serves all the same, and says so', async () => {
  const { db, databaseUrl } = await start();
  await begin(db, await changeMany(db, 250));
  const settings = preloading(`
    import threads from 'node:worker_threads';
    import { syncBuiltinESMExports } from 'node:module';
    threads.Worker = class {
      constructor() {
        throw new Error('Worker initialization failure: EAGAIN');
      }
    };
    syncBuiltinESMExports();`);
  const { address, said } = await listenTo(run([], { PORT: '0', DATABASE_URL: databaseUrl, ...settings }));
  await expect.poll(said).toContain('the thread of jobs has met an error');
  expect((await fetch(`${address}/healthz`)).status).toBe(200);
});

test('pages and jobs write to one database in turn', async () => {
  const { db, thread } = await start();
  const set = await begin(db, await changeMany(db, 1_500));
  let isDone = false;
  const done = thread.run().then(() => {
    isDone = true;
  });
  let count = 0;
  const create = (trx: Parameters<typeof createUser>[0]) =>
    createUser(
      trx,
      commandLine,
      { username: `new${count}`, email: `new${count}@example.org`, is_active: true, role: 'member' },
      1,
    );
  while (!isDone) {
    await transact(db, create);
    count += 1;
  }
  await done;
  expect(count).toBeGreaterThan(1);
  expect(await findJobOfSet(db, set)).toMatchObject({ state: 'done', done: 1_500 });
});
