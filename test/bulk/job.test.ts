/** One thing done to more users than one waits for: batch by batch, beside others who change the same users, and undone. */
import { expect, test, vi } from 'vitest';
import { type Actor, commandLine } from '../../src/auth/actor.ts';
import { newToken } from '../../src/auth/tokens.ts';
import type { Act } from '../../src/bulk/acts.ts';
import { findDrift } from '../../src/bulk/drift.ts';
import { findFirstSince, findGaps, readHistorySnapshot } from '../../src/bulk/history-snapshot.ts';
import { beginBulk, bulkBatch } from '../../src/bulk/job.ts';
import { seedUsers } from '../../src/cli/seed.ts';
import { engineOf } from '../../src/db/engine.ts';
import type { Db, User } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { addToCounts, countByKind } from '../../src/db/user-counts.ts';
import { eraseUser } from '../../src/erasure/commands.ts';
import { findChangeSet } from '../../src/history/queries.ts';
import { beginSet } from '../../src/history/record.ts';
import { findTimesOf } from '../../src/history/versions.ts';
import type { Work } from '../../src/jobs/batch.ts';
import { findJobOfSet, goOnWithJob, saveJob } from '../../src/jobs/queries.ts';
import { MOST_WITHOUT_JOB, runJobs } from '../../src/jobs/run.ts';
import { MINUTE } from '../../src/lib/clock.ts';
import { Mutex } from '../../src/lib/mutex.ts';
import { undoBatch } from '../../src/undo/job.ts';
import { changeUser, deleteUser } from '../../src/users/commands.ts';
import { parseFrom } from '../../src/users/list/address.ts';
import type { UserChanges } from '../../src/users/validation.ts';
import { erase } from '../backup/backed-up.ts';
import { replaceInEngine } from '../engines.ts';
import { begin as beginImport, check } from '../imports/bringing.ts';
import { bring } from '../imports/by-pages.ts';
import { SMALL_BATCHES } from '../jobs/many.ts';
import { pageOf } from '../page.ts';
import { addPerson, movableClock, signedIn } from '../people.ts';
import { addUser, get, post, startApp, temporaryDatabase } from '../support.ts';
import { ask, confirm } from './asking.ts';

const NOW = Date.UTC(2100, 0, 31);
const MANY = 3 * MOST_WITHOUT_JOB;

const runnerOf = (db: Db, clock = movableClock(NOW), work: Work = bulkBatch) => ({
  db,
  alone: new Mutex(),
  kinds: { bulk: { via: 'bulk' as const, work }, undo: { via: 'undo' as const, work: undoBatch } },
  pace: SMALL_BATCHES,
  clock,
  stopwatch: () => 0,
  note: () => {},
  warn: () => {},
});

/** What is kept of everyone, and of who is deleted nothing. */
async function stateOf(db: Db): Promise<Record<string, unknown>[]> {
  const users = await db.selectFrom('users').selectAll().orderBy('id').execute();
  return users.map(({ version: _version, updated_at: _at, ...user }) => user);
}

async function begin(db: Db, act: Act, from: string, total = MANY, actor = commandLine): Promise<number> {
  const list = parseFrom({ from }, NOW);
  const since = await readHistorySnapshot(db);
  return transact(db, (trx) => beginBulk(trx, actor, act, { list, total, since }, NOW));
}

const activateAll = (db: Db) =>
  transact(db, async (trx) => {
    const inactive = await trx.selectFrom('users').selectAll().where('is_active', '=', false).execute();
    await trx.updateTable('users').set({ is_active: true }).execute();
    const active = inactive.map((user) => ({ ...user, is_active: true }));
    await addToCounts(trx, [...countByKind(inactive, -1), ...countByKind(active)]);
  });

async function countViewers(db: Db): Promise<{ count: number }> {
  const viewers = db.selectFrom('users').where('role', '=', 'viewer');
  return viewers.select(({ fn }) => fn.countAll<number>().as('count')).executeTakeFirstOrThrow();
}

const change = (db: Db, { id }: Pick<User, 'id'>, changes: UserChanges) =>
  transact(db, (trx) => changeUser(trx, commandLine, id, changes, NOW));

