/** History as people see it: on a user's page, everyone's, one change set, and those who are deleted. */
import { describe, expect, test } from 'vitest';
import { type Actor, commandLine } from '../../src/auth/actor.ts';
import { seedUsers } from '../../src/cli/seed.ts';
import type { Role } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { inOneSet } from '../../src/history/record.ts';
import { DAY } from '../../src/lib/clock.ts';
import { undoChangeSet } from '../../src/undo/commands.ts';
import { changeUser } from '../../src/users/commands.ts';
import { pageOf } from '../page.ts';
import { addPerson, HOUR, movableClock, signedIn } from '../people.ts';
import { addUser, get, post, startApp } from '../support.ts';

const NOW = Date.UTC(2100, 10, 28, 17);

/** Between the days, which are lines of their own. */
const doneOn = (page: ReturnType<typeof pageOf>) => page.column('What').filter((what) => what !== '');

async function start() {
  const clock = movableClock(NOW);
  const app = await startApp({}, undefined, clock);
  const people = {
    admin: await addPerson(app.db, 'ann', 'admin'),
    editor: await addPerson(app.db, 'emil', 'editor'),
    viewer: await addPerson(app.db, 'vera', 'viewer'),
  };
  const headersFor = async (role: Exclude<Role, 'member'>) => signedIn(app, people[role]);
  const read = async (role: Exclude<Role, 'member'>, path: string) =>
    pageOf(await get(app, path, await headersFor(role)));
  const send = async (role: Exclude<Role, 'member'>, path: string, fields: Record<string, string>) =>
    post(app, path, fields, await headersFor(role));
  return { app, clock, people, read, send };
}

describe('what was done to someone', () => {
  test('is on their page in tens, and everything earlier is a page further', async () => {
    const { app, clock, read, send } = await start();
    const max = await addUser(app.db, { username: 'max' }, NOW);
    for (let version = 1; version <= 12; version++) {
      clock.move(HOUR);
      await send('editor', `/users/${max.id}`, { full_name: `Max ${version}`, version: String(version) });
    }
    const page = await read('viewer', `/users/${max.id}`);
    expect(page.text).toContain('emil changed the full name just now Full name was Max 11 Max 12');
    expect(page.text).not.toContain('was Max 1 Max 2');
    const earlier = await read('viewer', page.link('Earlier'));
    expect(earlier.text).toMatch(
      /was Max 1 Max 2 .* was Not set Max 1 The command line created this user 12 hours ago Newest As of another day Show as of this day$/,
    );
    expect(earlier.text).not.toContain('was Max 2 Max 3');
    expect(earlier.links.map(({ text }) => text)).not.toContain('Earlier');
  });

  test('to how they sign in, and to their role, is seen by administrators and by themselves alone', async () => {
    const { app, people, read, send } = await start();
    const { id } = people.editor;
    await send('admin', `/users/${id}`, { role: 'viewer', version: '1' });
    await send('admin', `/users/${id}`, { role: 'editor', full_name: 'Emil E', version: '2' });
    await signedIn(app, people.editor);
    await send('admin', `/users/${id}/sessions/delete`, {});
    for (const role of ['admin', 'editor'] as const) {
      const { text } = await read(role, `/users/${id}`);
      expect(text).toContain('ann ended all sessions');
      expect(text).toContain('ann changed the role just now Role was Editor Viewer');
    }
    const seen = (await read('viewer', `/users/${id}`)).text;
    expect(seen).toContain('ann changed the full name just now Full name was Not set Emil E');
    expect(seen).not.toMatch(/sessions|changed the role|was Editor|was Viewer/);
  });

  test('before there was a history is said not to be known, and so is who was added with many others', async () => {
    const { app, read } = await start();
    await seedUsers(app.db, 3);
    const { text } = await read('viewer', '/users/5');
    expect(text).toMatch(/Activity The command line added 3 users at once /);
    const then = await read('viewer', '/users/5?at=2020-01-01');
    expect(then.text).toContain('What this user was then is not known');
  });
});

