/** What cannot be applied whole is taken back whole, whoever it was that applied it, and whatever they may by then. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { FastifyInstance } from 'fastify';
import { expect, test } from 'vitest';
import { type Actor, commandLine } from '../../src/auth/actor.ts';
import { makeStage } from '../../src/db/stage-file.ts';
import { transact } from '../../src/db/transact.ts';
import { importKinds } from '../../src/imports/apply.ts';
import { discardImport } from '../../src/imports/commands.ts';
import { filesOf, makeFolder } from '../../src/imports/folder.ts';
import { saveJob } from '../../src/jobs/queries.ts';
import { runJobs } from '../../src/jobs/run.ts';
import { Mutex } from '../../src/lib/mutex.ts';
import { TAKE_BACK } from '../../src/undo/job.ts';
import { changeUser } from '../../src/users/commands.ts';
import type { UserChanges } from '../../src/users/validation.ts';
import { pageOf } from '../page.ts';
import { addPerson, movableClock, signedIn } from '../people.ts';
import { addUser, get, post, readyUrl, startApp, temporaryDatabase } from '../support.ts';
import { actorFor, begin, check, csv, importOf } from './bringing.ts';
import { inEachRow } from './files.ts';

const MINUTE = 60_000;
const OPEN: Actor = { ...commandLine, via: 'open', role: 'editor' };

/** So many that they are not all done in one transaction. */
function people(more: Record<string, string> = {}): string {
  const rows = Array.from({ length: 400 }, (_, index) => [`u${index}`, `u${index}@example.org`]);
  return csv(
    ['username', 'email', ...Object.keys(more)],
    ...rows.map((row) => [...row, ...Object.values(more)]),
  );
}

/** Some of it is done by then, and not all. */
async function beginHalf(app: FastifyInstance, actor: Actor, text = people()) {
  const id = await check(app, text, actor);
  const { file } = await begin(app, id, actor);
  await goOn(app, 2);
  expect((await done(app)).length).toBeGreaterThan(0);
  return { id, stage: filesOf(makeFolder(app.config.importFolder), file).stage };
}

/** So many batches further. */
async function goOn(app: FastifyInstance, batches: number) {
  const pace = { batch: 1_000, most: 100, fewest: 1, pause: 0 };
  const { db, clock, stopwatch, config } = app;
  const kinds = importKinds(makeFolder(config.importFolder));
  let asked = 0;
  await runJobs(
    { db, alone: new Mutex(), kinds, pace, clock, stopwatch, note: () => {}, warn: () => {} },
    () => asked++ > batches,
  );
}

/** Whom it has created, and who are there. */
async function done(app: FastifyInstance) {
  return app.db.selectFrom('users').selectAll().where('username', 'like', 'u%').execute();
}

async function change(app: FastifyInstance, id: number, changes: UserChanges) {
  await transact(app.db, (trx) => changeUser(trx, commandLine, id, changes, app.clock()));
}

const LOST: readonly [what: string, changes: UserChanges][] = [
  ['is no administrator any more', { role: 'editor' }],
  ['may only look any more', { role: 'viewer' }],
  ['is deactivated', { is_active: false }],
];

test.each(LOST)('if whoever has applied it %s midway, nothing of it stays', async (_, changes) => {
  const app = await startApp();
  await addPerson(app.db, 'eve', 'admin');
  const ann = await addPerson(app.db, 'ann', 'admin');
  const { id } = await beginHalf(app, actorFor(ann), people({ role: 'viewer' }));
  const users = (await done(app)).length;
  await change(app, ann.id, changes);
  await app.runJobs();
  const problem = 'Whoever applied it may not do all of this any more.';
  expect(await importOf(app, id)).toMatchObject({ state: 'taken back', problem });
  expect(await done(app)).toEqual([]);
  const undone = app.db.selectFrom('change_sets').selectAll().where('undoes', 'is not', null);
  expect(await undone.execute()).toMatchObject([{ actor_id: ann.id, users }]);
});

test('if the first administrator comes midway, nothing stays of what was applied before anyone signed in', async () => {
  const app = await startApp();
  const { id } = await beginHalf(app, OPEN);
  await addPerson(app.db, 'ann', 'admin');
  await app.runJobs();
  expect(await importOf(app, id)).toMatchObject({ state: 'taken back' });
  expect(await done(app)).toEqual([]);
});