test.each([
  {
    act: 'activate',
    filter: 'status=inactive',
    done: 'Activated',
    holds: ({ is_active }: User) => is_active,
  },
  {
    act: 'deactivate',
    filter: 'status=active',
    done: 'Deactivated',
    holds: ({ is_active }: User) => !is_active,
  },
  { act: 'delete', filter: 'q=a', done: 'Deleted', holds: () => false },
  {
    act: 'role',
    role: 'viewer',
    filter: 'role=member',
    done: 'Changed the role of',
    holds: ({ role }: User) => role === 'viewer',
  },
])('very many at once: $act; all of it is undone as one', async ({ act, role, filter, done, holds }) => {
  const app = await startApp();
  const headers = await signedIn(app, await addPerson(app.db, 'zz', 'admin', { email: 'zz@z.org' }));
  await seedUsers(app.db, 1_200);
  const before = await stateOf(app.db);
  const whom = `from=${encodeURIComponent(filter)}&all=on`;
  const page = pageOf(await ask(app, headers, act, whom));
  const total = Number(/(\d[\d,]*) users\?/.exec(page.text)?.[1]?.replace(',', ''));
  expect(total).toBeGreaterThan(MOST_WITHOUT_JOB);
  const answer = await confirm(app, headers, act, whom, role ? { role } : {});
  expect(answer.body).toBe('It has begun, and goes on by itself.\n');
  await app.runJobs();
  const address = String(answer.headers.location);
  const shown = total.toLocaleString('en');
  const set = pageOf(await get(app, address, headers));
  expect(set.heading).toBe(`${done} ${shown} users`);
  expect(set.text).toContain(`Done for ${shown} of ${shown} users.`);
  const after = await app.db.selectFrom('users').selectAll().execute();
  expect(after.filter(holds)).toHaveLength(
    act === 'delete' ? 0 : before.filter((user) => holds(user as User)).length + total,
  );
  // It leads back to the list, and so does what undoes it.
  const back = `/users?${filter}`;
  expect(set.link('Back to the list')).toBe(back);
  const { action } = set.forms.filter((form) => form.action.includes('/undo'))[0] ?? { action: '' };
  const asked = pageOf(await post(app, action, {}, headers));
  expect(asked.link('Cancel')).toBe(back);
  const confirming = asked.form('Undo');
  const undone = await post(app, confirming.action, { seen: asked.field('seen') }, headers);
  await app.runJobs();
  const end = pageOf(await get(app, String(undone.headers.location), headers));
  expect(end.text).toContain(`Done for ${shown} of ${shown} users.`);
  expect(end.link('Back to the list')).toBe(back);
  expect(await stateOf(app.db)).toEqual(before);
});

test('whom others change meanwhile is left or not among them any more; who comes is not touched', async () => {
  const db = await temporaryDatabase();
  await seedUsers(db, 2 * MANY);
  await activateAll(db);
  const users = await db.selectFrom('users').selectAll().orderBy('id').execute();
  const [renamed, gone, inactive, reactivated, other] = users.slice(MANY) as [User, User, User, User, User];
  await change(db, other, { is_active: false });
  const set = await begin(db, { do: 'deactivate' }, 'status=active', 2 * MANY - 1);
  const work: Work = async (trx, actor, job, turn) => bulkBatch(trx, actor, job, { ...turn, limit: 50 });
  let asked = 0;
  await runJobs(runnerOf(db, movableClock(NOW), work), () => ++asked > 3);
  await change(db, renamed, { full_name: 'Since' });
  await transact(db, (trx) => deleteUser(trx, commandLine, gone.id, NOW));
  await change(db, inactive, { is_active: false });
  await change(db, reactivated, { is_active: false });
  await change(db, reactivated, { is_active: true });
  // Neither of them was confirmed.
  await change(db, other, { is_active: true });
  const created = await addUser(db, { username: 'new' });
  await runJobs(runnerOf(db, movableClock(NOW), work), () => false);
  const done = 2 * MANY - 1 - 4;
  expect(await findJobOfSet(db, set)).toMatchObject({ state: 'done', done, left_out: 2, params: '{}' });
  expect(await findChangeSet(db, set)).toMatchObject({ users: done });
  const active = await db
    .selectFrom('users')
    .select('id')
    .where('is_active', '=', true)
    .orderBy('id')
    .execute();
  expect(active.map(({ id }) => id)).toEqual([renamed.id, reactivated.id, other.id, created.id]);
});