test.each([
  ['2100-11-28', 'Max Now'],
  // Where it is morning already.
  ['2100-11-29', 'Max Now'],
  ['2100-11-27', 'Max Then'],
  ['2100-11-28T16:59Z', 'Max Then'],
  ['2100-11-25', 'This user was not there yet.'],
])('a user as of %s is marked as such, and has no buttons', async (at, expected) => {
  const { app, read, send } = await start();
  const made = NOW - 2 * DAY;
  const max = await addUser(app.db, { username: 'max', full_name: 'Max Then' }, made);
  await send('admin', `/users/${max.id}`, { full_name: 'Max Now', version: '1' });
  const page = await read('viewer', `/users/${max.id}?at=${at}`);
  expect(page.text).toContain('as of ');
  expect(page.text).toContain(expected);
  expect(page.buttons).toEqual([]);
});

test.each([
  ['soon', '“soon” is no time: it can be 2026-01-31 or 2026-01-31T14:00Z.'],
  ['2100-11-30', '“2100-11-30” is still to come.'],
])('as of %s nobody can be shown: their page says so beside the field', async (at, sentence) => {
  const { app, people } = await start();
  const headers = await signedIn(app, people.viewer);
  const answer = await get(app, `/users/${people.viewer.id}?at=${at}`, headers);
  const page = pageOf(answer);
  expect([answer.statusCode, page.title]).toEqual([422, 'Error: vera · Roster']);
  expect([page.errorOf('at'), page.link(sentence)]).toEqual([`Error: ${sentence}`, '#at']);
  expect([page.input('at').max, page.isOpen('As of another day')]).toEqual(['2100-11-29', true]);
});

test('as of a wrong day nobody is shown who is deleted either: their page says so', async () => {
  const { app, people, send } = await start();
  const max = await addUser(app.db, { username: 'max' }, NOW);
  await send('admin', `/users/${max.id}/delete`, {});
  const headers = await signedIn(app, people.editor);
  const page = pageOf(await get(app, `/users/${max.id}?at=soon`, headers));
  expect(page.title).toBe('Error: max is deleted · Roster');
  expect(page.notices).toEqual(['“soon” is no time: it can be 2026-01-31 or 2026-01-31T14:00Z.']);
});

test('as of today a user is as they are now, and that is said', async () => {
  const { app, read } = await start();
  const { id } = await addUser(app.db, { username: 'max' }, NOW - 2 * DAY);
  expect((await read('viewer', `/users/${id}?at=2100-11-28`)).notices).toEqual([
    'That day is not over yet: this is how it is now.',
  ]);
  expect((await read('viewer', `/users/${id}?at=2100-11-27`)).notices).toEqual([
    'This is how it was then, and may not be how it is now.',
  ]);
});

test('what was done earlier and on another day leads back to the list that one came from, and to the newest', async () => {
  const { app, clock, read, send } = await start();
  const max = await addUser(app.db, { username: 'max' }, NOW);
  for (let version = 1; version <= 12; version++) {
    clock.move(HOUR);
    await send('editor', `/users/${max.id}`, { full_name: `Max ${version}`, version: String(version) });
  }
  const page = await read('viewer', `/users/${max.id}?from=sort%3D-id`);
  expect(page.links.map(({ text }) => text)).not.toContain('Newest');
  const earlier = await read('viewer', page.link('Earlier'));
  expect(earlier.link('All users')).toBe('/users?sort=-id');
  expect(earlier.link('Newest')).toBe(`/users/${max.id}?from=sort%3D-id#activity`);
  const asking = earlier.form('Show as of this day');
  const query = new URLSearchParams({ from: asking.field('from'), at: '2100-11-28' });
  const then = await read('viewer', `${asking.action}?${query}`);
  expect(then.main.link('Max 12')).toBe(`/users/${max.id}?from=sort%3D-id`);
});

