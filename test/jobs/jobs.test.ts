/** What takes longer than a page: done batch by batch, gone on with by whoever is there, and never half without saying so. */
import { expect, test } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import { seedUsers } from '../../src/cli/seed.ts';
import type { Db, User } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { readHistory } from '../../src/history/list.ts';
import { findChangeSet } from '../../src/history/queries.ts';
import { inOneSet } from '../../src/history/record.ts';
import { findJobOfSet } from '../../src/jobs/queries.ts';
import { runJobs } from '../../src/jobs/run.ts';
import { MOST_AT_ONCE, undoBatch } from '../../src/undo/batches.ts';
import { changeUser, deleteUser } from '../../src/users/commands.ts';
import { findUserByUsername } from '../../src/users/queries.ts';
import { pageOf } from '../page.ts';
import { addPerson, movableClock, signedIn } from '../people.ts';
import { addUser, get, post, startApp, temporaryDatabase } from '../support.ts';
import { begin, changeMany, countAsBefore, NOW } from './many.ts';

const runnerOf = (db: Db, clock = movableClock(NOW)) => ({
  db,
  works: { undo: undoBatch },
  clock,
  stopwatch: () => 0,
  note: () => {},
});

test('undoing very much begins at once, and its page says how far it is until it is done', async () => {
  const app = await startApp();
  const headers = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
  const undone = await changeMany(app.db, MOST_AT_ONCE + 1);
  const asked = await post(app, `/history/${undone}/undo`, {}, headers);
  expect(pageOf(asked).text).toContain('Up to 101 users become what they were before.');
  expect(await countAsBefore(app.db)).toMatchObject({ before: 0 });
  const answer = await post(app, `/history/${undone}/undo`, { seen: pageOf(asked).field('seen') }, headers);
  expect(answer.body).toBe('It has begun: this page says how far it is.\n');
  const address = String(answer.headers.location);
  await app.runJobs();
  const page = await get(app, address, headers);
  expect(page.headers.refresh).toBeUndefined();
  expect(pageOf(page).text).toContain('Done for 101 of 101 users.');
  expect(await countAsBefore(app.db)).toEqual({ before: MOST_AT_ONCE + 1, others: 1 });
  const list = pageOf(await get(app, '/history', headers)).text;
  expect(list).toContain('ann Changed 101 users, by Undo 101');
  expect(list).toContain('Undone by ann');
});

test('while it is under way its page is asked for again by itself, and nobody can undo it yet', async () => {
  const app = await startApp();
  const headers = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
  const set = await begin(app.db, await changeMany(app.db, 3));
  const page = await get(app, `/history/${set}`, headers);
  expect(page.headers.refresh).toBe('2');
  expect(pageOf(page).text).toContain('Under way: 0 of 3 users.');
  expect(pageOf(page).forms).toEqual([]);
  expect((await post(app, `/history/${set}/undo`, {}, headers)).statusCode).toBe(404);
});

test('a job that was left by one process is gone on with by another, once its lease is over, and does each user once', async () => {
  const db = await temporaryDatabase();
  const set = await begin(db, await changeMany(db, 350));
  const clock = movableClock(NOW);
  let turns = 0;
  const killed = runJobs(
    { ...runnerOf(db, clock), works: { undo: (...batch) => (++turns === 3 ? fail() : undoBatch(...batch)) } },
    () => false,
  );
  await expect(killed).rejects.toThrow('killed');
  expect(await findJobOfSet(db, set)).toMatchObject({ state: 'running', done: 200 });
  const runner = runnerOf(db, clock);
  await runJobs(runner, () => false);
  expect(await findJobOfSet(db, set)).toMatchObject({ state: 'running', done: 200 });
  clock.move(61_000);
  await Promise.all([runJobs(runner, () => false), runJobs(runner, () => false)]);
  expect(await findJobOfSet(db, set)).toMatchObject({ state: 'done', done: 350, left_out: 0 });
  expect(await countAsBefore(db)).toEqual({ before: 350, others: 0 });
  expect(await findChangeSet(db, set)).toMatchObject({ users: 350 });
});

function fail(): never {
  throw new Error('killed');
}

test('whoever ends in good order hands the job over at once', async () => {
  const db = await temporaryDatabase();
  const set = await begin(db, await changeMany(db, 250));
  let asked = 0;
  await runJobs(runnerOf(db), () => ++asked > 3);
  expect(await findJobOfSet(db, set)).toMatchObject({ state: 'running', leased_until: 0 });
  await runJobs(runnerOf(db), () => false);
  expect(await countAsBefore(db)).toEqual({ before: 250, others: 0 });
});

