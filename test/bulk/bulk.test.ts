/** One thing done to many users: to those who were ticked, or to all who match; asked first, and never to whom it may not be done. */
import { sql } from 'kysely';
import { expect, inject, test, vi } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import { done, findAnswer, insertAnswer } from '../../src/auth/idempotency-store.ts';
import { findCandidates, type Matching, match, tally } from '../../src/bulk/candidates.ts';
import { doToAll } from '../../src/bulk/commands.ts';
import { findFirst, planBulk } from '../../src/bulk/plan.ts';
import { sentenceOfDone } from '../../src/bulk/words.ts';
import { seedUsers } from '../../src/cli/seed.ts';
import { engineOf } from '../../src/db/engine.ts';
import type { Db, User } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { eraseUser } from '../../src/erasure/commands.ts';
import { TooBroadError } from '../../src/errors.ts';
import { findChangeSet } from '../../src/history/queries.ts';
import { Deadline } from '../../src/lib/deadline.ts';
import { createUsers, deleteUser } from '../../src/users/commands.ts';
import { parseFrom } from '../../src/users/list/address.ts';
import { conditionOf, tallyMatching } from '../../src/users/list/matching.ts';
import { findUser } from '../../src/users/queries.ts';
import { replaceInEngine } from '../engines.ts';
import { pageOf } from '../page.ts';
import { addPerson, signedIn } from '../people.ts';
import { addUser, get, post, startApp, temporaryDatabase } from '../support.ts';
import { ask, confirm } from './asking.ts';

async function start(role: 'admin' | 'editor' = 'admin') {
  const app = await startApp();
  const ann = await addPerson(app.db, 'ann', role);
  const [max, mia, moe] = [
    await addUser(app.db, { username: 'max', full_name: 'Max' }),
    await addUser(app.db, { username: 'mia', is_active: false }),
    await addUser(app.db, { username: 'moe', role: 'viewer' }),
  ];
  return { app, ann, max, mia, moe, headers: await signedIn(app, ann) };
}

async function usersOf(db: Db): Promise<Record<string, Pick<User, 'role' | 'is_active' | 'version'>>> {
  const users = await db.selectFrom('users').selectAll().execute();
  return Object.fromEntries(users.map(({ username, ...user }) => [username, user]));
}

const stateOf = async (db: Db, { id }: User) => {
  const { role, is_active, version } = (await findUser(db, id)) ?? {};
  return { role, is_active, version };
};

test('those ticked are shown before anything is changed, and changed at once as one change that can be undone', async () => {
  const { app, max, moe, headers } = await start();
  const page = pageOf(await ask(app, headers, 'deactivate', [max, moe]));
  expect(page.text).toContain('Deactivate 2 users?');
  expect(page.text).toContain('Nothing is changed yet.');
  expect(page.links.map(({ text }) => text)).toEqual(expect.arrayContaining(['Max', 'moe']));
  expect(await stateOf(app.db, max)).toMatchObject({ is_active: true, version: 1 });
  const answer = await confirm(app, headers, 'deactivate', [max, moe]);
  expect(answer.body).toBe('2 users deactivated!\n');
  expect(answer.headers.location).toBe('/users');
  for (const user of [max, moe])
    expect(await stateOf(app.db, user)).toEqual({ role: user.role, is_active: false, version: 2 });
  const history = pageOf(await get(app, '/history', headers));
  expect(history.text).toContain('ann Deactivated 2 users, in bulk 2');
  const undo =
    history.forms.find(({ buttons }) => buttons.includes('Undo: Deactivated 2 users'))?.action ?? '';
  expect((await post(app, undo, {}, headers)).body).toContain('Undone for 2 users!');
  for (const user of [max, moe])
    expect(await stateOf(app.db, user)).toEqual({ role: user.role, is_active: true, version: 3 });
});

test.each([
  {
    act: 'activate',
    whom: 'from=status%3Dinactive&all=on',
    said: '1 user activated!',
    became: { mia: { is_active: true } },
  },
  {
    act: 'deactivate',
    whom: 'from=role%3Dmember&all=on',
    said: '1 user deactivated!',
    became: { max: { is_active: false } },
  },
  {
    act: 'delete',
    whom: 'from=q%3Dm&all=on',
    said: '3 users deleted!',
    became: { max: undefined, mia: undefined, moe: undefined },
  },
  {
    act: 'role',
    role: 'editor',
    whom: 'from=q%3Dmo&all=on',
    said: '1 user given another role!',
    became: { moe: { role: 'editor' } },
  },
])('all who match a filter, and nobody else: $act', async ({ act, whom, role, said, became }) => {
  const { app, headers } = await start();
  const before = await usersOf(app.db);
  const answer = await confirm(app, headers, act, whom, role ? { role } : {});
  expect(answer.body).toBe(`${said}\n`);
  const after = await usersOf(app.db);
  for (const [name, user] of Object.entries(before)) {
    const changed = (became as Record<string, object | undefined>)[name];
    if (!(name in became)) expect(after[name], name).toEqual(user);
    else if (changed === undefined) expect(after[name], name).toBeUndefined();
    else expect(after[name], name).toMatchObject({ ...changed, version: user.version + 1 });
  }
});

