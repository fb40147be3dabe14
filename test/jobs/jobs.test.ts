/** What takes longer than a page: done batch by batch, gone on with by whoever is there, and never half without saying so. */
import { expect, test } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import { newToken } from '../../src/auth/tokens.ts';
import { seedUsers } from '../../src/cli/seed.ts';
import type { User } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { UnavailableError } from '../../src/errors.ts';
import { readHistory } from '../../src/history/list.ts';
import { findChangeSet } from '../../src/history/queries.ts';
import { inOneSet, insertHistory } from '../../src/history/record.ts';
import type { Work } from '../../src/jobs/batch.ts';
import { findJobOfSet, goOnWithJob, insertJob, saveJob } from '../../src/jobs/queries.ts';
import { MOST_WITHOUT_JOB, runJobs } from '../../src/jobs/run.ts';
import { undoBatch } from '../../src/undo/job.ts';
import { changeUser, deleteUser, restoreUser } from '../../src/users/commands.ts';
import { findUserByUsername } from '../../src/users/queries.ts';
import { pageOf } from '../page.ts';
import { addPerson, movableClock, signedIn } from '../people.ts';
import { beginForm } from '../reliability/clients.ts';
import { addUser, get, listen, post, startApp, temporaryDatabase } from '../support.ts';
import { begin, changeMany, countAsBefore, NOW, runnerOf, SMALL_BATCHES } from './many.ts';

test('undoing very much begins at once, and its page says how far it is until it is done', async () => {
  const app = await startApp();
  const headers = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
  const undone = await changeMany(app.db, MOST_WITHOUT_JOB + 1);
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
  expect(await countAsBefore(app.db)).toEqual({ before: MOST_WITHOUT_JOB + 1, others: 1 });
  const list = pageOf(await get(app, '/history', headers)).text;
  expect(list).toContain('ann Changed 101 users, by Undo 101');
  expect(list).toContain('Undone by ann');
});

test('while it is under way its page is asked for again by itself, and nobody can undo it yet', async () => {
  const app = await startApp();
  const ann = await addPerson(app.db, 'ann', 'admin');
  const headers = await signedIn(app, ann);
  const set = await begin(app.db, await changeMany(app.db, 250), { ...commandLine, via: 'form', user: ann });
  let asked = 0;
  await runJobs(runnerOf(app.db), () => ++asked > 2);
  const page = await get(app, `/history/${set}`, headers);
  expect(page.headers.refresh).toBe('2');
  expect(pageOf(page).text).toContain('Under way: 100 of 250 users.');
  expect(pageOf(page).forms).toEqual([]);
  const list = pageOf(await get(app, '/history', headers));
  expect(list.text).toContain('Changed 100 users, by Undo, under way');
  const refused = await post(app, `/history/${set}/undo`, { seen: '' }, headers);
  expect([refused.statusCode, pageOf(refused).heading]).toEqual([409, 'Still under way']);
  expect(pageOf(refused).text).toContain('This is still under way. Nothing was changed.');
  expect(pageOf(refused).main.link('See how far it is')).toBe(`/history/${set}`);
});

test('a job that was left by one process is gone on with by another, once its lease is over, and does each user once', async () => {
  const db = await temporaryDatabase();
  const set = await begin(db, await changeMany(db, 350));
  const clock = movableClock(NOW);
  // Whoever is killed notes nothing of it.
  const killed = runJobs({ ...runnerOf(db, clock, failingIn(3)), warn: fail }, () => false);
  await expect(killed).rejects.toThrow('killed');
  expect(await findJobOfSet(db, set)).toMatchObject({ state: 'running', done: 200, failures: 0 });
  await runJobs(runnerOf(db, clock), () => false);
  expect(await findJobOfSet(db, set)).toMatchObject({ state: 'running', done: 200 });
  clock.move(61_000);
  await Promise.all([runJobs(runnerOf(db, clock), () => false), runJobs(runnerOf(db, clock), () => false)]);
  expect(await findJobOfSet(db, set)).toMatchObject({ state: 'done', done: 350, left_out: 0 });
  expect(await countAsBefore(db)).toEqual({ before: 350, others: 0 });
  expect(await findChangeSet(db, set)).toMatchObject({ users: 350 });
});

