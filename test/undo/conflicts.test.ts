/** Deciding about conflicts, those who were changed since, one by one, however many they are: none is passed over, none is asked twice. */
import { expect, test } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import type { Db } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { findJobOfSet, saveJob } from '../../src/jobs/queries.ts';
import { MOST_WITHOUT_JOB, runJobs } from '../../src/jobs/run.ts';
import { Mutex } from '../../src/lib/mutex.ts';
import { MOST_CONFLICTS } from '../../src/undo/conflicts.ts';
import { undoBatch } from '../../src/undo/job.ts';
import { changeUser, deleteUser, restoreUser } from '../../src/users/commands.ts';
import { begin, changeMany, NOW } from '../jobs/many.ts';
import { pageOf } from '../page.ts';
import { addPerson, movableClock, signedIn } from '../people.ts';
import { get, post, startApp } from '../support.ts';

/** `since`: how many of the users are changed once more, the last of them. */
async function start({
  users,
  since,
  stopwatch = () => 0,
}: {
  users: number;
  since: number;
  stopwatch?: () => number;
}) {
  const app = await startApp({}, undefined, movableClock(NOW), stopwatch);
  const undone = await changeMany(app.db, users);
  const members = app.db.selectFrom('users').select('id').where('role', '=', 'member');
  const ids = (await members.orderBy('id').execute()).map(({ id }) => id).slice(users - since);
  for (const id of ids) await rename(app.db, id, 'Since');
  const headers = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
  const address = `/history/${undone}/undo`;
  const read = async (path: string) => pageOf(await get(app, path, headers));
  const send = (fields: Record<string, string>) => post(app, address, fields, headers);
  return { app, db: app.db, headers, undone, ids, address, read, send };
}

const rename = (db: Db, id: number, full_name: string) =>
  transact(db, (trx) => changeUser(trx, commandLine, id, { full_name }, NOW));

type Page = ReturnType<typeof pageOf>;

const askedIn = (page: Page) =>
  page.fields.filter((name) => name.endsWith('.full_name')).map((name) => Number(name.split('.')[0]));

/** As a browser sends the form of a page, with one choice for all whom it asks about. */
const sentFrom = (page: Page, choice: 'back' | 'leave') => ({
  ...Object.fromEntries(['seen', 'users', 'after'].map((name) => [name, page.field(name)])),
  ...Object.fromEntries(askedIn(page).map((id) => [`${id}.full_name`, choice])),
});

const countNamed = async (db: Db, full_name: string) =>
  (await db.selectFrom('users').select('id').where('full_name', '=', full_name).execute()).length;

/** All who are asked about on pages that follow each other, in the order of these. */
async function walk(read: (path: string) => Promise<Page>, first: string): Promise<number[]> {
  const found: number[] = [];
  for (let path: string | undefined = first; path; ) {
    const page: Page = await read(path);
    expect(askedIn(page).length).toBeLessThanOrEqual(MOST_CONFLICTS);
    found.push(...askedIn(page));
    path = page.links.find(({ text }) => text === 'Next')?.href;
  }
  return found;
}

test('too many for one form are left at first, and then decided about page by page until none is left', async () => {
  const { db, ids, undone, address, read, send } = await start({ users: 30, since: 28 });
  const page = await read(address);
  expect(page.text).toContain('28 users were changed since: that is left as it is.');
  const answer = await send({ seen: page.field('seen') });
  expect(answer.body).toBe('Undone for 2 of 30 users; 28 were left, or done in part.\n');
  expect((await read(String(answer.headers.location))).text).toContain(
    'Done for 2 of 30 users; 28 were left',
  );
  expect(await countNamed(db, 'Since')).toBe(28);
  let path = (await read(`/history/${undone}`)).link('Decide about each');
  let left = 28;
  for (const [choice, count] of [
    ['back', 12],
    ['leave', 12],
    ['back', 4],
  ] as const) {
    const asked = await read(path);
    expect(askedIn(asked)).toHaveLength(count);
    expect(asked.text).not.toContain('Nothing is undone yet');
    const decided = await send(sentFrom(asked, choice));
    if (choice === 'leave') expect(decided.body).toBe('Nothing was undone: you left everything as it is.\n');
    else expect(decided.body).toBe(`Undone for ${count} users!\n`);
    left -= choice === 'back' ? count : 0;
    expect((await read(`/history/${undone}`)).text).toContain('It was undone at least in part');
    expect(await countNamed(db, 'Since')).toBe(left);
    path = String(decided.headers.location);
  }
  expect((await read(path)).text).toContain('There is nobody else to decide about.');
  expect((await read('/history')).text).toContain('Undone at least in part by ann');
  const last = await read(`${address}?after=0`);
  expect(askedIn(last)).toEqual(ids.slice(12, 24));
  await send(sentFrom(last, 'back'));
  expect(await countNamed(db, 'Before')).toBe(30);
  expect((await read((await read(`/history/${undone}`)).link('Decide about each'))).text).toContain(
    'There is nobody else to decide about.',
  );
});