test('a page holds a hundred at most, and all of them can be ticked', async () => {
  const { app, headers } = await start();
  await seedUsers(app.db, 100);
  const users = await app.db.selectFrom('users').select('id').orderBy('id', 'desc').limit(100).execute();
  const answer = await confirm(app, headers, 'role', users, { role: 'viewer' });
  expect(answer.body).toBe('100 users given another role!\n');
});

test('whoever does not go on finds the list as it was, with its ticks, and can untick', async () => {
  const { app, max, mia, headers } = await start();
  const read = async (path: string) => pageOf(await get(app, path, headers));
  const back = (await read(`/bulk?do=delete&tick.${max.id}=on`)).link('Cancel');
  const list = await read(back);
  const ticks = [`tick.${max.id}`, `tick.${mia.id}`, 'all'];
  expect(ticks.map((name) => list.field(name))).toEqual(['ticked', 'not ticked', 'not ticked']);
  expect(list.text).toContain('ticked on this page');
  const unticked = await read(list.link('Untick'));
  expect(ticks.map((name) => unticked.field(name))).toEqual(ticks.map(() => 'not ticked'));
  expect(unticked.buttons).toContain('Untick');
  const all = await read((await read('/bulk?do=delete&all=on')).link('Cancel'));
  expect(ticks.map((name) => all.field(name))).toEqual(['not ticked', 'not ticked', 'ticked']);
});

test('the list that one came from is led back to, with its filter, and at a page that is still there', async () => {
  const { app, max, mia, headers } = await start();
  const from = encodeURIComponent('q=m&sort=-id&per_page=1&page=3');
  const page = pageOf(await get(app, `/bulk?do=delete&from=${from}&tick.${max.id}=on`, headers));
  expect(page.link('Cancel')).toBe(`/users?q=m&sort=-id&per_page=1&page=3&tick.${max.id}=on`);
  const answer = await confirm(app, headers, 'delete', `from=${from}&tick.${max.id}=on`);
  expect(answer.headers.location).toBe('/users?q=m&sort=-id&per_page=1&page=2');
  const status = encodeURIComponent('status=inactive');
  const activated = await confirm(app, headers, 'activate', `from=${status}&tick.${mia.id}=on`);
  expect(activated.headers.location).toBe('/users?status=inactive');
});

test('nobody does it to themselves: it is said, and the others are done', async () => {
  const { app, ann, max, headers } = await start();
  for (const whom of [[ann, max], 'all=on'] as const)
    for (const act of ['deactivate', 'delete', 'role']) {
      const { text } = pageOf(await ask(app, headers, act, whom));
      expect(text, act).toContain('1 user: you yourself, which is done on your own page alone (ann)');
    }
  const answer = await confirm(app, headers, 'delete', 'all=on');
  expect(answer.body).toBe('3 users deleted!\n');
  expect(Object.keys(await usersOf(app.db))).toEqual(['ann']);
});

test('who is so already is left, and where that is all there is nothing to confirm', async () => {
  const { app, max, mia, headers } = await start();
  const page = pageOf(await ask(app, headers, 'deactivate', [max, mia]));
  expect(page.text).toContain('Deactivate 1 user?');
  expect(page.text).toContain('1 user: inactive already (mia)');
  const nobody = pageOf(await ask(app, headers, 'activate', [max]));
  expect(nobody.text).toContain('Nobody to activate');
  expect(nobody.buttons).toEqual([]);
});

test('an editor is told whom administrators alone may change, and cannot give roles', async () => {
  const { app, max, moe, headers } = await start('editor');
  for (const whom of [[max, moe], 'from=status%3Dactive&all=on'] as const)
    expect(pageOf(await ask(app, headers, 'deactivate', whom)).text).toContain(
      'for administrators alone to change',
    );
  expect((await ask(app, headers, 'role', [max])).statusCode).toBe(403);
  expect((await post(app, `/bulk?do=role&tick.${max.id}=on`, { role: 'admin' }, headers)).statusCode).toBe(
    403,
  );
  const answer = await confirm(app, headers, 'delete', 'from=q%3Dm&all=on');
  expect(answer.body).toBe('2 users deleted!\n');
  expect(Object.keys(await usersOf(app.db)).sort()).toEqual(['ann', 'moe']);
});