test('a lease of a process whose clock was set back since holds nobody up', async () => {
  const db = await temporaryDatabase();
  const set = await begin(db, await changeMany(db, 150));
  const killed = runJobs({ ...runnerOf(db, movableClock(NOW), failingIn(2)), warn: fail }, () => false);
  await expect(killed).rejects.toThrow('killed');
  await runJobs(runnerOf(db, movableClock(NOW - 24 * 3_600_000)), () => false);
  expect(await findJobOfSet(db, set)).toMatchObject({ state: 'done', done: 150 });
});

test('whoever was held up for longer than the lease lasts leaves the job to who has it by then', async () => {
  const db = await temporaryDatabase();
  const set = await begin(db, await changeMany(db, 250));
  const heldUp: Work = async (trx, actor, job, turn) => {
    const batch = await undoBatch(trx, actor, job, turn);
    await saveJob(trx, job.id, { lease_owner: 'another' });
    return batch;
  };
  await runJobs(runnerOf(db, movableClock(NOW), heldUp), () => false);
  expect(await findJobOfSet(db, set)).toMatchObject({ lease_owner: 'another', done: 100, state: 'running' });
});

test('whom one act has changed twice is put back whole, whichever batch they are in', async () => {
  const db = await temporaryDatabase();
  const undone = await changeMany(db, 250);
  const changed = await db.selectFrom('users').selectAll().where('version', '=', 2).execute();
  await transact(db, async (trx) => {
    const changes = changed.map(({ id, full_name }) => {
      const fields = JSON.stringify({ '3': [full_name, 'Changed again'] });
      return { user_id: id, version: 3, set_id: undone, at: null, fields };
    });
    await insertHistory(trx, { changes });
    await trx
      .updateTable('users')
      .set({ version: 3, full_name: 'Changed again' })
      .where('version', '=', 2)
      .execute();
  });
  const set = await begin(db, undone);
  await runJobs(runnerOf(db), () => false);
  expect(await findJobOfSet(db, set)).toMatchObject({ state: 'done', done: 250, left_out: 0 });
  const users = await db.selectFrom('users').select(['full_name', 'version']).execute();
  expect(users.filter((user) => user.full_name === 'Before' && user.version === 4)).toHaveLength(250);
});

test('where each batch takes longer than it may, it still does as many users as are worth a transaction', async () => {
  const db = await temporaryDatabase();
  const set = await begin(db, await changeMany(db, 350));
  let [time, batches] = [0, 0];
  const counted: Work = async (...turn) => {
    batches++;
    return undoBatch(...turn);
  };
  const pace = { ...SMALL_BATCHES, fewest: 50 };
  const stopwatch = () => (time += 1_000);
  await runJobs({ ...runnerOf(db, movableClock(NOW), counted), pace, stopwatch }, () => false);
  expect(await findJobOfSet(db, set)).toMatchObject({ state: 'done', done: 350 });
  // A hundred, and then fifty each.
  expect(batches).toBe(6);
});

function fail(): never {
  throw new Error('killed');
}

/** An undo that fails from one of its batches on. */
function failingIn(batch: number, error: Error = new Error('killed')): Work {
  let batches = 0;
  return async (...turn) => {
    if (++batches < batch) return undoBatch(...turn);
    throw error;
  };
}

test.each([
  { what: 'nobody foresaw', error: new Error('a fault of ours'), times: 5 },
  { what: 'may pass by itself', error: new UnavailableError('its disk is full'), times: 20 },
])(
  'what meets an error that $what is tried $times times, each after a longer pause, and then stopped',
  async ({ error, times }) => {
    const db = await temporaryDatabase();
    const set = await begin(db, await changeMany(db, 250));
    const clock = movableClock(NOW);
    const warned: [number, unknown][] = [];
    const warn = (job: number, met: unknown) => void warned.push([job, met]);
    const runner = { ...runnerOf(db, clock, failingIn(2, error)), warn };
    const pauses: number[] = [];
    for (let time = 1; time <= times; time++) {
      expect(await findJobOfSet(db, set)).toMatchObject({ state: 'running', failures: time - 1 });
      await runJobs(runner, () => false);
      const { leased_until = 0 } = (await findJobOfSet(db, set)) ?? {};
      pauses.push(leased_until - clock());
      await runJobs(runner, () => false);
      clock.move(leased_until - clock());
    }
    await runJobs(runner, () => false);
    const job = await findJobOfSet(db, set);
    expect(job).toMatchObject({ state: 'stopped', done: 100, failures: times, lease_owner: null });
    expect(warned).toEqual(Array.from({ length: times }, () => [job?.id, error]));
    expect(pauses.slice(0, 3)).toEqual([15_000, 30_000, 60_000]);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(600_000);
  },
);