test('from a list they lead back to it, also where nothing was put back', async () => {
  const { app, headers, address, read } = await start({
    users: MOST_CONFLICTS + 2,
    since: MOST_CONFLICTS + 1,
  });
  const from = 'from=status%3Dactive';
  const asked = await read((await read(`${address}?${from}`)).link('Decide about each'));
  expect(asked.link('Next')).toMatch(`&${from}`);
  expect(asked.link('Cancel')).toBe('/users?status=active');
  const leave = async (page: Page) => {
    const { action } = page.form('Undo what I chose');
    return String((await post(app, action, sentFrom(page, 'leave'), headers)).headers.location);
  };
  const last = await read(await leave(asked));
  expect(await leave(last)).toMatch(`&${from}`);
  const few = await start({ users: 1, since: 1 });
  const page = await few.read(`${few.address}?${from}`);
  // To whom it is about, if that is one.
  expect(page.link('Cancel')).toBe(`/users/${few.ids[0]}?${from}`);
  expect((await few.read(few.address)).link('Cancel')).toBe(few.address.replace('/undo', ''));
  const { action } = page.form('Undo what I chose');
  const fields = { seen: page.field('seen'), [`${few.ids[0]}.full_name`]: 'leave' };
  const left = await post(few.app, action, fields, few.headers);
  expect(left.headers.location).toBe('/users?status=active');
});

test('one by one, some fields back and some not: what is done and what is left are all', async () => {
  const { db, ids, undone, address, read, send } = await start({ users: 20, since: 14 });
  await send({ seen: (await read(address)).field('seen') });
  const page = await read(`${address}?after=0`);
  const [first] = ids;
  const decided = await send({ ...sentFrom(page, 'leave'), [`${first}.full_name`]: 'back' });
  expect(decided.body).toBe('Undone for 1 of 12 users; 11 were left, or done in part.\n');
  expect(await countNamed(db, 'Since')).toBe(13);
  const after = await read(`/history/${undone}`);
  expect(after.text).toContain('It was undone at least in part: some users may be left.');
  expect(after.buttons).toContain('Undo');
});

test('the undoing of a part can be undone, and its users are left again', async () => {
  const { app, db, undone, address, read, send } = await start({ users: 20, since: 14 });
  await send({ seen: (await read(address)).field('seen') });
  await send(sentFrom(await read(`${address}?after=0`), 'back'));
  expect((await read(`/history/${undone}`)).text).toContain('It was undone at least in part');
  const { id } = await db
    .selectFrom('change_sets')
    .select('id')
    .where('undoes', '=', undone)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirstOrThrow();
  const headers = await signedIn(app, await addPerson(db, 'bea', 'admin'));
  expect((await post(app, `/history/${id}/undo`, {}, headers)).body).toBe('Undone for 12 users!\n');
  expect((await read(`/history/${undone}`)).text).toContain('14 of 20 users are left');
  expect(await countNamed(db, 'Since')).toBe(14);
});