test('of who is not in a file, whom somebody has changed since is left, and told', async () => {
  const app = await startApp();
  const ann = await addPerson(app.db, 'ann', 'admin');
  const headers = await signedIn(app, ann);
  await seedUsers(app.db, MANY);
  const address = await bring(app, headers, 'username\nann\n');
  const absent = `absent_from=${address.split('/')[2]}`;
  const act = { do: 'role', role: 'viewer' } as const;
  const actor = { ...commandLine, user: ann };
  const set = await begin(app.db, act, `${absent}&role=member`, MANY, actor);
  const members = app.db.selectFrom('users').selectAll().where('role', '=', 'member').orderBy('id', 'desc');
  const [changed, gone] = (await members.limit(2).execute()) as [User, User];
  await change(app.db, changed, { full_name: 'Since' });
  await change(app.db, gone, { role: 'editor' });
  await addUser(app.db, { username: 'new' });
  await app.runJobs();
  const job = await findJobOfSet(app.db, set);
  expect(job).toMatchObject({ state: 'done', left_out: 1 });
  const stayed = await app.db.selectFrom('users').select('username').where('role', '=', 'member').execute();
  expect(stayed.map(({ username }) => username).sort()).toEqual([changed.username, 'new'].sort());
  expect(pageOf(await get(app, `/history/${set}`, headers)).text).toContain(`Left: ${changed.username}`);
});

test('a form that began it asks anew once that was undone, and until then is answered as before', async () => {
  const app = await startApp();
  const headers = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
  await seedUsers(app.db, MANY);
  await activateAll(app.db);
  const url = '/bulk?do=deactivate&all=on&from=role%3Dmember';
  const form = { key: newToken(), seen: pageOf(await get(app, url, headers)).field('seen') };
  const send = async () => {
    const answer = await post(app, url, form, headers);
    await app.runJobs();
    return answer;
  };
  const { location: set } = (await send()).headers;
  expect((await send()).headers.location).toBe(set);
  const address = String(set).replace('?', '/undo?');
  const undo = pageOf(await post(app, address, {}, headers)).field('seen');
  await post(app, address, { seen: undo, key: newToken() }, headers);
  await app.runJobs();
  const again = await send();
  expect([again.statusCode, pageOf(again).heading]).toEqual([409, 'Deactivate 300 users?']);
  const confirmed = await post(app, url, { ...form, seen: pageOf(again).field('seen') }, headers);
  await app.runJobs();
  expect(pageOf(await get(app, `${confirmed.headers.location}`, headers)).text).toContain(
    'Done for 300 of 300 users.',
  );
});

test('while it is under way nobody is offered to undo it', async () => {
  const app = await startApp();
  const ann = await addPerson(app.db, 'ann', 'admin');
  const headers = await signedIn(app, ann);
  await seedUsers(app.db, MANY);
  await activateAll(app.db);
  const actor = { ...commandLine, user: ann };
  const set = await begin(app.db, { do: 'deactivate' }, 'status=active', MANY + 1, actor);
  const offers = async (path: string) =>
    (await get(app, path, headers)).body.includes(`/history/${set}/undo`);
  const clock = movableClock(NOW);
  let asked = 0;
  await runJobs(runnerOf(app.db, clock), () => ++asked > 2);
  for (const path of ['/history', `/history/${set}`]) expect(await offers(path), path).toBe(false);
  await runJobs(runnerOf(app.db, clock), () => false);
  for (const path of ['/history', `/history/${set}`]) expect(await offers(path), path).toBe(true);
});