const SPOILT: readonly [what: string, spoil: (stage: string) => void][] = [
  ['is gone', (stage) => rmSync(stage)],
  ['is damaged', (stage) => writeFileSync(stage, 'x'.repeat(8_192))],
  ['has another byte in each row', (stage) => writeFileSync(stage, inEachRow(readFileSync(stage)))],
  ['is another one', (stage) => makeStage(stage).close()],
];

test.each(SPOILT)('if its stage %s midway, nothing of it stays', async (_, spoil) => {
  const app = await startApp();
  const { id, stage } = await beginHalf(app, commandLine);
  spoil(stage);
  await app.runJobs();
  const problem = 'Its file is gone from the disk, or damaged.';
  expect(await importOf(app, id)).toMatchObject({ state: 'taken back', problem });
  expect(await done(app)).toEqual([]);
});

test('what fails again and again is taken back instead of waiting for somebody', async () => {
  const clock = movableClock();
  const app = await startApp({}, undefined, clock);
  const { id } = await beginHalf(app, commandLine);
  const jobs = app.db.selectFrom('jobs').selectAll();
  const failing = { [(await jobs.executeTakeFirstOrThrow()).kind]: failingKind(app) };
  const { db, stopwatch } = app;
  for (let tries = 0; tries < 5; tries++) {
    await runJobs(
      { db, alone: new Mutex(), kinds: failing, clock, stopwatch, note: () => {}, warn: () => {} },
      () => false,
    );
    clock.move(11 * 60_000);
  }
  const problem = 'Roster has met the same error again and again: its log says which.';
  expect(await importOf(app, id)).toMatchObject({ state: 'taken back', problem });
  await app.runJobs();
  expect(await done(app)).toEqual([]);
});

function failingKind(app: FastifyInstance) {
  const [kind] = Object.values(importKinds(makeFolder(app.config.importFolder)));
  if (kind === undefined) throw new Error('There is no kind.');
  return {
    ...kind,
    work: async () => {
      throw new Error('It fails.');
    },
  };
}

test('it is said what was in its way', async () => {
  const app = await startApp();
  const { id } = await beginHalf(app, commandLine);
  const there = new Set((await done(app)).map(({ username }) => username));
  const username =
    Array.from({ length: 400 }, (_, index) => `u${index}`).find((name) => !there.has(name)) ?? '';
  const other = await addUser(app.db, { username, email: 'another@example.org' });
  await app.runJobs();
  const problem = 'Somebody else has been given the same username or email address meanwhile.';
  expect(await importOf(app, id)).toMatchObject({ state: 'taken back', problem });
  expect(await done(app)).toMatchObject([{ id: other.id }]);
});

test('and that nobody would have been left to administer', async () => {
  const app = await startApp();
  await addPerson(app.db, 'ann', 'admin');
  const eve = await addPerson(app.db, 'eve', 'admin');
  const id = await check(app, csv(['username', 'role'], ['ann', 'member']));
  await begin(app, id);
  await change(app, eve.id, { role: 'viewer' });
  await app.runJobs();
  const problem = 'It would have left no administrator.';
  expect(await importOf(app, id)).toMatchObject({ state: 'taken back', problem });
});

test('whoever has been changed meanwhile stays, and it is said how many, and who', async () => {
  const app = await startApp();
  const ann = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
  const { id, stage } = await beginHalf(app, commandLine);
  const [changed] = await done(app);
  if (changed === undefined) throw new Error('Nobody is done.');
  await change(app, changed.id, { full_name: 'Somebody Else' });
  rmSync(stage);
  await app.runJobs();
  expect(await done(app)).toMatchObject([{ id: changed.id }]);
  const { body } = await get(app, `/imports/${id}?until=over`, ann);
  expect(body).toBe('The import was taken back, but for 1 user.\n');
  const said = pageOf(await get(app, `/imports/${id}`, ann)).text;
  expect(said).toContain('or damaged. What was done of it is undone, as far as nobody has changed it since.');
  expect(said).toContain(`1 user whom somebody has changed meanwhile stays: ${changed.username}.`);
});