test('a decision about what was changed again meanwhile is asked anew, and nothing of the page is done', async () => {
  const { db, ids, address, read, send } = await start({ users: 20, since: 14 });
  const page = await read(`${address}?after=0`);
  await rename(db, ids[3] ?? 0, 'Later');
  const answer = await send(sentFrom(page, 'back'));
  expect(answer.statusCode).toBe(409);
  expect(pageOf(answer).text).toContain('it was changed again while you were choosing');
  expect(askedIn(pageOf(answer))).toEqual(ids.slice(0, 12));
  expect(await countNamed(db, 'Since')).toBe(13);
  expect((await send(sentFrom(pageOf(answer), 'back'))).body).toBe('Undone for 12 users!\n');
});

test('of very many, those whom the undo has left are found page by page: each once, also beyond those it has noted', async () => {
  const users = MOST_WITHOUT_JOB + 60;
  const { app, db, ids, undone, address, read, send } = await start({ users, since: 130 });
  expect((await read(address)).text).toContain('What was changed since is left as it is.');
  const answer = await send({ seen: '' });
  await app.runJobs();
  const set = Number(String(answer.headers.location).split('/').at(-1));
  const job = await findJobOfSet(db, set);
  expect(job).toMatchObject({ done: 30, left_out: 130 });
  expect(JSON.parse(job?.notes ?? '')).toHaveLength(100);
  const page = await read(`/history/${set}`);
  expect(page.text).toContain(`Done for 30 of ${users} users; 130 were left, or done in part.`);
  expect(await walk(read, page.link('Decide about each'))).toEqual(ids);
  const asked = await read(`${address}?after=0`);
  expect((await send(sentFrom(asked, 'back'))).body).toBe('Undone for 12 users!\n');
  expect((await read(`/history/${undone}`)).text).toContain('It was undone at least in part');
});

test('of very many it can be decided first, before anything is undone', async () => {
  const { app, db, ids, undone, address, read, send } = await start({
    users: MOST_WITHOUT_JOB + 20,
    since: 3,
  });
  const page = await read((await read(address)).link('Decide about each'));
  expect(askedIn(page)).toEqual(ids);
  const [first = 0] = ids;
  const decided = await send({ ...sentFrom(page, 'leave'), [`${first}.full_name`]: 'back' });
  expect(await countNamed(db, 'Before')).toBe(1);
  const next = String(decided.headers.location);
  expect((await read(next)).text).toContain('nobody else to decide about. The rest can be put back now.');
  await send({ seen: '' });
  await app.runJobs();
  expect((await read(next)).text).not.toContain('The rest can be put back now.');
  expect(await countNamed(db, 'Before')).toBe(MOST_WITHOUT_JOB + 18);
  expect((await read(`/history/${undone}`)).text).toContain('2 of 120 users are left');
});

test('while all of it is being undone, and where that has stopped, nobody decides beside it', async () => {
  const { app, db, undone, address, read, send } = await start({ users: MOST_WITHOUT_JOB + 20, since: 3 });
  const asked = sentFrom(await read(`${address}?after=0`), 'back');
  const bea = await addPerson(db, 'bea', 'admin');
  await begin(db, undone, { ...commandLine, via: 'form', user: bea });
  const isRefused = async () => {
    const refused = await read(`${address}?after=0`);
    expect([refused.heading, refused.text]).toEqual([
      'Still under way',
      expect.stringContaining('Its undo is not done yet'),
    ]);
    expect((await read(refused.main.link('See how far it is'))).text).toMatch(/of 120 users/);
    expect((await send(asked)).statusCode).toBe(409);
    expect((await read(`/history/${undone}`)).text).not.toContain('Decide about each');
  };
  await isRefused();
  let turns = 0;
  const kinds = { undo: { via: 'undo', work: undoBatch } } as const;
  const alone = new Mutex();
  const runner = { db, alone, kinds, clock: () => NOW, stopwatch: () => 0, note: () => {}, warn: () => {} };
  await runJobs(runner, () => ++turns > 2);
  expect(await countNamed(db, 'Before')).toBe(100);
  await isRefused();
  await transact(db, (trx) => changeUser(trx, commandLine, bea.id, { is_active: false }, NOW));
  await app.runJobs();
  await isRefused();
  await send({ seen: '' });
  await app.runJobs();
  expect((await send(asked)).body).toBe('Undone for 3 users!\n');
  expect((await read(`/history/${undone}`)).text).toContain('Undone at least in part by ann');
});