test('its page names those who were left, and says how many did not match any more', async () => {
  const app = await startApp();
  const ann = await addPerson(app.db, 'ann', 'admin');
  const headers = await signedIn(app, ann);
  await seedUsers(app.db, MANY);
  await activateAll(app.db);
  const [first, second] = await app.db
    .selectFrom('users')
    .selectAll()
    .where('role', '=', 'member')
    .orderBy('id', 'desc')
    .limit(2)
    .execute();
  const set = await begin(app.db, { do: 'deactivate' }, 'role=member');
  await change(app.db, first as User, { full_name: 'Since' });
  await transact(app.db, (trx) => deleteUser(trx, commandLine, (second as User).id, NOW));
  await transact(app.db, (trx) => trx.updateTable('jobs').set({ actor_id: ann.id }).execute());
  const under = await get(app, `/history/${set}`, headers);
  expect(under.headers.refresh).toBe('2');
  expect(pageOf(under).text).toContain('Under way: 0 of 300 users.');
  await app.runJobs();
  const { text } = pageOf(await get(app, `/history/${set}`, headers));
  expect(text).toContain(
    'Done for 298 of 300 users; 1 was left, since somebody else has changed them meanwhile.',
  );
  expect(text).toContain('The other 1 did not match any more, or could not be changed any more.');
  expect(text).toContain(`Left: ${(first as User).username}`);
});

test('what one process was killed at another goes on with, and does each user once', async () => {
  const db = await temporaryDatabase();
  await seedUsers(db, MANY);
  await activateAll(db);
  const set = await begin(db, { do: 'deactivate' }, 'status=active');
  const clock = movableClock(NOW);
  let batches = 0;
  const killed: Work = async (...turn) => {
    if (++batches === 3) throw new Error('killed');
    return bulkBatch(...turn);
  };
  await runJobs(runnerOf(db, clock, killed), () => false);
  expect(await findJobOfSet(db, set)).toMatchObject({ state: 'running', done: 200 });
  clock.move(60_000);
  await Promise.all([runJobs(runnerOf(db, clock), () => false), runJobs(runnerOf(db, clock), () => false)]);
  expect(await findJobOfSet(db, set)).toMatchObject({ state: 'done', done: MANY, left_out: 0 });
  const users = await db.selectFrom('users').selectAll().execute();
  expect(users.every(({ is_active, version }) => !is_active && version === 2)).toBe(true);
});

test('what is done by a clock that is behind comes after what had begun it, and before what follows', async () => {
  const db = await temporaryDatabase();
  await seedUsers(db, 3);
  await activateAll(db);
  await begin(db, { do: 'deactivate' }, 'status=active', 3);
  await runJobs(runnerOf(db, movableClock(NOW - 2 * MINUTE)), () => false);
  const { id } = await db.selectFrom('users').select('id').executeTakeFirstOrThrow();
  await transact(db, (trx) => changeUser(trx, commandLine, id, { full_name: 'Since' }, NOW - MINUTE));
  expect(await findTimesOf(db, id, [2, 3])).toEqual([NOW, NOW]);
});

test('where only a few match among many, no batch goes through more than it has time for', async () => {
  const db = await temporaryDatabase();
  await seedUsers(db, 1_000);
  const rare = await addUser(db, { username: 'qqzzq' });
  const set = await begin(db, { do: 'delete' }, 'q=qqzzq', 1);
  const cursors: number[] = [];
  let time = 0;
  const slow = { ...runnerOf(db), stopwatch: () => (time += 100) };
  const watched: Work = async (trx, actor, job, turn) => {
    cursors.push(job.cursor);
    return bulkBatch(trx, actor, job, turn);
  };
  await runJobs({ ...slow, kinds: { bulk: { via: 'bulk', work: watched } } }, () => false);
  expect(cursors.length).toBeGreaterThan(3);
  expect(cursors).toEqual(cursors.toSorted((one, other) => one - other));
  expect(await findJobOfSet(db, set)).toMatchObject({ state: 'done', done: 1 });
  expect(await db.selectFrom('users').select('id').where('id', '=', rare.id).execute()).toEqual([]);
});

