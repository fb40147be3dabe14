/** What was shown is done: all of it in one change set, or nothing. */
import { existsSync, mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import { transact } from '../../src/db/transact.ts';
import { cleanUpImports } from '../../src/imports/cleanup.ts';
import { confirmImport, discardImport, getImport, readDifferently } from '../../src/imports/commands.ts';
import { filesOf, makeFolder, newName } from '../../src/imports/folder.ts';
import { findOwnImports, leaseImport, saveImport } from '../../src/imports/queries.ts';
import { takeBack } from '../../src/imports/take-back.ts';
import { findJobOfSet, type Job } from '../../src/jobs/queries.ts';
import { isWorkThere } from '../../src/jobs/work.ts';
import { changeUser, deleteUser } from '../../src/users/commands.ts';
import { countByStatus } from '../../src/users/counts.ts';
import { findUserByUsername, getUser } from '../../src/users/queries.ts';
import { erase } from '../backup/backed-up.ts';
import { pageOf } from '../page.ts';
import { addPerson, HOUR, movableClock, signedIn } from '../people.ts';
import { addUser, get, post, startApp } from '../support.ts';
import { actorFor, apply, begin, bring, check, countsOf, csv, importOf, look, totalsOf } from './bringing.ts';

const NAMES = ['username', 'email', 'name'];

function people(count: number, name = 'Made up'): string {
  return csv(
    NAMES,
    ...Array.from({ length: count }, (_, index) => [`u${index}`, `u${index}@example.org`, name]),
  );
}

test.each([3, 250])('of %i rows all are done in one change set, which one Undo takes back', async (count) => {
  const app = await startApp();
  const ann = await addPerson(app.db, 'ann', 'admin');
  const headers = await signedIn(app, ann);
  const u0 = await addUser(app.db, { username: 'u0', email: 'u0@example.org', full_name: 'Before' });
  const id = await check(app, people(count), actorFor(ann));
  const before = await countByStatus(app.db);
  const done = await apply(app, id, actorFor(ann));
  expect(done).toMatchObject({ state: 'done', actor_id: ann.id });
  expect(await getUser(app.db, u0.id)).toMatchObject({ full_name: 'Made up', version: 2 });
  expect((await countByStatus(app.db)).active).toBe(before.active + count - 1);
  const page = pageOf(await get(app, `/history/${done.set_id}`, headers));
  expect(page.heading).toBe(`Imported ${count} users from a file: ${count - 1} created, 1 changed`);
  expect(page.items.filter((item) => item.endsWith(' created'))).toHaveLength(Math.min(count, 50) - 1);
  const undo = await post(app, `/history/${done.set_id}/undo`, {}, headers);
  if (count > 100)
    expect(pageOf(undo).text).toContain(
      `${count - 1} users whom this import created are deleted. 1 user becomes what they were before.`,
    );
  const seen = count > 100 ? { seen: pageOf(undo).field('seen') } : undefined;
  if (seen) await post(app, `/history/${done.set_id}/undo`, seen, headers);
  await app.runJobs();
  expect(await countByStatus(app.db)).toEqual(before);
  expect(await getUser(app.db, u0.id)).toMatchObject({ full_name: 'Before' });
  expect(await findUserByUsername(app.db, 'u1')).toBeUndefined();
});

test.each([
  [3, 0, ['Deleted 3 users', 'Brought back 3 users', 'Deleted 3 users']],
  [150, 0, ['Deleted 150 users', 'Brought back 150 users', 'Deleted 150 users']],
  [3, 1, ['Deleted and changed 3 users', 'Brought back and changed 3 users', 'Deleted and changed 3 users']],
  [150, 1, ['Deleted and changed 150 users', 'Brought back and changed 150 users']],
])(
  'the undo of an import of %i users, %i of whom were there, is called what it is, and so is its own',
  async (count, there, headings) => {
    const app = await startApp();
    const ann = await addPerson(app.db, 'ann', 'admin');
    const headers = await signedIn(app, ann);
    if (there > 0) await addUser(app.db, { username: 'u0', email: 'u0@example.org' });
    let { set_id } = await apply(app, await check(app, people(count), actorFor(ann)), actorFor(ann));
    for (const heading of headings) {
      const seen = pageOf(await get(app, `/history/${set_id}/undo`, headers)).field('seen');
      await post(app, `/history/${set_id}/undo`, { seen }, headers);
      await app.runJobs();
      const sets = app.db.selectFrom('change_sets').select('id').where('undoes', '=', set_id);
      set_id = (await sets.executeTakeFirstOrThrow()).id;
      expect(pageOf(await get(app, `/history/${set_id}`, headers)).heading).toBe(heading);
    }
  },
);

test('the same file again changes nothing, and is done without a change set', async () => {
  const app = await startApp();
  await apply(app, await check(app, people(150)));
  const id = await check(app, people(150));
  expect(await countsOf(app, id)).toEqual({ created: 0, changed: 0, same: 150, refused: 0 });
  expect(await apply(app, id)).toMatchObject({ state: 'done', set_id: null });
});

test('what is refused stays undone, and can be looked at for a day; the file itself is gone at once', async () => {
  const clock = movableClock();
  const app = await startApp({}, undefined, clock);
  const id = await check(app, csv(NAMES, ['ada', 'ada@example.org', ''], ['bob', 'no address', '']));
  const done = await apply(app, id);
  expect(await findUserByUsername(app.db, 'bob')).toBeUndefined();
  const { upload, stage } = filesOf({ path: app.config.importFolder }, done.file);
  expect(existsSync(upload)).toBe(false);
  const cells = await look(app, id, (rows) => rows.refused(0, 10).map((row) => row.cells));
  expect(cells).toEqual([['bob', 'no address', '']]);
  expect(await look(app, id, (rows) => rows.examples('created', 10))).toEqual([]);
  clock.move(25 * 3_600_000);
  await app.runJobs();
  await expect(importOf(app, id)).rejects.toThrow('There is no import');
  // It is as old as the clock of the disk says.
  expect(existsSync(stage)).toBe(true);
});

test('if somebody changes the same users between, it is said what differs, and asked again', async () => {
  const app = await startApp();
  const ada = await addUser(app.db, { username: 'ada', full_name: 'Ada' });
  const id = await check(
    app,
    csv(NAMES, ['ada', '', 'Ada Byron'], ['bob', 'bob@example.org', ''], ['cleo', 'cleo@example.org', '']),
  );
  await transact(app.db, (trx) => changeUser(trx, commandLine, ada.id, { full_name: 'A. Byron' }, 1));
  await addUser(app.db, { username: 'Bob', email: 'b@example.org' });
  expect(await apply(app, id)).toMatchObject({ state: 'checked', judged: 2, set_id: null });
  expect(await totalsOf(app, id)).toMatchObject({ created: 1, changed: 2, differences: 2 });
  const differences = await look(app, id, (stage) => stage.differences(10));
  expect(differences).toMatchObject([
    {
      was: { line: 2, verdict: 'changed', fields: { full_name: { was: 'Ada' } } },
      is: { line: 2, verdict: 'changed', fields: { full_name: { was: 'A. Byron', became: 'Ada Byron' } } },
    },
    { was: { line: 3, verdict: 'created' }, is: { line: 3, verdict: 'changed', user: { username: 'Bob' } } },
  ]);
  expect(await apply(app, id)).toMatchObject({ state: 'done' });
  expect(await getUser(app.db, ada.id)).toMatchObject({ full_name: 'Ada Byron', version: 3 });
});

test('what others change that makes no difference to it asks nobody again', async () => {
  const app = await startApp();
  const ada = await addUser(app.db, { username: 'ada', full_name: 'Ada' });
  const id = await check(app, csv(NAMES, ['ada', '', 'Ada Byron']));
  await transact(app.db, (trx) => changeUser(trx, commandLine, ada.id, { email: 'a@example.org' }, 1));
  await addUser(app.db, { username: 'zoe' });
  expect(await apply(app, id)).toMatchObject({ state: 'done' });
  expect(await getUser(app.db, ada.id)).toMatchObject({ full_name: 'Ada Byron', email: 'a@example.org' });
});

test.each([3, 250])('of %i rows none stays where somebody takes a username meanwhile', async (count) => {
  const app = await startApp();
  const id = await check(app, people(count));
  const before = await countByStatus(app.db);
  const { set_id } = await begin(app, id);
  await addUser(app.db, { username: count > 100 ? 'u99' : 'u2', email: 'another@example.org' });
  await app.runJobs();
  const { state, problem } = await importOf(app, id);
  expect(state).toBe('taken back');
  expect(problem).toBe('Somebody else has been given the same username or email address meanwhile.');
  expect((await countByStatus(app.db)).active).toBe(before.active + 1);
  expect(await findJobOfSet(app.db, Number(set_id))).toMatchObject({ state: 'done' });
});

test('nor where somebody is changed, deleted or no administrator any more meanwhile', async () => {
  const app = await startApp();
  const [ann, ada] = [await addPerson(app.db, 'ann', 'admin'), await addUser(app.db, { username: 'ada' })];
  await addPerson(app.db, 'eve', 'admin');
  const file = csv(
    ['username', 'email', 'name', 'role'],
    ['ada', '', 'Ada', ''],
    ['new', 'n@example.org', '', 'viewer'],
  );
  const spoil = [
    () => transact(app.db, (trx) => changeUser(trx, commandLine, ada.id, { full_name: 'Byron' }, 1)),
    () => transact(app.db, (trx) => changeUser(trx, commandLine, ann.id, { role: 'editor' }, 1)),
    () => transact(app.db, (trx) => deleteUser(trx, commandLine, ada.id, 1)),
  ];
  for (const act of spoil) {
    const id = await check(app, file, actorFor(ann));
    await begin(app, id, actorFor(ann));
    await act();
    await app.runJobs();
    expect(await importOf(app, id)).toMatchObject({ state: 'taken back' });
    expect(await findUserByUsername(app.db, 'new')).toBeUndefined();
    await transact(app.db, (trx) => changeUser(trx, commandLine, ann.id, { role: 'admin' }, 2));
  }
});

test('what somebody else confirms is judged by what they may', async () => {
  const app = await startApp();
  const [ed, ann] = [await addPerson(app.db, 'ed', 'editor'), await addPerson(app.db, 'ann', 'admin')];
  const file = csv(NAMES, ['new', 'new@example.org', ''], ['ann', '', 'Ann']);
  const id = await check(app, file, actorFor(ed));
  expect(await countsOf(app, id)).toMatchObject({ created: 1, refused: 1 });
  expect(await apply(app, id, actorFor(ann))).toMatchObject({ state: 'checked', judged: 2 });
  expect(await countsOf(app, id)).toMatchObject({ created: 1, changed: 1, refused: 0 });
  expect(await apply(app, id, actorFor(ann))).toMatchObject({ state: 'done', actor_id: ann.id });
});

test('an import is seen, and decided about, by whoever has brought it and by administrators', async () => {
  const app = await startApp();
  const [ed, eve, ann] = await Promise.all([
    addPerson(app.db, 'ed', 'editor'),
    addPerson(app.db, 'eve', 'editor'),
    addPerson(app.db, 'ann', 'admin'),
  ]);
  const id = await check(app, people(1), actorFor(ed));
  expect(await getImport(app.db, `${id}`, actorFor(ed))).toMatchObject({ id });
  expect(await getImport(app.db, `${id}`, actorFor(ann))).toMatchObject({ id });
  await expect(getImport(app.db, `${id}`, actorFor(eve))).rejects.toThrow('There is no such import');
  const byEve = transact(app.db, (trx) => confirmImport(trx, actorFor(eve), id, 1, 1));
  await expect(byEve).rejects.toThrow('There is no such import');
  const byCommand = await check(app, people(1));
  await expect(getImport(app.db, `${byCommand}`, actorFor(ed))).rejects.toThrow('There is no such import');
  expect(await findOwnImports(app.db, ed.id)).toMatchObject([{ id }]);
});

test('what is shown is what is confirmed', async () => {
  const app = await startApp();
  const id = await check(app, people(2));
  const confirm = (judged: number) =>
    transact(app.db, (trx) => confirmImport(trx, commandLine, id, judged, 1));
  expect(await confirm(7)).toBe('changed since');
  expect(await confirm(1)).toBe('confirmed');
  expect(await confirm(1)).toBe('too late');
});

test('what is read differently is read from the start', async () => {
  const app = await startApp();
  const id = await check(app, 'username,email,note\nada,ada@example.org,Ada\n');
  const fields = ['username', 'email', 'full_name'] as const;
  await transact(app.db, (trx) => readDifferently(trx, commandLine, id, { fields }, 1));
  expect(await importOf(app, id)).toMatchObject({ state: 'reading', totals: null });
  await app.runJobs();
  expect(await importOf(app, id)).toMatchObject({ state: 'checked', judged: 2 });
  const created = await look(app, id, (stage) => stage.examples('created', 1));
  expect(created).toMatchObject([{ values: { full_name: 'Ada' } }]);
});

test('what is discarded is gone from the disk, and so is all but what is being done when somebody is erased', async () => {
  const app = await startApp();
  const discarded = await check(app, people(2));
  await transact(app.db, (trx) => discardImport(trx, commandLine, discarded, app.clock()));
  await app.runJobs();
  expect(readdirSync(app.config.importFolder)).toEqual(['identity']);
  const [checked, applying] = [await check(app, people(2)), await check(app, people(3))];
  await begin(app, applying);
  const gone = await addUser(app.db, { username: 'gone' });
  await erase(app.db, gone.id, 1);
  const problem = 'Somebody was erased, whom its file may have named.';
  expect(await importOf(app, checked)).toMatchObject({ state: 'discarded', file_name: '', problem });
  const asked = { state: 'discarded', file_name: '', problem: 'Its file was discarded.' };
  expect(await importOf(app, discarded)).toMatchObject(asked);
  await app.runJobs();
  expect(await importOf(app, applying)).toMatchObject({ state: 'done', file_name: '', reading: null });
  expect(readdirSync(app.config.importFolder)).toEqual(['identity']);
});

test('of what is being applied while somebody is erased nothing stays, whatever becomes of it', async () => {
  const app = await startApp();
  const ann = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
  const applying = await check(app, `${people(150)}no email,none\n`);
  await begin(app, applying);
  const gone = await addUser(app.db, { username: 'gone' });
  await erase(app.db, gone.id, 1);
  // It goes on, and is not shown.
  await cleanUpImports(app.db, makeFolder(app.config.importFolder), app.clock());
  expect(readdirSync(app.config.importFolder).length).toBe(3);
  expect((await get(app, `/imports/${applying}`, ann)).statusCode).toBe(200);
  expect((await get(app, `/imports/${applying}/refused`, ann)).statusCode).toBe(404);
  const { set_id } = await importOf(app, applying);
  const job = await findJobOfSet(app.db, set_id ?? 0);
  await transact(app.db, (trx) => takeBack(trx, job as Job, 'changed since', app.clock()));
  await app.runJobs();
  expect(await importOf(app, applying)).toMatchObject({ state: 'taken back', file_name: '', reading: null });
  expect(readdirSync(app.config.importFolder)).toEqual(['identity']);
});

test('what nobody has touched for a day is forgotten', async () => {
  const clock = movableClock();
  const app = await startApp({}, undefined, clock);
  const id = await check(app, people(2));
  clock.move(25 * 3_600_000);
  await app.runJobs();
  const problem = 'For a day nobody did anything about it.';
  expect(await importOf(app, id)).toMatchObject({ state: 'discarded', file_name: '', problem });
  expect(readdirSync(app.config.importFolder)).toEqual(['identity']);
});

test('whatever else lies in the folder stays there; what was brought and is nobody’s goes', async () => {
  const app = await startApp();
  const { path } = makeFolder(app.config.importFolder);
  mkdirSync(join(path, 'a folder'));
  const others = ['secret.key', 'roster.db', 'people.csv', 'a folder'];
  for (const name of others.slice(0, 3)) writeFileSync(join(path, name), 'x');
  const abandoned = filesOf({ path }, newName()).upload;
  writeFileSync(abandoned, 'x');
  for (const one of [...others.map((name) => join(path, name)), abandoned]) utimesSync(one, 1, 1);
  await check(app, people(2));
  expect(readdirSync(path)).toEqual(expect.arrayContaining([...others, 'identity']));
  expect(existsSync(abandoned)).toBe(false);
});

test('what Roster has left of a file where it was ended while that came in is gone with nobody doing anything', async () => {
  const app = await startApp();
  const { path } = makeFolder(app.config.importFolder);
  // Before it was whole, and before anybody knew of it.
  const left = [join(path, `${newName()}.upload`), filesOf({ path }, newName()).upload];
  for (const one of left) writeFileSync(one, 'x');
  const isFound = () => isWorkThere(app.db, app.config.importFolder, Date.now());
  expect(await isFound()).toBe(false);
  await app.runJobs();
  expect(readdirSync(path).length).toBe(3);
  const before = Date.now() / 1_000 - 11 * 60;
  for (const one of left) utimesSync(one, before, before);
  expect(await isFound()).toBe(true);
  await app.runJobs();
  expect(readdirSync(path)).toEqual(['identity']);
});

/** As where the process was ended before what it had brought was gone. */
async function startDone() {
  const app = await startApp();
  const id = await check(app, `${people(1)}bad,none\n`);
  await begin(app, id);
  await app.runJobs();
  const folder = makeFolder(app.config.importFolder);
  const { upload, stage } = filesOf(folder, (await importOf(app, id)).file);
  writeFileSync(upload, 'x');
  const cleanUp = () => cleanUpImports(app.db, folder, app.clock());
  return { path: folder.path, upload, stage, cleanUp };
}

test.each<[string, (stage: string) => void]>([
  ['gone', (stage) => rmSync(stage)],
  ['damaged', (stage) => writeFileSync(stage, 'no stage '.repeat(1_000))],
])(
  'what was brought goes also where what was read of it is %s, and no draft is left',
  async (_what, spoil) => {
    const { path, upload, stage, cleanUp } = await startDone();
    spoil(stage);
    await cleanUp();
    expect([upload, stage].filter((one) => existsSync(one))).toEqual([]);
    expect(readdirSync(path).filter((name) => name.includes('.new'))).toEqual([]);
  },
);

test('what is left of a draft goes with nobody doing anything, and what cannot be removed keeps nothing else', async () => {
  const { path, upload, stage, cleanUp } = await startDone();
  const drafts = [`${stage}.new-abc123`, `${stage}.new-abc123-journal`];
  const stuck = join(path, '00000000-0000-0000-0000-000000000000.upload');
  mkdirSync(stuck);
  for (const one of drafts) writeFileSync(one, 'x');
  for (const one of [...drafts, stuck]) utimesSync(one, 1, 1);
  await expect(cleanUp()).rejects.toThrow(stuck);
  expect([...drafts, upload].filter((one) => existsSync(one))).toEqual([]);
  expect(existsSync(stage)).toBe(true);
});

test('what was imported is still said to be when somebody is erased; nothing of what was in the file is kept', async () => {
  const app = await startApp();
  const done = await check(app, `${people(1)}bad,none\n`);
  await begin(app, done);
  await app.runJobs();
  const gone = await addUser(app.db, { username: 'gone' });
  await erase(app.db, gone.id, 1);
  expect(await importOf(app, done)).toMatchObject({ state: 'done', file_name: '', reading: null });
  await app.runJobs();
  expect(readdirSync(app.config.importFolder)).toEqual(['identity']);
});

test('how many administrators an import made is known once somebody is erased, and not what they are called', async () => {
  const app = await startApp();
  const done = await check(app, csv(['username', 'email', 'role'], ['ada', 'ada@example.org', 'admin']));
  await begin(app, done);
  await app.runJobs();
  expect((await totalsOf(app, done)).administrators).toEqual({ count: 1, names: ['ada'] });
  const gone = await addUser(app.db, { username: 'gone' });
  await erase(app.db, gone.id, 1);
  expect(await totalsOf(app, done)).toMatchObject({ created: 1, administrators: { count: 1, names: [] } });
});

test('what is a day old is found to be so where nothing else is to be done', async () => {
  const clock = movableClock();
  const app = await startApp({}, undefined, clock);
  await check(app, people(2));
  const isThere = () => isWorkThere(app.db, app.config.importFolder, clock());
  expect(await isThere()).toBe(false);
  clock.move(25 * 3_600_000);
  expect(await isThere()).toBe(true);
  await app.runJobs();
  expect(await isThere()).toBe(false);
});

test('a file that is being read when the process ends is read again once its lease is over', async () => {
  const clock = movableClock();
  const app = await startApp({}, undefined, clock);
  const id = await bring(app, people(2));
  await transact(app.db, (trx) =>
    saveImport(trx, id, { lease_owner: 'killed', leased_until: clock() + 15_000 }),
  );
  await app.runJobs();
  expect(await importOf(app, id)).toMatchObject({ state: 'reading' });
  clock.move(16_000);
  await app.runJobs();
  expect(await importOf(app, id)).toMatchObject({ state: 'checked', failures: 0 });
});

test.each([
  [4, 'checked', []],
  [5, 'unreadable', [{ err: new Error('Whoever was at it has ended each time.') }]],
])(
  'what has ended the process %i times as it was read is %s after that, as a job is stopped after five',
  async (times, state, logged) => {
    const clock = movableClock();
    const app = await startApp({}, undefined, clock);
    const id = await bring(app, people(2));
    const { folder, size } = await importOf(app, id);
    for (let time = 0; time < times; time++) {
      const [owner, now] = [`killed ${time}`, clock()];
      const lease = { owner, now, until: now + 15_000, latest: now + HOUR };
      await transact(app.db, (trx) => leaseImport(trx, folder, lease, size, new Map()));
      clock.move(16_000);
    }
    const error = vi.spyOn(app.log, 'error');
    await app.runJobs();
    expect(await importOf(app, id)).toMatchObject({ state });
    // Its page says that the log says why.
    expect(error.mock.calls.map(([said]) => said)).toEqual(logged);
  },
);

test('whoever may not act any more has nothing judged, nor done', async () => {
  const app = await startApp();
  const [ed] = [await addPerson(app.db, 'ed', 'editor'), await addPerson(app.db, 'ann', 'admin')];
  const id = await bring(app, people(2), actorFor(ed));
  await transact(app.db, (trx) => changeUser(trx, commandLine, ed.id, { is_active: false }, 1));
  await app.runJobs();
  const problem = 'Whoever brought or applied it may not import users any more.';
  expect(await importOf(app, id)).toMatchObject({ state: 'discarded', problem });
});