test.each([
  { from: '', total: 1, left: ['1 user: inactive already', '1 user: for administrators alone to change'] },
  { from: 'status=active', total: 1, left: ['1 user: for administrators alone to change'] },
  { from: 'role=editor', total: 0, left: ['1 user: for administrators alone to change'] },
  { from: 'role=viewer', total: 0, left: ['1 user: for administrators alone to change'], own: false },
])('an editor who is among all that match ($from) is counted once, as themself', async (asked) => {
  const { from, total, left, own = true } = asked;
  const { app, headers } = await start('editor');
  if (from === 'role=editor') await addUser(app.db, { username: 'eve', role: 'editor' });
  const whom = `from=${encodeURIComponent(from)}&all=on`;
  const page = pageOf(await ask(app, headers, 'deactivate', whom));
  const yourself = '1 user: you yourself, which is done on your own page alone (ann)';
  expect(page.heading).toBe(total === 0 ? 'Nobody to deactivate' : `Deactivate ${total} user?`);
  const reasons = page.items.filter((item) => item.includes(': '));
  expect(reasons.sort()).toEqual([...left, ...(own ? [yourself] : [])].sort());
});

test('a role has to be chosen, of those there are', async () => {
  const { app, max, headers } = await start();
  for (const role of ['', 'emperor']) {
    const answer = await confirm(app, headers, 'role', [max], { role });
    expect(answer.statusCode).toBe(422);
    expect(pageOf(answer).errorOf('role')).toContain('Choose one of the roles.');
  }
  expect(await stateOf(app.db, max)).toMatchObject({ role: 'member', version: 1 });
});

test('someone’s new role among many is in what they see of their own access', async () => {
  const { app, max, mia, moe, headers } = await start();
  await addPerson(app.db, 'vic', 'viewer');
  const vic = (await app.db
    .selectFrom('users')
    .selectAll()
    .where('username', '=', 'vic')
    .executeTakeFirst()) as User;
  await confirm(app, headers, 'role', [max, mia, moe, vic], { role: 'editor' });
  const seen = pageOf(await get(app, '/history?kind=access', await signedIn(app, vic)));
  expect(seen.text).toContain('Changed the role');
});

test('nothing that was ticked, nothing that was chosen, and nothing there is: a sentence, and the list as it was', async () => {
  const { app, max, headers } = await start();
  const from = `from=${encodeURIComponent('status=active&page=1&sort=name')}`;
  const none = await get(app, `/bulk?do=delete&${from}`, headers);
  expect(none.headers.location).toBe('/users?status=active&sort=name');
  expect(none.body).toBe('Nothing was ticked. Tick users first, or all that match.\n');
  const told = await get(app, '/users', {
    cookie: `${headers.cookie}; ${String(none.headers['set-cookie']).split(';')[0]}`,
  });
  expect(told.body).toMatch(/<div class="flash nothing">\s*<p id="flash"[^>]*>Nothing was ticked/);
  const unchosen = await get(app, `/bulk?do=&${from}&tick.${max.id}=on`, headers);
  expect(unchosen.body).toBe('Choose what to do with those ticked.\n');
  expect((await get(app, `/bulk?do=promote&all=on`, headers)).statusCode).toBe(404);
  const exported = await get(app, `/bulk?do=export&${from}&tick.${max.id}=on`, headers);
  expect(exported.headers.location).toContain(`/export?from=status%3Dactive%26sort%3Dname&tick.${max.id}=on`);
});

test('what was not shown to whoever sends it, or was shown of something else, is asked first', async () => {
  const { app, max, mia, headers } = await start();
  const bea = await signedIn(app, await addPerson(app.db, 'bea', 'admin'));
  const asked = await ask(app, headers, 'delete', [max]);
  for (const answer of [
    await post(app, `/bulk?do=delete&tick.${max.id}=on`, {}, headers),
    await confirm(app, bea, 'delete', [max], { asked }),
    await confirm(app, headers, 'delete', [max, mia], { asked }),
    await confirm(app, headers, 'deactivate', [max], { asked }),
    await confirm(app, headers, 'delete', 'all=on', { asked }),
  ]) {
    expect(answer.statusCode).toBe(409);
    expect(pageOf(answer).text).toContain('Nothing is changed yet');
  }
  expect(await stateOf(app.db, max)).toMatchObject({ is_active: true, version: 1 });
});