test('whom the one who confirmed it may not change stay as they are, whoever has it go on', async () => {
  const db = await temporaryDatabase();
  await seedUsers(db, MANY);
  await activateAll(db);
  const [ed, ann] = [await addPerson(db, 'ed', 'editor'), await addPerson(db, 'ann', 'admin')];
  await addUser(db, { username: 'vic', role: 'viewer' });
  const editor: Actor = { ...commandLine, user: ed, role: 'editor' };
  const set = await begin(db, { do: 'deactivate' }, 'status=active', MANY, editor);
  const job = await findJobOfSet(db, set);
  await transact(db, async (trx) => {
    await saveJob(trx, job?.id ?? 0, { state: 'stopped' });
    await goOnWithJob(trx, job?.id ?? 0, ann.id);
  });
  await runJobs(runnerOf(db), () => false);
  expect(await findJobOfSet(db, set)).toMatchObject({ state: 'done', done: MANY, actor_id: ann.id });
  const active = await db.selectFrom('users').select('username').where('is_active', '=', true).execute();
  expect(active.map(({ username }) => username).sort()).toEqual(['ann', 'ed', 'vic']);
});

test('what a change that had begun before does after it was confirmed is somebody else’s; what it had done before is not', async () => {
  const db = await temporaryDatabase();
  await seedUsers(db, 2 * MANY);
  const work: Work = async (trx, actor, job, turn) => bulkBatch(trx, actor, job, { ...turn, limit: 50 });
  await activateAll(db);
  const actor: Actor = { ...commandLine, user: await addPerson(db, 'ann', 'admin') };
  const first = await begin(db, { do: 'role', role: 'viewer' }, 'status=active', 2 * MANY, actor);
  let asked = 0;
  await runJobs(runnerOf(db, movableClock(NOW), work), () => ++asked > 3);
  const { done = 0 } = (await findJobOfSet(db, first)) ?? {};
  expect(done).toBeGreaterThan(0);
  expect(done).toBeLessThan(2 * MANY);
  const second = await begin(db, { do: 'deactivate' }, 'status=active', 2 * MANY, actor);
  const later = await findJobOfSet(db, second);
  await transact(db, (trx) => saveJob(trx, later?.id ?? 0, { leased_until: NOW }));
  await runJobs(runnerOf(db, movableClock(NOW), work), () => false);
  expect(await findJobOfSet(db, first)).toMatchObject({ state: 'done', done: 2 * MANY });
  expect(await findJobOfSet(db, second)).toMatchObject({ state: 'done', done, left_out: 2 * MANY - done });
});

test('where somebody is to confirm it meanwhile they are told of what it has done since, and of nothing before', async () => {
  const app = await startApp();
  const { db } = app;
  const ann = await addPerson(db, 'ann', 'admin');
  const headers = await signedIn(app, ann);
  await seedUsers(db, MANY);
  await activateAll(db);
  const { count } = await countViewers(db);
  const act = { do: 'role', role: 'viewer' } as const;
  const set = await begin(db, act, 'role=member', MANY, { ...commandLine, user: ann });
  const clock = movableClock(NOW);
  let turns = 0;
  await runJobs(runnerOf(db, clock), () => ++turns > 3);
  const viewers = 'from=role%3Dviewer&all=on';
  const asked = await ask(app, headers, 'deactivate', viewers);
  const before = await countViewers(db);
  expect(before.count).toBeGreaterThan(count);
  await runJobs(runnerOf(db, clock), () => false);
  const now = await countViewers(db);
  expect(now.count).toBeGreaterThan(before.count + 10);
  const page = pageOf(await confirm(app, headers, 'deactivate', viewers, { asked }));
  expect(page.text).toContain(`They were ${before.count}, and are ${now.count} now.`);
  const fates = page.items.filter((item) => / (came|went|changed): /.test(item));
  expect(fates).toEqual([expect.stringMatching(`^${now.count - before.count} users came: `)]);
  const history = pageOf(await get(app, page.link('all that was done since'), headers));
  expect(history.links.map(({ href }) => href)).toContain(`/history/${set}`);
});