test('those who were changed since are left, and named', async () => {
  const app = await startApp();
  const ann = await addPerson(app.db, 'ann', 'admin');
  const headers = await signedIn(app, ann);
  const undone = await changeMany(app.db, 5);
  const { id, username } = await app.db
    .selectFrom('users')
    .select(['id', 'username'])
    .where('role', '=', 'member')
    .orderBy('id', 'desc')
    .executeTakeFirstOrThrow();
  await transact(app.db, (trx) => changeUser(trx, commandLine, id, { full_name: 'Since' }, NOW));
  const set = await begin(app.db, undone, { ...commandLine, via: 'form', user: ann });
  await app.runJobs();
  const { text } = pageOf(await get(app, `/history/${set}`, headers));
  expect(text).toContain('Done for 4 of 5 users; 1 was left, or done in part.');
  expect(text).toContain(`Left: ${username}`);
});

test('of two who undo the same at once, the second is led to what the first has begun', async () => {
  const db = await temporaryDatabase();
  const undone = await changeMany(db, 3);
  const first = await begin(db, undone);
  expect(await begin(db, undone)).toBe(first);
  await runJobs(runnerOf(db), () => false);
  expect(await findChangeSet(db, first)).toMatchObject({ users: 3 });
});

test('whose name is taken by now is left, and the job comes to its end', async () => {
  const db = await temporaryDatabase();
  await seedUsers(db, 3);
  const users = await db.selectFrom('users').selectAll().orderBy('id').execute();
  const deletion = await transact(db, async (trx) => {
    const { set } = await inOneSet(trx, commandLine, { at: NOW, kind: 'deleted' }, async (acting) => {
      for (const { id } of users) await deleteUser(trx, acting, id, NOW);
    });
    return set ?? 0;
  });
  const taken = users[1]?.username ?? '';
  await addUser(db, { username: taken, email: 'other@example.org' });
  const set = await begin(db, deletion);
  await runJobs(runnerOf(db), () => false);
  expect(await findJobOfSet(db, set)).toMatchObject({ state: 'done', done: 2, left_out: 1 });
  expect((await findUserByUsername(db, taken))?.email).toBe('other@example.org');
});

test('names of those who are deleted by now are not told to viewers', async () => {
  const app = await startApp();
  const ann = await addPerson(app.db, 'ann', 'admin');
  const undone = await changeMany(app.db, 3);
  const gone = await app.db
    .selectFrom('users')
    .selectAll()
    .where('role', '=', 'member')
    .executeTakeFirstOrThrow();
  await transact(app.db, (trx) => deleteUser(trx, commandLine, gone.id, NOW));
  const set = await begin(app.db, undone, { ...commandLine, via: 'form', user: ann });
  await app.runJobs();
  const read = async (who: User) => pageOf(await get(app, `/history/${set}`, await signedIn(app, who))).text;
  expect(await read(ann)).toContain(`Left: ${gone.username}`);
  const seen = await read(await addPerson(app.db, 'vera', 'viewer'));
  expect(seen).toContain(`Left: user ${gone.id}`);
  expect(seen).not.toContain(gone.username);
});

test('it stops where whoever began it may not act any more, and says so', async () => {
  const app = await startApp();
  const ann = await addPerson(app.db, 'ann', 'admin');
  const headers = await signedIn(app, ann);
  const bea = await addPerson(app.db, 'bea', 'admin');
  const set = await begin(app.db, await changeMany(app.db, 5), { ...commandLine, via: 'form', user: bea });
  await transact(app.db, (trx) => changeUser(trx, commandLine, bea.id, { is_active: false }, NOW));
  await app.runJobs();
  expect(pageOf(await get(app, `/history/${set}`, headers)).text).toContain('Stopped after 0 of 5 users');
  expect(await countAsBefore(app.db)).toMatchObject({ before: 0 });
});

test('many users in one set are one line of the history', async () => {
  const db = await temporaryDatabase();
  const set = await begin(db, await changeMany(db, 120));
  await runJobs(runnerOf(db), () => false);
  const page = await readHistory(db, { kinds: ['changed'] }, undefined, 10);
  expect(page.sets.filter(({ id }) => id === set)).toMatchObject([{ users: 120 }]);
});