test('a page about a change is called what its heading says', async () => {
  const { app, read, send } = await start();
  const max = await addUser(app.db, { username: 'max', full_name: 'Max Power' }, NOW);
  await send('admin', `/users/${max.id}`, { is_active: '0' });
  const set = await read('admin', (await read('admin', '/history')).link('Deactivated'));
  expect([set.title, set.heading]).toEqual(['Deactivated max · Roster', 'Deactivated max']);
  const path = (await read('admin', '/history')).form('Undo: Deactivated max').action;
  const undo = await read('admin', path);
  expect([undo.title, undo.heading]).toEqual(['Undo: Deactivated max · Roster', 'Undo: Deactivated max']);
  const then = await read('admin', `/users/${max.id}?at=2100-11-28`);
  expect(then.title).toBe(`${then.heading} · Roster`);
  await send('admin', `/users/${max.id}/delete`, {});
  const gone = await read('admin', `/users/${max.id}`);
  expect([gone.title, gone.heading]).toEqual(['Max Power is deleted · Roster', 'Max Power is deleted']);
});

test('the page of a user asks for a day to show them as of, and from there one goes back', async () => {
  const { people, read } = await start();
  const path = `/users/${people.viewer.id}`;
  const form = (await read('viewer', path)).form('Show as of this day');
  expect([form.method, form.action, form.input('at').type]).toEqual(['get', path, 'date']);
  const then = await read('viewer', `${form.action}?at=2100-11-28`);
  expect(then.main.link('vera')).toBe(path);
});