test('so is what an import does that had begun before, whose rows go by no numbers of users', async () => {
  const app = await startApp();
  const { db } = app;
  const { id } = await addUser(db, { username: 'ada' });
  const { set_id } = await beginImport(app, await check(app, 'username,full_name\nada,Since\n'));
  const { id: job = 0 } = (await findJobOfSet(db, set_id ?? 0)) ?? {};
  const begun = await readHistorySnapshot(db);
  // As amid its second half a million of rows, which are in an order of their own.
  await transact(db, (trx) => saveJob(trx, job, { cursor: 500_000 }));
  const snapshot = await readHistorySnapshot(db);
  await transact(db, (trx) => saveJob(trx, job, { cursor: 0 }));
  await app.runJobs();
  expect(await findFirstSince(db, [id], snapshot)).toEqual(new Map([[id, 2]]));
  // Whether it had been done before nobody knows, so that nobody says so.
  const asking = { db, actor: commandLine, stopwatch: () => 0 };
  const list = parseFrom({ from: 'q=since' }, 0);
  const driftOf = (shown = snapshot) =>
    findDrift(asking, { do: 'delete' }, list, { total: 0, snapshot: shown });
  expect(await driftOf()).toMatchObject({ came: { count: 0 }, amid: [set_id], since: undefined });
  // Of one that had only begun it is known.
  expect(await driftOf(begun)).toMatchObject({ came: { count: 1 }, amid: [] });
  await change(db, { id }, { is_active: false });
  expect(await driftOf()).toMatchObject({ came: { count: 0 }, changed: { count: 1 } });
});

test.each(['before', 'after'])(
  'so is what a job does that begins %s it is looked which set is the last',
  async (when) => {
    const db = await temporaryDatabase();
    await seedUsers(db, 3);
    await activateAll(db);
    const { readLastId } = engineOf(db);
    const beginFirst = vi.fn(readLastId).mockImplementationOnce(async (...args) => {
      const last = await readLastId(...args);
      const set = await begin(db, { do: 'deactivate' }, 'status=active', 3);
      return when === 'before' ? set : last;
    });
    replaceInEngine(db, { readLastId: beginFirst });
    const snapshot = await readHistorySnapshot(db);
    await runJobs(runnerOf(db), () => false);
    const users = await db.selectFrom('users').selectAll().execute();
    const since = await findFirstSince(
      db,
      users.map(({ id }) => id),
      snapshot,
    );
    expect(since).toEqual(new Map(users.map(({ id }) => [id, 2])));
    const asking = { db, actor: commandLine, stopwatch: () => 0 };
    const shown = { total: 0, snapshot };
    const drift = await findDrift(asking, { do: 'activate' }, parseFrom({ from: '' }, NOW), shown);
    expect(drift).toMatchObject({ came: { count: 3 }, went: { count: 0 } });
  },
);

test('what was under way when it was shown, and was saved after it, is somebody else’s', async () => {
  const db = await temporaryDatabase();
  await seedUsers(db, 10);
  const set = await engineOf(db).readLastId(db, 'change_sets');
  const user = await db.selectFrom('users').selectAll().orderBy('id').executeTakeFirstOrThrow();
  await change(db, user, { full_name: 'Before' });
  const moment = { set: set + 1, growing: [] };
  expect(await findFirstSince(db, [user.id], moment)).toEqual(new Map());
  const gaps = [[set + 1, set + 1]] as const;
  expect(await findFirstSince(db, [user.id], { ...moment, gaps })).toEqual(new Map([[user.id, 2]]));
  const asking = { db, actor: commandLine, stopwatch: () => 0 };
  const shown = { total: 0, snapshot: { ...moment, gaps } };
  const drift = await findDrift(asking, { do: 'delete' }, parseFrom({ from: 'q=before' }, 0), shown);
  expect(drift).toMatchObject({ came: { count: 1, people: [{ id: user.id }] }, isWhole: true });
  expect(await findGaps(db, set + 3)).toEqual([[set + 2, set + 3]]);
});

test('of what was saved late, of what went on and of what began since each is told once, from the first of them on', async () => {
  const db = await temporaryDatabase();
  await seedUsers(db, 3);
  const users = await db.selectFrom('users').selectAll().orderBy('id').execute();
  const before = await engineOf(db).readLastId(db, 'change_sets');
  for (const user of users) await change(db, user, { full_name: 'Since' });
  const [late, growing] = [before + 1, before + 2];
  const snapshot = { set: growing, growing: [[growing, 0]], gaps: [[late, late]] } as const;
  const asking = { db, actor: commandLine, stopwatch: () => 0 };
  const shown = { total: 3, snapshot };
  const drift = await findDrift(asking, { do: 'delete' }, parseFrom({ from: '' }, NOW), shown);
  expect(drift).toMatchObject({ changed: { count: 3 }, since: { id: before } });
});