test('only what was asked for is written, whatever others write at the same moment', async () => {
  const { app, max, headers } = await start();
  await confirm(app, headers, 'role', [max], { role: 'viewer' });
  const { fields } = await app.db
    .selectFrom('changes')
    .selectAll()
    .where('user_id', '=', max.id)
    .where('version', '=', 2)
    .executeTakeFirstOrThrow();
  expect(JSON.parse(fields ?? '')).toEqual({ 5: ['member', 'viewer'] });
  const { full_name, email } = (await findUser(app.db, max.id)) as User;
  expect({ full_name, email }).toEqual({ full_name: max.full_name, email: max.email });
});

test('a role given to one alone is found in the history as theirs', async () => {
  const { app, max, headers } = await start();
  await confirm(app, headers, 'role', [max], { role: 'viewer' });
  const [last] = await app.db.selectFrom('change_sets').selectAll().orderBy('id', 'desc').limit(1).execute();
  expect(await findChangeSet(app.db, last?.id ?? 0)).toMatchObject({ subject_id: max.id, event: null });
});

test('nobody waits long for those to whom it can be done: few are known by an index, many are given up', async () => {
  const db = await temporaryDatabase();
  for (const name of ['max', 'mia', 'moe', 'zoe', 'zac', 'zed', 'zig', 'zag'])
    await addUser(db, { username: name });
  let time = 0;
  const asking = { db, actor: commandLine, stopwatch: () => (time += 10_000) };
  const list = parseFrom({}, 0);
  const everyone = { list, condition: await conditionOf(db, list), result: undefined };
  await expect(findCandidates(asking, { do: 'activate' }, everyone, 1)).rejects.toThrow(TooBroadError);
  const gone = AbortSignal.abort();
  await expect(tally({ ...asking, stopwatch: () => 0, gone }, everyone)).rejects.toThrow(TooBroadError);
  const some = await match({ ...asking, stopwatch: () => 0 }, parseFrom({ from: 'q=m' }, 0));
  expect(some.result?.ids).toHaveLength(3);
  expect(await findCandidates(asking, { do: 'activate' }, some, 1)).toEqual([]);
  expect(await findCandidates(asking, { do: 'deactivate' }, some, 2)).toMatchObject([
    { username: 'max' },
    { username: 'mia' },
  ]);
});

test.runIf(inject('engine') === 'postgres')(
  'an answer that is kept names nobody who is erased at that moment',
  async () => {
    const { app, max, mia } = await start();
    const { db } = app;
    await transact(db, (trx) => deleteUser(trx, commandLine, mia.id, 0));
    const form = { hash: 'x', key: Buffer.alloc(32) };
    const [named, end] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const act = { do: 'deactivate' } as const;
    const doing = transact(db, async (trx) => {
      const { done: count, left } = await doToAll(trx, commandLine, act, [max, mia], 0);
      const sentence = sentenceOfDone(act, count, left);
      expect(sentence).toContain('mia');
      named.resolve();
      await end.promise;
      await insertAnswer(trx, form, done('/users', sentence), 0);
    });
    await named.promise;
    const erasing = transact(db, (trx) => eraseUser(trx, commandLine, mia.id, 0));
    const waiting = sql`
      select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`;
    await expect.poll(async () => (await waiting.execute(db)).rows.length).toBeGreaterThan(0);
    end.resolve();
    await Promise.all([doing, erasing]);
    expect((await findAnswer(db, form))?.sentence).toContain('This was done already');
  },
);

test('where it takes too long to find out who they are the page says how few could be found, and leads back', async () => {
  let time = 0;
  const app = await startApp({}, undefined, Date.now, () => (time += 40_000));
  const headers = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
  const page = await ask(app, headers, 'deactivate', 'from=q%3Dann&all=on');
  expect(page.statusCode).toBe(422);
  expect(pageOf(page).text).toContain('until the list has at most 10,000 users.');
  expect(pageOf(page).main.link('Back to the list')).toBe('/users?q=ann');
});