describe('everyone’s history', () => {
  test('is a page for all who read, without what an editor may not see', async () => {
    const { app, people, read, send } = await start();
    const max = await addUser(app.db, { username: 'max' }, NOW);
    await send('editor', `/users/${max.id}`, { is_active: '0', version: '1' });
    await send('admin', `/users/${people.editor.id}/invitation`, {});
    await send('editor', `/users/${max.id}/delete`, {});
    const admin = (await read('admin', '/history')).text;
    expect(admin).toMatch(
      /28 Nov 2100 17:00 emil Deleted max 1 Undo: Deleted max 17:00 ann Created an access link for emil 1 17:00 emil Deactivated max 1 Undo: Deactivated max 17:00 The command line Created max 1/,
    );
    const page = await read('viewer', '/history');
    const viewer = page.text;
    expect(viewer).toContain(`emil Deleted user ${max.id} 1 17:00 emil Deactivated user ${max.id} 1`);
    expect(viewer).not.toMatch(/access link|max/);
    const set = await read('viewer', page.links.find(({ text }) => text === 'Deactivated')?.href ?? '');
    expect(set.text).not.toMatch(/max|Active/);
    const rest = (await read('viewer', '/history?kind=access')).text;
    expect(rest).toContain('Nothing like that was done');
  });

  test('says with a small letter, within a sentence, by whom it was undone whom nobody can name', async () => {
    const { app, read } = await start();
    await addUser(app.db, { username: 'max' }, NOW);
    await transact(app.db, async (trx) => {
      const created = await trx
        .selectFrom('change_sets')
        .selectAll()
        .orderBy('id', 'desc')
        .executeTakeFirstOrThrow();
      await undoChangeSet(trx, commandLine, created, undefined, NOW);
    });
    expect((await read('admin', '/history')).text).toContain(
      'Created max 1 Undone by somebody at this machine',
    );
  });

  test('shows everyone what was done to their own access, among all else and by itself, and nobody else’s', async () => {
    const { people, read, send } = await start();
    const { id } = people.viewer;
    await send('admin', `/users/${id}/invitation`, {});
    await send('admin', `/users/${people.editor.id}/invitation`, {});
    await send('admin', `/users/${id}`, { role: 'editor', version: '1' });
    await send('admin', `/users/${id}`, { role: 'viewer', full_name: 'Vera V', version: '2' });
    const own = ['Changed the role of vera', 'Changed the role of vera', 'Created an access link for vera'];
    for (const query of ['kind=access', 'kind=access&user=vera', 'kind=access&by=ann'])
      expect(doneOn(await read('viewer', `/history?${query}`)), query).toEqual(own);
    const both = ['Changed the full name and role of vera', ...own.slice(1)];
    expect(doneOn(await read('viewer', '/history')).slice(0, 3)).toEqual(both);
    const others = ['user=emil', 'by=emil'].map((query) => read('viewer', `/history?kind=access&${query}`));
    for (const page of await Promise.all(others)) expect(page.text).toContain('Nothing like that was done');
    const editor = doneOn(await read('editor', '/history')).slice(0, 2);
    expect(editor).toEqual(['Changed the full name of vera', 'Created an access link for emil']);
  });

  test.each(['access', 'changed'] as const)(
    'of several whose role was changed in one act of kind %s shows each their own',
    async (kind) => {
      const { app, people, read } = await start();
      const { id, username } = people.admin;
      const admin: Actor = { ...commandLine, user: { id, username }, role: 'admin', via: 'form' };
      await transact(app.db, (trx) =>
        inOneSet(trx, admin, { at: NOW, kind }, async (many) => {
          await changeUser(trx, many, people.viewer.id, { role: 'editor' }, NOW);
          await changeUser(trx, many, people.editor.id, { role: 'viewer' }, NOW);
        }),
      );
      const own = 'Changed the role of vera';
      expect(doneOn(await read('viewer', '/history?kind=access'))).toEqual([own]);
      const theirs = kind === 'access' ? [`/users/${people.viewer.id}`] : [];
      for (const path of ['/history?kind=access', '/history?kind=access&user=vera', ...theirs]) {
        const link = (await read('viewer', path)).links.find(({ text }) => /^changed the role$/i.test(text));
        const set = await read('viewer', link?.href ?? path);
        expect(set.heading, path).toBe('Changed the role of vera');
      }
      expect(doneOn(await read('viewer', '/history')).includes(own)).toBe(kind === 'access');
      expect((await read('viewer', `/users/${people.viewer.id}`)).text).toContain('Role was Viewer Editor');
      const seenByAnn = (await read('admin', `/users/${people.viewer.id}`)).text;
      expect(seenByAnn).toContain('Role was Viewer Editor');
      expect(seenByAnn).not.toMatch(/ann changed the role (?!of 2 users)/);
      expect((await read('viewer', '/history?kind=access&user=emil')).text).toContain(
        'Nothing like that was done',
      );
      const both = ['Changed the role of 2 users'];
      const byKind = { access: both, changed: ['Changed the role of emil', own] };
      expect(doneOn(await read('admin', '/history?kind=access'))).toEqual(byKind[kind]);
      expect(doneOn(await read('admin', '/history?kind=access&user=vera'))).toEqual(
        kind === 'access' ? both : [own],
      );
      expect(
        doneOn(await read('admin', '/history')).filter((what) => /role|2 users/.test(what)),
      ).toHaveLength(1);
    },
  );

  test('says how many it was done to, and of those who were created how', async () => {
    const { app, read, send } = await start();
    await seedUsers(app.db, 1234);
    await send('editor', '/users', { username: 'max', email: 'max@example.org' });
    await send('admin', '/roles', { viewer: '1', before: '' });
    const page = await read('admin', '/history');
    expect(page.column('Users').filter((count) => count !== '')).toEqual(['–', '1', '1,234', '1', '1', '1']);
    expect(page.text).toContain('emil Created max, by form 1');
    const user = await read('editor', page.link('max'));
    expect(user.text).toMatch(/Activity emil created this user, by form just now /);
  });

  test.each([
    ['kind=deleted', ['Deleted max']],
    ['by=emil', ['Deleted max', 'Changed the full name of max']],
    ['by=emil&kind=changed', ['Changed the full name of max']],
    ['user=MAX', ['Deleted max', 'Changed the full name of max', 'Created max']],
    ['user=5', ['Deleted max', 'Changed the full name of max', 'Created max']],
    ['user=5&from=2100-11-28&to=2100-11-28', ['Deleted max', 'Changed the full name of max']],
    ['from=2100-11-29', []],
    ['to=2100-11-26&user=5', ['Created max']],
  ])('of %s says %j', async (query, expected) => {
    const { app, read, send } = await start();
    await addUser(app.db, { username: 'x' }, NOW);
    const max = await addUser(app.db, { username: 'max' }, NOW - 2 * DAY);
    expect(max.id).toBe(5);
    await send('editor', '/users/5', { full_name: 'Max', version: '1' });
    await send('editor', '/users/5/delete', {});
    const page = await read('admin', `/history?${query}`);
    expect(expected.length > 0 ? doneOn(page) : page.text).toEqual(
      expected.length > 0 ? expected : expect.stringContaining('Nothing like that was done'),
    );
  });

  test('of somebody who is looked for by their name is not said to be nothing, and their username is a click away', async () => {
    const { app, read } = await start();
    await addUser(app.db, { username: 'bob', full_name: 'Bob Bee' }, NOW);
    const page = await read('editor', '/history?by=Bob+Bee');
    expect(page.notices).toEqual(['Nobody has the username Bob Bee.']);
    expect(page.text).not.toContain('Nothing like that was done');
    expect(page.text).toContain('People are found here by their username, or their number.');
    expect((await read('editor', page.link('Bob Bee'))).text).toContain('bob');
  });

  test('of two whom nobody is called has a link for each, and one where both are the same', async () => {
    const { read } = await start();
    const page = await read('editor', '/history?user=Bob+Bee&by=Ann+Lee');
    expect(page.notices).toEqual(['Nobody has the username Bob Bee. Nobody has the username Ann Lee.']);
    expect(page.text).toContain('Look for Bob Bee or Ann Lee among the users');
    expect([page.main.link('Bob Bee'), page.main.link('Ann Lee')]).toEqual([
      '/users?q=Bob+Bee',
      '/users?q=Ann+Lee',
    ]);
    const same = await read('editor', '/history?user=Bob+Bee&by=Bob+Bee');
    expect(same.notices).toEqual(['Nobody has the username Bob Bee.']);
    expect(same.text).toContain('Look for Bob Bee among the users');
  });

  test('of days in the wrong order is told as such', async () => {
    const { read } = await start();
    expect((await read('editor', '/history?from=2100-11-28&to=2100-11-01')).notices).toEqual([
      'Nothing was done between these dates: the first is after the second.',
    ]);
  });

  test('of somebody who is deleted is found by their username, of several the last, by those who may know', async () => {
    const { app, read, send } = await start();
    for (const id of [4, 5]) {
      expect((await addUser(app.db, { username: 'bob' }, NOW)).id).toBe(id);
      await send('admin', `/users/${id}/delete`, {});
    }
    const found = await read('editor', '/history?user=bob');
    expect(found.links.filter(({ href }) => href.startsWith('/users/')).map(({ href }) => href)).toContain(
      '/users/5',
    );
    expect([doneOn(found), found.notices]).toEqual([['Deleted bob', 'Created bob'], []]);
    const hidden = await read('viewer', '/history?user=bob');
    expect(hidden.notices).toEqual([
      'Nobody has the username bob. Whoever is deleted is found by their number.',
    ]);
    expect((await read('editor', '/history?user=rob')).notices).toEqual(['Nobody has the username rob.']);
    const there = await addUser(app.db, { username: 'bob' }, NOW);
    expect(doneOn(await read('editor', '/history?user=bob'))).toEqual(['Created bob']);
    expect(there.id).toBe(6);
  });

  test('goes on from where it is, back and forth, and each leads to what it was', async () => {
    const { app, read } = await start();
    for (let user = 1; user <= 120; user++) await addUser(app.db, { username: `u${user}` }, NOW + (user % 3));
    const first = await read('viewer', '/history?kind=created');
    const seen = [...doneOn(first)];
    let page = first;
    while (page.links.some(({ text }) => text === 'Older')) {
      page = await read('viewer', page.link('Older'));
      seen.push(...doneOn(page));
    }
    // With the three who are there from the start.
    expect([seen.length, new Set(seen).size]).toEqual([123, 123]);
    const back = await read('viewer', page.link('Newer'));
    expect(doneOn(back)).toEqual(seen.slice(50, 100));
    const set = await read('viewer', first.links.find(({ href }) => /^\/history\/\d/.test(href))?.href ?? '');
    expect(set.text).toMatch(/Created u119 The command line, 28 November 2100, 17:00 UTC/);
  });
});