test('what nobody can go on with, since its folder is gone, is taken back by anyone who may', async () => {
  const app = await startApp();
  const ann = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
  const eve = await signedIn(app, await addPerson(app.db, 'eve', 'editor'));
  const { id } = await beginHalf(app, commandLine);
  rmSync(app.config.importFolder, { recursive: true });
  await app.runJobs();
  expect(await importOf(app, id)).toMatchObject({ state: 'applying' });
  const action = `/imports/${id}/discard`;
  expect(pageOf(await get(app, `/imports/${id}`, ann)).form('Take it back').action).toBe(action);
  expect((await post(app, action, {}, eve)).statusCode).toBe(404);
  await post(app, action, {}, ann);
  await app.runJobs();
  const problem = 'Somebody has had it taken back while it was applied.';
  expect(await importOf(app, id)).toMatchObject({ state: 'taken back', problem });
  expect(await done(app)).toEqual([]);
  const again = await post(app, action, {}, ann);
  expect(again.headers.location).toBe(`/imports/${id}`);
  expect(pageOf(await get(app, `/imports/${id}`, ann)).text).toContain('Nothing of it stays.');
});

test('what nobody has gone on with for an hour, since nobody has its folder, is taken back by any Roster', async () => {
  const [clock, url] = [movableClock(), await readyUrl()];
  const app = await startApp({}, await temporaryDatabase(url), clock);
  const other = await startApp({}, await temporaryDatabase(url), clock);
  const ann = await addPerson(app.db, 'ann', 'admin');
  const { id } = await beginHalf(app, actorFor(ann));
  clock.move(59 * MINUTE);
  await other.runJobs();
  expect(await importOf(app, id)).toMatchObject({ state: 'applying' });
  clock.move(2 * MINUTE);
  await other.runJobs();
  expect(await done(app)).toEqual([]);
  // Whoever had it comes back, finds it so, and says why.
  await app.runJobs();
  expect(await done(app)).toEqual([]);
  const { text } = pageOf(await get(app, `/imports/${id}`, await signedIn(app, ann)));
  expect(text).toContain('For an hour no Roster that has its file has gone on with it. Nothing of it stays.');
});

test('as long as somebody goes on with it, it is nobody else’s, however long it takes', async () => {
  const [clock, url] = [movableClock(), await readyUrl()];
  const app = await startApp({}, await temporaryDatabase(url), clock);
  const other = await startApp({}, await temporaryDatabase(url), clock);
  const { id } = await beginHalf(app, commandLine);
  clock.move(50 * MINUTE);
  await goOn(app, 1);
  clock.move(50 * MINUTE);
  await other.runJobs();
  expect(await importOf(app, id)).toMatchObject({ state: 'applying' });
  await app.runJobs();
  expect(await importOf(app, id)).toMatchObject({ state: 'done' });
  expect(await done(app)).toHaveLength(400);
});

test('the change set of an import that was cut off says that the rest was never done', async () => {
  const app = await startApp();
  const ann = await addPerson(app.db, 'ann', 'admin');
  const { id, stage } = await beginHalf(app, actorFor(ann));
  const count = (await done(app)).length;
  rmSync(stage);
  await app.runJobs();
  const { set_id } = await importOf(app, id);
  const { text } = pageOf(await get(app, `/history/${set_id}`, await signedIn(app, ann)));
  expect(text).toContain(
    `Done for ${count} of 400 users. It was cut off there: the other ${400 - count} were never done, and what was done was taken back.`,
  );
});

test('until all of it is undone, it is said to be under way; and where it has stopped, how it goes on', async () => {
  const app = await startApp();
  const ann = await addPerson(app.db, 'ann', 'admin');
  const headers = await signedIn(app, ann);
  const { id } = await beginHalf(app, commandLine);
  await transact(app.db, (trx) => discardImport(trx, actorFor(ann), id, app.clock()));
  const undo = await app.db.selectFrom('jobs').selectAll().where('kind', '=', TAKE_BACK).executeTakeFirst();
  if (undo === undefined) throw new Error('Nothing is taken back.');
  const under = await get(app, `/imports/${id}`, headers);
  expect(pageOf(under).heading).toBe('Taking the import back');
  expect(under.headers.refresh).toBe(`2; url=/imports/${id}?until=over`);
  await transact(app.db, (trx) => saveJob(trx, undo.id, { state: 'stopped', failures: 5 }));
  const stopped = await get(app, `/imports/${id}`, headers);
  expect(stopped.headers.refresh).toBeUndefined();
  expect(pageOf(stopped).link('Have it go on')).toBe(`/history/${undo.set_id}`);
  await post(app, `/history/${undo.set_id}/go-on`, {}, headers);
  await app.runJobs();
  expect(await done(app)).toEqual([]);
  expect(pageOf(await get(app, `/imports/${id}`, headers)).heading).toBe('The import was taken back');
});