test('of the numbers that no set has the last hundred are looked at', async () => {
  const db = await temporaryDatabase();
  const sets = await transact(db, async (trx) => {
    const ids: number[] = [];
    while (ids.length < 220) ids.push(await beginSet(trx, commandLine, { at: NOW, kind: 'access' }));
    return ids;
  });
  const missing = sets.filter((_, index) => index % 2 === 0);
  await transact(db, (trx) => trx.deleteFrom('change_sets').where('id', 'in', missing).execute());
  const { gaps = [] } = await readHistorySnapshot(db);
  expect(gaps).toEqual(missing.slice(-100).map((id) => [id, id]));
});

test('so it is however many others were saved before it', async () => {
  const db = await temporaryDatabase();
  const sets = await transact(db, async (trx) => {
    const ids: number[] = [];
    while (ids.length < 150) ids.push(await beginSet(trx, commandLine, { at: NOW, kind: 'access' }));
    return ids;
  });
  const [first = 0] = sets;
  // One that is not saved yet is not there.
  await transact(db, (trx) => trx.deleteFrom('change_sets').where('id', '=', first).execute());
  expect((await readHistorySnapshot(db)).gaps).toEqual([[first, first]]);
});

test.each(['stopped', 'running'] as const)(
  'how its users were found is forgotten when somebody is erased while it is %s, and no later than it stops',
  async (state) => {
    const app = await startApp();
    const { db } = app;
    const [ann, bob] = [await addPerson(db, 'ann', 'admin'), await addPerson(db, 'bob', 'admin')];
    const asBob = await signedIn(app, bob);
    await seedUsers(db, 3);
    const set = await begin(db, { do: 'deactivate' }, 'q=vqxzjw', MANY, {
      ...commandLine,
      via: 'form',
      user: ann,
    });
    const stop = async () => {
      await change(db, ann, { role: 'member' });
      await app.runJobs();
      expect(await findJobOfSet(db, set)).toMatchObject({ state: 'stopped' });
    };
    if (state === 'stopped') await stop();
    const { id } = await addUser(db, { username: 'vqxzjw' });
    await post(app, `/users/${id}/delete`, {}, asBob);
    await transact(db, (trx) => eraseUser(trx, commandLine, id, NOW));
    expect(await findJobOfSet(db, set)).toMatchObject({ state });
    if (state === 'running') {
      // What is overwritten before it ends would not be all.
      await app.scrub();
      expect(app.erasureProgressOf(id)).toEqual({ kind: 'held up' });
      await stop();
    }
    await app.scrub();
    expect(app.erasureProgressOf(id)?.kind).not.toBe('held up');
    expect((await findJobOfSet(db, set))?.params).not.toContain('vqxzjw');
    const page = pageOf(await get(app, `/history/${set}`, asBob));
    expect(page.text).toContain(
      'It cannot go on: how its users were found was forgotten when somebody was erased.',
    );
    expect(page.buttons).not.toContain('Go on');
    expect((await post(app, `/history/${set}/go-on`, {}, asBob)).statusCode).toBe(404);
  },
);

test('it goes on to its end while somebody is erased', async () => {
  const db = await temporaryDatabase();
  await seedUsers(db, MANY);
  await activateAll(db);
  const set = await begin(db, { do: 'deactivate' }, 'status=active');
  let asked = 0;
  await runJobs(runnerOf(db), () => ++asked > 2);
  const { id } = await addUser(db, { username: 'gone' });
  await erase(db, id, NOW);
  await runJobs(runnerOf(db), () => false);
  expect(await findJobOfSet(db, set)).toMatchObject({ state: 'done', done: MANY, params: '{}' });
});

test('that a job begins is noted with its number, which stands in all that it notes itself', async () => {
  const db = await temporaryDatabase();
  await seedUsers(db, MANY);
  const noted: Parameters<Actor['note']>[] = [];
  const actor: Actor = { ...commandLine, note: (...note) => void noted.push(note) };
  const set = await begin(db, { do: 'deactivate' }, 'status=active', MANY, actor);
  const job = (await findJobOfSet(db, set))?.id;
  expect(noted).toEqual([['job begun', undefined, { job }]]);
});