test('a Roster that closes begins no other, however long what it has begun to answer takes', async () => {
  const app = await startApp();
  const { answered, finish } = await beginForm(await listen(app));
  const closed = app.close();
  await expect.poll(() => app.server.listening).toBe(false);
  const set = await begin(app.db, await changeMany(app.db, 250));
  await app.runJobs();
  expect(await findJobOfSet(app.db, set)).toMatchObject({ state: 'running', done: 0 });
  finish();
  expect(await answered).toBe(303);
  await closed;
});

test('one that ends whoever does it is not begun for ever', async () => {
  const app = await startApp();
  const { db } = app;
  const headers = await signedIn(app, await addPerson(db, 'ann', 'admin'));
  const set = await begin(db, await changeMany(db, 250));
  const clock = movableClock(NOW);
  for (let time = 1; time <= 5; time++) {
    const killed = runJobs({ ...runnerOf(db, clock, failingIn(1)), warn: fail }, () => false);
    await expect(killed).rejects.toThrow('killed');
    clock.move(61_000);
  }
  const warned: unknown[] = [];
  await runJobs({ ...runnerOf(db, clock), warn: (...met) => void warned.push(met) }, () => false);
  expect(warned).toHaveLength(1);
  expect(await findJobOfSet(db, set)).toMatchObject({ state: 'stopped', done: 0 });
  expect(pageOf(await get(app, `/history/${set}`, headers)).text).toContain('Go on');
});

test('a kill amid errors that may pass, and errors amid kills, do not stop it before its time', async () => {
  const db = await temporaryDatabase();
  const set = await begin(db, await changeMany(db, 250));
  const clock = movableClock(NOW);
  const meet = async (error: Error, warn: () => void) => {
    await runJobs({ ...runnerOf(db, clock, failingIn(1, error)), warn }, () => false).catch(() => {});
    clock.move(600_000);
  };
  const full = () => meet(new UnavailableError('its disk is full'), () => {});
  const kill = () => meet(new Error('killed'), fail);
  for (let time = 1; time <= 4; time++) {
    for (let failure = 1; failure <= 4; failure++) await full();
    await kill();
  }
  for (let failure = 1; failure <= 3; failure++) await full();
  expect(await findJobOfSet(db, set)).toMatchObject({ state: 'running', done: 0 });
  await full();
  expect(await findJobOfSet(db, set)).toMatchObject({ state: 'stopped', done: 0 });
});

test('an error that cannot even be noted ends nobody', async () => {
  const db = await temporaryDatabase();
  const set = await begin(db, await changeMany(db, 150));
  const clock = movableClock(NOW);
  for (let time = 1; time <= 6; time++) {
    let isDown = false;
    const down: Work = async () => {
      isDown = true;
      throw new UnavailableError('its disk is full');
    };
    const orDown = () => (isDown ? fail() : clock());
    await runJobs({ ...runnerOf(db, clock, down), clock: orDown }, () => isDown);
    clock.move(15_000);
  }
  await runJobs(runnerOf(db, clock), () => false);
  expect(await findJobOfSet(db, set)).toMatchObject({ state: 'done', failures: 0 });
});

test('an error that has passed is forgotten with the next batch', async () => {
  const db = await temporaryDatabase();
  const set = await begin(db, await changeMany(db, 150));
  const clock = movableClock(NOW);
  await runJobs(runnerOf(db, clock, failingIn(2)), () => false);
  clock.move(15_000);
  let asked = 0;
  await runJobs(runnerOf(db, clock), () => ++asked > 2);
  expect(await findJobOfSet(db, set)).toMatchObject({ failures: 0 });
});