test('others whose numbers and versions add up to the same are not taken for the same', async () => {
  const db = await temporaryDatabase();
  await seedUsers(db, 4);
  const all = { is_active: true, role: 'member' } as const;
  await transact(db, (trx) => trx.updateTable('users').set(all).execute());
  const tallyOf = async (ids: number[]) => {
    const condition = await conditionOf(db, parseFrom({}, 0));
    const [tally, ...others] = await tallyMatching(db, condition, ids, Deadline.in(10_000));
    expect(others).toEqual([]);
    return tally;
  };
  const [first, second] = [await tallyOf([1, 4]), await tallyOf([2, 3])];
  expect([first?.count, second?.count]).toEqual([2, 2]);
  expect(first?.hashes).not.toBe(second?.hashes);
  await transact(db, (trx) => trx.updateTable('users').set({ version: 2 }).where('id', '=', 1).execute());
  const changed = await tallyOf([1, 4]);
  await transact(db, async (trx) => {
    await trx.updateTable('users').set({ version: 1 }).where('id', '=', 1).execute();
    await trx.updateTable('users').set({ version: 2 }).where('id', '=', 4).execute();
  });
  expect(changed?.hashes).not.toBe((await tallyOf([1, 4]))?.hashes);
});

test('of more than ten the first ten are shown, and how many more there are', async () => {
  const { app, headers } = await start();
  const ticked: User[] = [];
  for (let index = 1; index <= 12; index++)
    ticked.push(await addUser(app.db, { username: `tick${String(index).padStart(2, '0')}` }));
  const page = pageOf(await ask(app, headers, 'deactivate', ticked));
  expect(page.text).toContain('Deactivate 12 users?');
  const shown = page.links.map(({ text }) => text).filter((text) => text.startsWith('tick'));
  expect(shown).toEqual(ticked.slice(0, 10).map(({ username }) => username));
  expect(page.text).toContain('and 2 more');
});

test('of all that match the first ten of the list are shown, in its order, whoever else is left as they are', async () => {
  const { app, headers } = await start();
  for (let index = 1; index <= 12; index++)
    await addUser(app.db, { username: `all${String(index).padStart(2, '0')}`, is_active: index !== 11 });
  const shownFor = async (from: string) => {
    const whom = `from=${encodeURIComponent(from)}&all=on`;
    const page = pageOf(await ask(app, headers, 'deactivate', whom));
    expect(page.text).toContain('and 1 more');
    return page.links.map(({ text }) => text).filter((text) => text.startsWith('all'));
  };
  const names = ['01', '02', '03', '04', '05', '06', '07', '08', '09', '10', '12'].map((at) => `all${at}`);
  expect(await shownFor('q=all&sort=username')).toEqual(names.slice(0, 10));
  expect(await shownFor('q=all&sort=-username&page=2')).toEqual(names.toReversed().slice(0, 10));
});

test('where the first of the list would take long to find they are shown by number', async () => {
  const db = await temporaryDatabase();
  const people = Array.from({ length: 260 }, (_, index) => ({
    username: `all${999 - index}`,
    email: `all${index}@example.org`,
    full_name: null,
    is_active: index < 2,
    role: 'member' as const,
  }));
  await transact(db, (trx) => createUsers(trx, commandLine, people, 0));
  const asking = { db, actor: commandLine, stopwatch: () => 0 };
  const matching = await match(asking, parseFrom({ from: 'q=all&sort=username' }, 0));
  const firstOf = async (given: Matching, stopwatch = asking.stopwatch) => {
    const users = await findFirst({ ...asking, stopwatch }, { do: 'deactivate' }, given, 2);
    return users.map(({ username }) => username);
  };
  const byNumber = ['all999', 'all998'];
  expect(await firstOf(matching)).toEqual(byNumber.toReversed());
  expect(await firstOf({ ...matching, result: undefined })).toEqual(byNumber);
  let time = 0;
  const late = () => (time += 2_000);
  // Those of the first batch are all inactive; and a search gives up by itself.
  expect(await firstOf(matching, late)).toEqual(byNumber);
  const many = { ...matching, result: matching.result && { ...matching.result, ids: undefined } };
  expect(await firstOf(many, late)).toEqual(byNumber);
});

test('who matches is found out once for the page that asks, the first of the list included', async () => {
  const db = await temporaryDatabase();
  await addUser(db, { username: 'max' });
  const list = parseFrom({ from: 'q=m&sort=username' }, 0);
  const search = await engineOf(db).searchIndexOf(db);
  const findAll = vi.fn(search.findAll);
  replaceInEngine(db, { searchIndexOf: async () => ({ ...search, findAll }) });
  const plan = await planBulk(
    { db, actor: commandLine, stopwatch: () => 0 },
    { do: 'delete' },
    { list, ticked: undefined },
  );
  expect(plan.users.map(({ username }) => username)).toEqual(['max']);
  expect(findAll).toHaveBeenCalledTimes(1);
});
