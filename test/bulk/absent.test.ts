/** All who are not in a file, changed by a job: until its end these are those who were confirmed. */
import { expect, test } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import { readHistorySnapshot } from '../../src/bulk/history-snapshot.ts';
import { beginBulk, bulkBatch } from '../../src/bulk/job.ts';
import { seedUsers } from '../../src/cli/seed.ts';
import { transact } from '../../src/db/transact.ts';
import { cleanUpAbsentUsers } from '../../src/imports/absent-users.ts';
import { readDifferently } from '../../src/imports/commands.ts';
import { findJobOfSet, saveJob } from '../../src/jobs/queries.ts';
import { runJobs } from '../../src/jobs/run.ts';
import { Mutex } from '../../src/lib/mutex.ts';
import { changeUser } from '../../src/users/commands.ts';
import { parseFrom } from '../../src/users/list/address.ts';
import { erase } from '../backup/backed-up.ts';
import { begin as beginImport } from '../imports/bringing.ts';
import { bring } from '../imports/by-pages.ts';
import { SMALL_BATCHES } from '../jobs/many.ts';
import { pageOf } from '../page.ts';
import { addPerson, movableClock, signedIn } from '../people.ts';
import { addUser, get, post, startApp } from '../support.ts';
import { ask, confirm } from './asking.ts';

const NOW = Date.UTC(2100, 0, 31);
const EACH = 150;

/** A file that half of the members are in, by their usernames, with other emails: of nobody, or those of the other half. */
async function start({ ofOthers = false } = {}) {
  const app = await startApp({}, undefined, movableClock(NOW));
  const { db } = app;
  const ann = await addPerson(db, 'ann', 'admin');
  const headers = await signedIn(app, ann);
  await seedUsers(db, 2 * EACH);
  const members = db.selectFrom('users').selectAll().where('role', '=', 'member').orderBy('id');
  const [absent, present] = [
    await members.limit(EACH).execute(),
    await members.offset(EACH).limit(EACH).execute(),
  ];
  const rows = present.map(
    ({ id, username }, index) => `${username},${ofOthers ? absent[index]?.email : `${id}@elsewhere.org`}`,
  );
  const address = await bring(app, headers, ['username,email', 'ann,', ...rows].join('\n'));
  const id = Number(address.split('/')[2]);
  const from = `absent_from=${id}&role=member`;
  /** It is begun, and one batch of it done. */
  const begin = async () => {
    const many = { list: parseFrom({ from }, NOW), total: EACH, since: await readHistorySnapshot(db) };
    const actor = { ...commandLine, user: ann };
    const act = { do: 'role', role: 'viewer' } as const;
    const set = await transact(db, (trx) => beginBulk(trx, actor, act, many, NOW));
    let asked = 0;
    await runJobs(
      {
        db,
        alone: new Mutex(),
        kinds: { bulk: { via: 'bulk', work: bulkBatch } },
        pace: SMALL_BATCHES,
        clock: app.clock,
        stopwatch: () => 0,
        note: () => {},
        warn: () => {},
      },
      () => ++asked > 2,
    );
    expect(await findJobOfSet(db, set)).toMatchObject({ state: 'running', done: 100 });
    return set;
  };
  const end = async (set: number) => {
    await app.runJobs();
    expect(await findJobOfSet(db, set)).toMatchObject({ state: 'done', done: EACH, left_out: 0 });
    const changed = db.selectFrom('users').select('id').where('role', '=', 'viewer').orderBy('id');
    expect(await changed.execute()).toEqual(absent.map((user) => ({ id: user.id })));
  };
  return { app, db, headers, present, address, id, from, begin, end };
}

test('also once the import is forgotten', async () => {
  const { db, begin, end } = await start();
  const set = await begin();
  await erase(db, (await addUser(db, { username: 'gone' })).id, NOW);
  await cleanUpAbsentUsers(db);
  await end(set);
  await cleanUpAbsentUsers(db);
  expect(await db.selectFrom('absent_users').selectAll().execute()).toEqual([]);
});

test('meanwhile its file is not read differently, by which others would be absent; then it is', async () => {
  const { app, db, headers, address, begin, end } = await start();
  const set = await begin();
  const read = () => post(app, address, { match: 'email' }, headers);
  const refused = await read();
  expect([refused.statusCode, pageOf(refused).heading]).toEqual([409, 'Still under way']);
  expect(pageOf(refused).main.link('See how far it is')).toBe(`/history/${set}`);
  const { id = 0 } = (await findJobOfSet(db, set)) ?? {};
  await transact(db, (trx) => saveJob(trx, id, { state: 'stopped' }));
  const stopped = pageOf(await read());
  expect([stopped.heading, stopped.main.link('Look at this change')]).toEqual([
    'Stopped before its end',
    `/history/${set}`,
  ]);
  await transact(db, (trx) => saveJob(trx, id, { state: 'running' }));
  await end(set);
  expect((await read()).statusCode).toBe(303);
});

test('nor do they become others where it is judged again as it is applied', async () => {
  const { app, db, address, id, headers, present, begin, end } = await start();
  const set = await begin();
  const change = { username: 'another' };
  await transact(db, (trx) => changeUser(trx, commandLine, present[0]?.id ?? 0, change, NOW));
  await beginImport(app, id);
  await end(set);
  expect(pageOf(await get(app, address, headers)).text).toContain('Not applied: Roster has changed since');
});

test('it is asked again where its file is read anew as it is confirmed', async () => {
  const { app, db, headers, id, from } = await start({ ofOthers: true });
  const whom = `from=${encodeURIComponent(from)}&all=on`;
  const asked = await ask(app, headers, 'delete', whom);
  await transact(db, (trx) => readDifferently(trx, commandLine, id, { match: 'email' }, NOW));
  expect((await confirm(app, headers, 'delete', whom, { asked })).statusCode).toBe(409);
  await app.runJobs();
  const others = await confirm(app, headers, 'delete', whom, { asked });
  expect(pageOf(others).text).toContain('who this is about has changed');
});