test('a form that began to undo very much does so anew once that was undone, and until then is answered as before', async () => {
  const app = await startApp();
  const headers = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
  const undone = await changeMany(app.db, MOST_WITHOUT_JOB + 1);
  const key = newToken();
  const send = async (set: number, fields: Record<string, string>) => {
    const answer = await post(app, `/history/${set}/undo`, { seen: '', ...fields }, headers);
    await app.runJobs();
    return Number(String(answer.headers.location).split('/').at(-1));
  };
  const first = await send(undone, { key });
  expect(await send(undone, { key })).toBe(first);
  await send(first, { key: newToken() });
  const second = await send(undone, { key });
  expect(second).not.toBe(first);
  expect((await findChangeSet(app.db, second))?.users).toBe(MOST_WITHOUT_JOB + 1);
});

test('of two jobs the one that fails holds up nobody', async () => {
  const db = await temporaryDatabase();
  const first = await begin(db, await changeMany(db, 3));
  await transact(db, (trx) =>
    insertJob(trx, { kind: 'other', set_id: 999, actor_id: null, params: '', total: 1 }),
  );
  const { kinds } = runnerOf(db);
  const failing = { via: 'form' as const, work: fail };
  await runJobs({ ...runnerOf(db), kinds: { other: failing, ...kinds } }, () => false);
  expect(await findJobOfSet(db, first)).toMatchObject({ state: 'done' });
});

/** A set of five users whose undoing, by bea, was stopped by an error after two. */
async function startStopped() {
  const app = await startApp();
  const [ann, bea] = [await addPerson(app.db, 'ann', 'admin'), await addPerson(app.db, 'bea', 'editor')];
  const headers = await signedIn(app, ann);
  const undone = await changeMany(app.db, 5);
  const set = await begin(app.db, undone, { ...commandLine, via: 'form', user: bea });
  const work: Work = async (trx, actor, job, turn) =>
    job.done < 2 ? { ...(await undoBatch(trx, actor, job, { ...turn, limit: 2 })), isLast: false } : fail();
  const clock = movableClock(NOW);
  for (let time = 1; time <= 5; time++) {
    await runJobs(runnerOf(app.db, clock, work), () => false);
    clock.move(600_000);
  }
  return { app, ann, bea, headers, undone, set, address: `/history/${set}` };
}

test('what was stopped says so, what is done and what is not, and goes on from there for whoever asks for it', async () => {
  const { app, headers, set, address } = await startStopped();
  const page = await get(app, address, headers);
  expect(page.headers.refresh).toBeUndefined();
  const { text } = pageOf(page);
  expect(text).toContain('Stopped after 2 of 5 users: an error came up each time it was tried.');
  expect(text).toContain('2 are done, and can be undone. Nothing was done to the other 3.');
  expect(pageOf(page).buttons).toContain('Go on');
  const list = async () => pageOf(await get(app, '/history', headers)).text;
  expect(await list()).toContain('Changed 2 users, by Undo, stopped before its end');
  expect(await countAsBefore(app.db)).toMatchObject({ before: 2 });
  const answer = await post(app, `${address}/go-on`, {}, headers);
  expect(answer.headers.location).toBe(address);
  expect(answer.body).toBe('It goes on: this page says how far it is.\n');
  await app.runJobs();
  const after = pageOf(await get(app, address, headers)).text;
  expect(after).toContain('Done for 5 of 5 users.');
  expect(after).toContain('Last gone on with by ann.');
  expect(await countAsBefore(app.db)).toMatchObject({ before: 5 });
  expect(await list()).toContain('Changed 5 users, by Undo 5');
  expect(await findChangeSet(app.db, set)).toMatchObject({ users: 5 });
  // Nothing is left to go on with, and nothing is done by asking for it again.
  expect((await post(app, `${address}/go-on`, {}, headers)).body).toBe(answer.body);
  expect(await countAsBefore(app.db)).toMatchObject({ before: 5 });
});

test('what is at its end is gone on with by nobody', async () => {
  const db = await temporaryDatabase();
  const set = await begin(db, await changeMany(db, 3));
  await runJobs(runnerOf(db), () => false);
  await transact(db, (trx) => goOnWithJob(trx, 1, null));
  expect(await findJobOfSet(db, set)).toMatchObject({ state: 'done' });
});

test('what was stopped is gone on with by nobody who may not, and not once it is undone', async () => {
  const { app, headers, address } = await startStopped();
  const viewer = await signedIn(app, await addPerson(app.db, 'vera', 'viewer'));
  expect(pageOf(await get(app, address, viewer)).buttons).not.toContain('Go on');
  expect((await post(app, `${address}/go-on`, {}, viewer)).statusCode).toBe(403);
  expect((await post(app, `${address}/undo`, {}, headers)).statusCode).toBe(303);
  expect(pageOf(await get(app, address, headers)).buttons).not.toContain('Go on');
  expect((await post(app, `${address}/go-on`, {}, headers)).statusCode).toBe(404);
});