test('a part of whom everyone is as before already is not said to have been left', async () => {
  const { address, read, send } = await start({ users: 20, since: 1 });
  const sent = sentFrom(await read(`${address}?after=0`), 'back');
  expect((await send(sent)).body).toBe('Undone for 1 user!\n');
  expect((await send(sent)).body).toBe('Nothing was undone: everything is as it was before already.\n');
});

test('of a part of one the page says whether it was put back, and leads to where it is decided', async () => {
  const { db, ids, undone, address, read, send } = await start({ users: 20, since: 1 });
  const page = await read(`${address}?after=0`);
  await send({ ...sentFrom(page, 'leave'), [`${ids[0]}.full_name`]: 'back' });
  const { id, set_id } = await db.selectFrom('jobs').select(['id', 'set_id']).executeTakeFirstOrThrow();
  const done = await read(`/history/${set_id}`);
  expect(done.text).toContain('Done for 1 user.');
  expect(done.text).not.toContain('was left');
  await transact(db, (trx) => saveJob(trx, id, { done: 0, left_out: 1 }));
  const left = await read(`/history/${set_id}`);
  expect(left.text).toContain('Done in part: the rest was left.');
  expect(left.link('Decide about it')).toBe(`/history/${undone}/undo?after=0`);
});

test('where it takes long to find somebody, the page says so, and the next looks further', async () => {
  let now = 0;
  const { ids, address, read } = await start({ users: 250, since: 2, stopwatch: () => (now += 1_000) });
  const page = await read(`${address}?after=0`);
  expect(page.text).toContain('Nobody to decide about was found so far: look further.');
  expect(await walk(read, page.link('Next'))).toEqual(ids);
});

test('who is deleted by now is shown with the others, and nothing of them is sent', async () => {
  const { db, ids, address, read, send } = await start({ users: 20, since: 14 });
  const [first = 0] = ids;
  await transact(db, (trx) => deleteUser(trx, commandLine, first, NOW));
  const page = await read(`${address}?after=0`);
  expect(page.text).toContain('is deleted by now: bring them back first.');
  expect(askedIn(page)).toEqual(ids.slice(1, 13));
  expect((await send(sentFrom(page, 'back'))).body).toBe('Undone for 12 users!\n');
});

test('who is back after the undo had left them is put back without being asked about, and the page says so', async () => {
  const { db, undone, address, read, send } = await start({ users: 2, since: 0 });
  const changes = db.selectFrom('changes').select('user_id').where('set_id', '=', undone);
  const { user_id: id } = await changes.executeTakeFirstOrThrow();
  await transact(db, (trx) => deleteUser(trx, commandLine, id, NOW));
  expect((await send({})).body).toBe('Undone for 1 of 2 users; 1 was left, or done in part.\n');
  await transact(db, (trx) => restoreUser(trx, commandLine, id, NOW));
  const page = await read((await read(`/history/${undone}`)).link('Decide about each'));
  expect(page.text).toContain('There is nobody else to decide about. The rest can be put back now.');
  expect(page.form('Undo').action).toBe(address);
  const fromList = await read(`${address}?after=0&from=page%3D2`);
  expect(fromList.form('Undo').action).toBe(`${address}?from=page%3D2`);
  await send({});
  expect(await countNamed(db, 'Before')).toBe(2);
  expect((await read(`${address}?after=0`)).text).not.toContain('The rest can be put back now.');
});

test('what is made up in the address or in the form of a page does nothing', async () => {
  const { db, address, read, send } = await start({ users: 20, since: 14 });
  for (const after of ['-1', 'x', '9'.repeat(30)])
    expect((await read(`${address}?after=${after}`)).text).toContain('14 users were changed since');
  expect((await read(`${address}?after=999999999999999`)).text).toContain('There is nobody else');
  for (const users of ['', 'x,-3,1e3', '999999999', "1' or 1=1"]) {
    const answer = await send({ users, after: '1', seen: 'x' });
    expect(answer.statusCode).toBeLessThan(500);
  }
  expect(await countNamed(db, 'Since')).toBe(14);
});