describe('a deleted user', () => {
  async function startDeleted(role: Role = 'member') {
    const started = await start();
    const { app, send } = started;
    const gone = await addPerson(app.db, 'max', role, { full_name: 'Max Power' });
    await send('admin', `/users/${gone.id}/delete`, {});
    return { ...started, gone, path: `/users/${gone.id}` };
  }

  test('is told to those who may know who it was, and is nobody to all others', async () => {
    const { app, people, path } = await startDeleted();
    const answer = await get(app, path, await signedIn(app, people.editor));
    expect(answer.statusCode).toBe(404);
    expect(pageOf(answer).text).toMatch(
      /Max Power is deleted ann deleted this user just now.*max@example\.org/,
    );
    const hidden = await get(app, path, await signedIn(app, people.viewer));
    expect([hidden.statusCode, pageOf(hidden).text]).toEqual([
      404,
      expect.stringContaining('There is no user 4.'),
    ]);
    expect(hidden.body).not.toContain('Power');
  });

  test('comes back with number and values, but without what they signed in with', async () => {
    const { app, gone, path, read, send } = await startDeleted('editor');
    const answer = await send('admin', `${path}/restore`, {});
    expect([answer.statusCode, answer.headers.location, answer.body]).toEqual([
      303,
      path,
      'User max is back!\n',
    ]);
    const page = await read('admin', path);
    expect(page.text).toContain('Password Not set');
    expect(page.text).toMatch(
      /ann brought back this user just now Undo: Brought back this user ann deleted this user just now Undo: Deleted this user/,
    );
    const row = await app.db
      .selectFrom('users')
      .selectAll()
      .where('id', '=', gone.id)
      .executeTakeFirstOrThrow();
    expect(row).toMatchObject({ ...gone, version: 3, updated_at: NOW });
    expect((await send('admin', `${path}/restore`, {})).body).toBe('User max was there already!\n');
    expect((await read('viewer', '/users?q=power')).column('User')).toEqual(['Max Power max']);
  });

  test('who had a role is brought back by administrators alone', async () => {
    const { path, read, send } = await startDeleted('viewer');
    expect((await send('editor', `${path}/restore`, {})).statusCode).toBe(403);
    expect((await read('editor', path)).buttons).not.toContain('Bring back');
  });

  test('whose name is taken by now stays deleted, and it is said by whom', async () => {
    const { app, path, send } = await startDeleted();
    await addUser(app.db, { username: 'MAX', email: 'x@example.org' });
    const answer = await send('editor', `${path}/restore`, {});
    expect(answer.statusCode).toBe(422);
    expect(pageOf(answer).text).toContain('That username already belongs to MAX.');
    expect(pageOf(answer).text).toContain('Max Power is deleted');
  });

  test('is deleted once more by nobody', async () => {
    const { path, send } = await startDeleted();
    for (const who of ['admin', 'editor'] as const)
      expect((await send(who, `${path}/delete`, {})).statusCode).toBe(404);
  });
});