test('what was stopped is not gone on with while it is being undone', async () => {
  const { app, headers, address, set } = await startStopped();
  const undoing = await begin(app.db, set);
  expect(pageOf(await get(app, address, headers)).buttons).not.toContain('Go on');
  expect((await post(app, `${address}/go-on`, {}, headers)).statusCode).toBe(404);
  expect(await findJobOfSet(app.db, set)).toMatchObject({ state: 'stopped' });
  expect(await findJobOfSet(app.db, undoing)).toMatchObject({ state: 'running' });
});

test('what was stopped is not gone on with while the same is undone anew', async () => {
  const { app, headers, address, undone } = await startStopped();
  await begin(app.db, undone);
  expect((await post(app, `${address}/go-on`, {}, headers)).statusCode).toBe(404);
});

test('what goes on is not undone, however it was looked at before', async () => {
  const { app, set, ann } = await startStopped();
  await transact(app.db, (trx) => goOnWithJob(trx, 1, ann.id));
  await expect(begin(app.db, set)).rejects.toThrow('This is still under way.');
});

test('a change of access by a job is noted with whom it was done for', async () => {
  const db = await temporaryDatabase();
  const ann = await addPerson(db, 'ann', 'admin');
  const bob = await addPerson(db, 'bob', 'viewer');
  const kept = await transact(db, (trx) => deleteUser(trx, commandLine, bob.id, NOW));
  await begin(db, 'set' in kept ? kept.set : 0, { ...commandLine, via: 'form', user: ann });
  const noted: unknown[] = [];
  const note = (...line: unknown[]) => void noted.push(line);
  await runJobs({ ...runnerOf(db), note }, () => false);
  expect(noted).toMatchObject([[1, { username: 'ann' }, 'restored: viewer', { username: 'bob' }]]);
});

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

test('the undoing of many deletions says what it is, also where the first of them are back already', async () => {
  const app = await startApp();
  const headers = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
  await seedUsers(app.db, MOST_WITHOUT_JOB + 20);
  const members = app.db.selectFrom('users').select('id').where('role', '=', 'member').orderBy('id');
  const ids = (await members.execute()).map(({ id }) => id);
  const { set = 0 } = await transact(app.db, (trx) =>
    inOneSet(trx, commandLine, { at: NOW, kind: 'deleted' }, async (acting) => {
      for (const id of ids) await deleteUser(trx, acting, id, NOW);
    }),
  );
  for (const id of ids.slice(0, MOST_WITHOUT_JOB + 5))
    await transact(app.db, (trx) => restoreUser(trx, commandLine, id, NOW));
  const page = pageOf(await get(app, `/history/${set}/undo`, headers));
  const NO_ACCESS = 'Passwords, second factors and sessions of those who are back do not come back';
  expect(page.text).toContain(`Up to ${MOST_WITHOUT_JOB + 20} users are brought back`);
  const answer = await post(app, `/history/${set}/undo`, { seen: page.field('seen') }, headers);
  await app.runJobs();
  const done = pageOf(await get(app, String(answer.headers.location), headers));
  expect(done.heading).toBe('Brought back 15 users');
  for (const { text } of [page, done]) expect(text).toContain(NO_ACCESS);
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
  const page = pageOf(await get(app, `/history/${set}`, headers));
  expect(page.text).toContain('Stopped after 0 of 5 users: whoever it was done for may not do it any more.');
  expect(await countAsBefore(app.db)).toMatchObject({ before: 0 });
  await post(app, `/history/${set}/go-on`, {}, headers);
  await app.runJobs();
  expect(await countAsBefore(app.db)).toMatchObject({ before: 5 });
});

test('many users in one set are one line of the history', async () => {
  const db = await temporaryDatabase();
  const set = await begin(db, await changeMany(db, 120));
  await runJobs(runnerOf(db), () => false);
  const page = await readHistory(db, { kinds: ['changed'] }, undefined, 10);
  expect(page.sets.filter(({ id }) => id === set)).toMatchObject([{ users: 120 }]);
});
