/** Between asking and confirming others change the directory: it is asked again where that matters, and only there. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import type { Act } from '../../src/bulk/acts.ts';
import { findCandidates, match } from '../../src/bulk/candidates.ts';
import { doToAll } from '../../src/bulk/commands.ts';
import { findDrift } from '../../src/bulk/drift.ts';
import { readHistorySnapshot } from '../../src/bulk/history-snapshot.ts';
import type { Db, User } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { NotFoundError } from '../../src/errors.ts';
import { inOneSet } from '../../src/history/record.ts';
import { forgetAbsentUsers } from '../../src/imports/absent-users.ts';
import { DAY } from '../../src/lib/clock.ts';
import { changeUser, createUsers, deleteUser, restoreUser } from '../../src/users/commands.ts';
import { parseFrom } from '../../src/users/list/address.ts';
import { findUser } from '../../src/users/queries.ts';
import type { UserChanges } from '../../src/users/validation.ts';
import { bring } from '../imports/by-pages.ts';
import { type Page, pageOf } from '../page.ts';
import { addPerson, movableClock, signedIn, signIn } from '../people.ts';
import { runs } from '../runs.ts';
import { addUser, get, startApp, temporaryDatabase } from '../support.ts';
import { ask, confirm, type Whom } from './asking.ts';

const ALL: Whom = `from=${encodeURIComponent('q=m&status=active')}&all=on`;

async function start() {
  const app = await startApp();
  const headers = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
  const [max, mia, zoe] = [
    await addUser(app.db, { username: 'max', full_name: 'Max' }),
    await addUser(app.db, { username: 'mia' }),
    await addUser(app.db, { username: 'zoe', email: 'zoe@elsewhere.org' }),
  ];
  return { app, db: app.db, headers, max, mia, zoe };
}

const UNTOLD = 'The history does not tell of everyone who came or went';

function fatesIn(page: Page): string[] {
  return page.items.filter((item) => / (came|went|(was|were) changed): /.test(item));
}

const change = (db: Db, { id }: User, changes: UserChanges) =>
  transact(db, (trx) => changeUser(trx, commandLine, id, changes, Date.now()));
const remove = (db: Db, { id }: User) => transact(db, (trx) => deleteUser(trx, commandLine, id, Date.now()));

test('who came, who went and who was changed since is said, and it is asked again', async () => {
  const { app, db, headers, max, mia, zoe } = await start();
  const moe = await addUser(db, { username: 'moe' });
  const asked = await ask(app, headers, 'deactivate', ALL);
  expect(pageOf(asked).text).toContain('Deactivate 3 users?');
  await addUser(db, { username: 'mud' });
  await change(db, zoe, { username: 'mzoe' });
  await change(db, max, { full_name: 'Moritz' });
  await change(db, mia, { is_active: false });
  await remove(db, moe);
  const again = await confirm(app, headers, 'deactivate', ALL, { asked });
  expect(again.statusCode).toBe(409);
  const page = pageOf(again);
  expect(page.title).toMatch(/^Error: /);
  expect(page.text).toContain('They were 3, and are 3 now.');
  expect(fatesIn(page)).toEqual([
    '2 users came: mzoe, mud',
    '2 users went: mia, moe',
    '1 user was changed: max',
  ]);
  expect(await findUser(db, max.id)).toMatchObject({ is_active: true, version: 2 });
  expect((await confirm(app, headers, 'deactivate', ALL, { asked: again })).body).toBe(
    '3 users deactivated!\n',
  );
});

test('of all who match no numbers travel, however few they are', async () => {
  const { app, db, headers } = await start();
  const sealed = async () => pageOf(await ask(app, headers, 'deactivate', ALL)).field('seen').length;
  const ofTwo = await sealed();
  for (let number = 0; number < 30; number++) await addUser(db, { username: `m${number}` });
  // A number of more digits, and what comes of it.
  expect((await sealed()) - ofTwo).toBeLessThan(30);
});

test('a change of somebody who is not concerned, and a sign-in, do not ask again', async () => {
  const { app, db, headers, zoe } = await start();
  await addPerson(db, 'mad', 'viewer');
  const asked = await ask(app, headers, 'deactivate', ALL);
  await change(db, zoe, { full_name: 'Zoë' });
  await addUser(db, { username: 'zack', email: 'zack@elsewhere.org' });
  expect(await signIn(app, 'mad')).toBeDefined();
  const answer = await confirm(app, headers, 'deactivate', ALL, { asked });
  expect(answer.body).toBe('3 users deactivated!\n');
});

test('who comes at midnight, since they signed in long ago by then, is asked about', async () => {
  const clock = movableClock(Date.UTC(2100, 0, 1));
  const app = await startApp({}, undefined, clock);
  const ann = await addPerson(app.db, 'ann', 'admin');
  for (const name of ['vic', 'val']) {
    await addPerson(app.db, name, 'viewer');
    expect(await signIn(app, name)).toBeDefined();
    clock.move(DAY);
  }
  clock.move(90 * DAY - 60_000);
  const headers = await signedIn(app, ann);
  const whom = `from=${encodeURIComponent('signed_in=over-90-days-ago')}&all=on`;
  const asked = await ask(app, headers, 'deactivate', whom);
  expect(pageOf(asked).text).toContain('Deactivate 1 user?');
  clock.move(60_000);
  const again = await confirm(app, headers, 'deactivate', whom, { asked });
  expect(again.statusCode).toBe(409);
  expect(pageOf(again).text).toContain('Deactivate 2 users?');
  expect(pageOf(again).text).toContain('They were 1, and are 2 now.');
  expect(pageOf(again).text).toContain(UNTOLD);
});

test('of who had signed in before nobody says that they went, whatever else was changed of them', async () => {
  const app = await startApp();
  const headers = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
  const val = await addPerson(app.db, 'val', 'viewer');
  expect(await signIn(app, 'val')).toBeDefined();
  const [vic, zoe] = [await addPerson(app.db, 'vic', 'viewer'), await addPerson(app.db, 'zoe', 'viewer')];
  const whom = `from=${encodeURIComponent('signed_in=never')}&all=on`;
  const asked = await ask(app, headers, 'deactivate', whom);
  await change(app.db, val, { full_name: 'Val' });
  await change(app.db, vic, { full_name: 'Vic' });
  await change(app.db, zoe, { is_active: false });
  const page = pageOf(await confirm(app, headers, 'deactivate', whom, { asked }));
  expect(fatesIn(page)).toEqual(['1 user went: zoe', '1 user was changed: vic']);
  expect(page.text).not.toContain(UNTOLD);
});

test('of who is not in a file it is told by their numbers who came, went and was changed', async () => {
  const { app, db, headers, max, mia, zoe } = await start();
  const [kai, lea] = [await addUser(db, { username: 'kai' }), await addUser(db, { username: 'lea' })];
  const address = await bring(app, headers, 'username\nann\nzoe\n');
  const absent = `absent_from=${address.split('/')[2]}&status=active`;
  const whom = `from=${encodeURIComponent(absent)}&all=on`;
  await change(db, kai, { is_active: false });
  const asked = await ask(app, headers, 'deactivate', whom);
  expect(pageOf(asked).text).toContain('Deactivate 3 users?');
  await change(db, max, { full_name: 'Moritz' });
  await change(db, mia, { is_active: false });
  await remove(db, lea);
  await change(db, kai, { is_active: true });
  await change(db, zoe, { full_name: 'Zoë' });
  await addUser(db, { username: 'new' });
  const again = await confirm(app, headers, 'deactivate', whom, { asked });
  expect(again.statusCode).toBe(409);
  expect(fatesIn(pageOf(again))).toEqual([
    '1 user came: kai',
    '2 users went: mia, lea',
    '1 user was changed: max',
  ]);
  expect((await confirm(app, headers, 'deactivate', whom, { asked: again })).body).toBe(
    '2 users deactivated!\n',
  );
});

test('once it is forgotten who is not in a file, nothing is done to those who were shown', async () => {
  const { app, db, headers, max } = await start();
  const address = await bring(app, headers, 'username\nann\n');
  const id = Number(address.split('/')[2]);
  const whom = `from=absent_from%3D${id}&all=on`;
  const asked = await ask(app, headers, 'delete', whom);
  expect(pageOf(asked).text).toContain('Delete 3 users?');
  await forgetAbsentUsers(id, (work) => transact(db, work));
  expect((await confirm(app, headers, 'delete', whom, { asked })).statusCode).toBe(409);
  expect(await findUser(db, max.id)).toBeDefined();
});

test('however many were changed since, it is said how many came and how many went, with the first of them and where all stand', async () => {
  const { app, db, headers, max, mia, zoe } = await start();
  const asked = await ask(app, headers, 'deactivate', ALL);
  await change(db, max, { full_name: 'Moritz' });
  const came: User[] = [];
  await transact(db, (trx) =>
    inOneSet(trx, commandLine, { at: Date.now(), kind: 'created' }, async (acting) => {
      const people = Array.from({ length: 300 }, (_, at) => ({
        username: `m${at}`,
        email: `m${at}@example.org`,
        full_name: null,
        is_active: true,
        role: 'member' as const,
      }));
      came.push(...(await createUsers(trx, acting, people, Date.now())));
    }),
  );
  const [some] = came as [User, ...User[]];
  for (let time = 0; time < 101; time += 1) await change(db, some, { full_name: `M ${time}` });
  for (const user of came.slice(0, 20)) await remove(db, user);
  await change(db, zoe, { full_name: 'Zoë' });
  await change(db, mia, { is_active: false });
  const page = pageOf(await confirm(app, headers, 'deactivate', ALL, { asked }));
  expect(page.text).toContain('They were 2, and are 281 now.');
  expect(fatesIn(page)).toEqual([
    '280 users came: m20, m21, m22, m23, m24, m25, m26, m27, m28, m29 and 270 more',
    '1 user went: mia',
    '1 user was changed: max',
  ]);
  expect(page.text).not.toContain(UNTOLD);
  expect(page.link('who they are now')).toBe('/users?q=m&status=active&all=on');
  const history = pageOf(await get(app, page.link('all that was done since'), headers));
  expect(history.text).toContain('Changed the full name of max');
  expect(history.text).toContain('Created 300 users');
  expect(history.text).not.toContain('Created max');
});

test('the first of them are those with the lowest numbers, whoever was changed first', async () => {
  const { db } = await start();
  const users: User[] = [];
  for (let at = 0; at < 12; at += 1) users.push(await addUser(db, { username: `tim${at}` }));
  const snapshot = await readHistorySnapshot(db);
  for (const user of users.toReversed()) await change(db, user, { full_name: 'Tim' });
  const asking = { db, actor: commandLine, stopwatch: () => 0 };
  const list = parseFrom({ from: 'q=tim' }, 0);
  const { changed } = await findDrift(asking, { do: 'delete' }, list, { total: 12, snapshot });
  expect(changed.people.map(({ name }) => name)).toEqual(users.slice(0, 10).map(({ username }) => username));
});

test('where so very much was changed that there is no time for all of it, it is known that there is more', async () => {
  const { db, max, mia } = await start();
  const last = await addUser(db, { username: 'moe' });
  const snapshot = await readHistorySnapshot(db);
  for (let each = 0; each < 130; each += 1)
    for (const user of [max, mia]) await change(db, user, { full_name: `M ${each}` });
  await change(db, last, { full_name: 'Moe' });
  const list = parseFrom({ from: 'q=m' }, 0);
  let time = 0;
  const driftIn = (each: number) =>
    findDrift({ db, actor: commandLine, stopwatch: () => (time += each) }, { do: 'delete' }, list, {
      total: 2,
      snapshot,
    });
  expect(await driftIn(0)).toMatchObject({ isWhole: true, changed: { count: 3 } });
  expect(await driftIn(40_000)).toMatchObject({ isWhole: false, changed: { count: 2 } });
});

test('who is deleted while it is looked what has become of them went, or was changed before that', async () => {
  const { db } = await start();
  const list = parseFrom({ from: 'q=tim' }, 0);
  const steps = Array.from({ length: 8 }, (_, step) => step);
  for (const step of steps) {
    const tim = await addUser(db, { username: `tim${step}`, full_name: 'Tim' });
    const snapshot = await readHistorySnapshot(db);
    await change(db, tim, { full_name: 'Timothy' });
    let done = 0;
    const meanwhile = db.withPlugin({
      transformQuery: ({ node }) => node,
      transformResult: async ({ result }) => {
        if (done++ === step) await remove(db, tim);
        return result;
      },
    });
    const asking = { db: meanwhile, actor: commandLine, stopwatch: () => 0 };
    const { came, went, changed } = await findDrift(asking, { do: 'delete' }, list, { total: 1, snapshot });
    expect([came.count, went.count + changed.count], `after ${step}`).toEqual([0, 1]);
  }
});

test('whatever is done meanwhile, it is told of everyone who came, went or was changed', async () => {
  const step = fc.record({
    who: fc.nat({ max: 5 }),
    what: fc.oneof(
      fc.constant('delete' as const),
      fc.constant('restore' as const),
      fc.record(
        {
          is_active: fc.boolean(),
          role: fc.constantFrom('member' as const, 'viewer' as const),
          full_name: fc.constantFrom('Max', 'Zoë'),
        },
        { requiredKeys: [] },
      ),
    ),
  });
  const act = fc.constantFrom<Act>({ do: 'deactivate' }, { do: 'delete' });
  const from = fc.constantFrom('q=max', 'role=member', 'status=active&role=viewer', '');
  const steps = fc.array(step, { minLength: 4, maxLength: 16 });
  const property = fc.asyncProperty(act, from, fc.nat({ max: 4 }), steps, async (act, from, before, all) => {
    const db = await temporaryDatabase();
    const ids: number[] = [];
    for (let at = 0; at < 6; at += 1) ids.push((await addUser(db, { username: `user${at}` })).id);
    const asking = { db, actor: commandLine, stopwatch: () => 0 };
    const list = parseFrom({ from }, 0);
    const everyone = async () => {
      const users = await findCandidates(asking, act, await match(asking, list), 100);
      return new Map(users.map(({ id, version }) => [id, version]));
    };
    const perform = async ({ who, what }: (typeof all)[number]) => {
      const id = ids[who] ?? 0;
      await transact(db, async (trx) => {
        if (what === 'delete') await deleteUser(trx, commandLine, id, 0);
        else if (what === 'restore') await restoreUser(trx, commandLine, id, 0);
        else await changeUser(trx, commandLine, id, what, 0);
      }).catch((error) => {
        if (!(error instanceof NotFoundError)) throw error;
      });
    };
    for (const one of all.slice(0, before)) await perform(one);
    const [snapshot, was] = [await readHistorySnapshot(db), await everyone()];
    for (const one of all.slice(before)) await perform(one);
    const drift = await findDrift(asking, act, list, { total: was.size, snapshot });
    const is = await everyone();
    const both = [...is.keys()].filter((id) => was.has(id));
    const told = (['came', 'went', 'changed'] as const).map((fate) => drift[fate].people.map(({ id }) => id));
    expect(told).toEqual([
      [...is.keys()].filter((id) => !was.has(id)),
      [...was.keys()].filter((id) => !is.has(id)),
      both.filter((id) => was.get(id) !== is.get(id)),
    ]);
    await db.destroy();
  });
  await fc.assert(property, runs(200));
});

test('others who came in the place of some are seen, also where their numbers and versions add up to the same', async () => {
  const { app, db, headers, mia, zoe } = await start();
  const [zac, moe] = [await addUser(db, { username: 'zac' }), await addUser(db, { username: 'moe' })];
  expect(mia.id + moe.id).toBe(zoe.id + zac.id);
  for (const user of [mia, moe]) await change(db, user, { full_name: 'Before' });
  const all = `from=${encodeURIComponent('status=inactive')}&all=on`;
  for (const user of [mia, moe]) await change(db, user, { is_active: false });
  const asked = await ask(app, headers, 'activate', all);
  expect(pageOf(asked).text).toContain('Activate 2 users?');
  for (const user of [mia, moe]) await change(db, user, { is_active: true });
  for (const user of [zoe, zac])
    for (const full_name of ['A', 'B']) await change(db, user, { full_name, is_active: false });
  const versions = await db.selectFrom('users').select('version').where('is_active', '=', false).execute();
  expect(versions).toEqual([{ version: 3 }, { version: 3 }]);
  const again = await confirm(app, headers, 'activate', all, { asked });
  expect(again.statusCode).toBe(409);
  expect(fatesIn(pageOf(again))).toEqual(['2 users came: zoe, zac', '2 users went: mia, moe']);
});

test('where only those were changed who are left as they are, nobody is said to have come or gone', async () => {
  const { app, db, headers } = await start();
  await addUser(db, { username: 'moe', is_active: false });
  const asked = await ask(app, headers, 'deactivate', 'from=q%3Dm&all=on');
  const moe = await db
    .selectFrom('users')
    .selectAll()
    .where('username', '=', 'moe')
    .executeTakeFirstOrThrow();
  await change(db, moe, { full_name: 'Moe' });
  const page = pageOf(await confirm(app, headers, 'deactivate', 'from=q%3Dm&all=on', { asked }));
  expect(fatesIn(page)).toEqual([]);
  expect(page.text).toContain(
    'Some of them, or of those who are left as they are, are others or were changed.',
  );
});

test('a role that was not chosen does not make what was shown anew', async () => {
  const { app, db, headers, max } = await start();
  await change(db, max, { role: 'viewer' });
  const asked = await ask(app, headers, 'role', ALL);
  await change(db, max, { full_name: 'Moritz' });
  const unchosen = await confirm(app, headers, 'role', ALL, { asked });
  expect(unchosen.statusCode).toBe(422);
  const again = await confirm(app, headers, 'role', ALL, { asked: unchosen, role: 'viewer' });
  expect(again.statusCode).toBe(409);
  expect(fatesIn(pageOf(again))).toEqual(['1 user was changed: max']);
});

test.each<[string, (zoe: User, max: User) => Whom]>([
  ['all who match', () => ALL],
  ['those ticked', (...ticked) => ticked],
])('the role that was chosen for %s is still chosen where it is asked again', async (_whom, of) => {
  const { app, db, headers, max, zoe } = await start();
  const whom = of(zoe, max);
  const asked = await ask(app, headers, 'role', whom);
  await change(db, max, { full_name: 'Moritz' });
  const again = await confirm(app, headers, 'role', whom, { asked, role: 'editor' });
  expect(again.statusCode).toBe(409);
  expect(pageOf(again).field('role')).toContain('Editor');
});

test('of those ticked it is said who was changed and who is gone; who was not ticked does not matter', async () => {
  const { app, db, headers, max, mia, zoe } = await start();
  const whom = [max, mia];
  const asked = await ask(app, headers, 'delete', whom);
  await change(db, zoe, { is_active: false });
  await change(db, max, { full_name: 'Moritz' });
  await remove(db, mia);
  const again = await confirm(app, headers, 'delete', whom, { asked });
  expect(again.statusCode).toBe(409);
  expect(fatesIn(pageOf(again))).toEqual(['1 user went: mia', '1 user was changed: max']);
  expect(pageOf(again).text).toContain('1 user: not there any more');
  expect((await confirm(app, headers, 'delete', whom, { asked: again })).body).toBe('1 user deleted!\n');
});

test('who is changed while it is done is left, and named with why', async () => {
  const { db, max, mia, zoe } = await start();
  await change(db, max, { role: 'viewer' });
  await change(db, mia, { full_name: 'Mia' });
  await remove(db, zoe);
  const { done, left } = await transact(db, (trx) =>
    doToAll(trx, commandLine, { do: 'role', role: 'editor' }, [max, mia, zoe], Date.now()),
  );
  expect(done).toBe(1);
  expect(left).toEqual([
    { whom: { id: max.id, name: 'max' }, why: 'changed since' },
    { whom: { id: zoe.id, name: 'zoe' }, why: 'gone' },
  ]);
  expect(await findUser(db, max.id)).toMatchObject({ role: 'viewer' });
  expect(await findUser(db, mia.id)).toMatchObject({ role: 'editor', full_name: 'Mia' });
});

test('the last administrator stays, whoever does it', async () => {
  const { db } = await start();
  const users = await db.selectFrom('users').selectAll().orderBy('id').execute();
  for (const act of [{ do: 'delete' }, { do: 'deactivate' }, { do: 'role', role: 'viewer' }] as const) {
    const { left } = await transact(db, (trx) =>
      doToAll(trx, commandLine, act, users.slice(0, 1), Date.now()),
    );
    expect(left, act.do).toMatchObject([{ whom: { name: 'ann' }, why: 'last administrator' }]);
  }
});
