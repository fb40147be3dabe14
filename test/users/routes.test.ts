import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { countByStatus, findUser } from '../../src/users/queries.ts';
import { addUser, addUsers, fieldValue, get, post, startApp, temporaryFolder, textOf } from '../support.ts';

/** Every row of every table, the schema and SQLite's own included. */
function dump(path: string): unknown {
  const db = new Sqlite(path, { readonly: true });
  const tables = db.prepare("select name from sqlite_schema where type = 'table'").pluck().all();
  const rows = ['sqlite_schema', ...tables].map((table) => [
    table,
    db.prepare(`select * from ${table}`).all(),
  ]);
  db.close();
  return rows;
}

function alphabet(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `user${String(index + 1).padStart(3, '0')}`);
}

describe('creating a user', () => {
  test.each(['/users', '/add_user'])('by %s leads to their page and says so there, once', async (address) => {
    const app = await startApp();
    const created = await post(app, address, {
      username: 'alice',
      email: 'alice@example.org',
      full_name: 'Alice Liddell',
      is_active: '0',
    });
    expect(created.statusCode).toBe(303);
    expect(created.headers.location).toBe('/users/1');
    expect(created.body).toBe('User alice created!\n');
    const cookie = String(created.headers['set-cookie']).split(';')[0];
    const page = await get(app, '/users/1', { cookie });
    expect(textOf(page.body)).toContain('User alice created!');
    expect(textOf(page.body)).toMatch(/Alice Liddell.*alice.*Inactive/);
    expect(page.headers['set-cookie']).toContain('Max-Age=0');
    expect(textOf((await get(app, '/users/1')).body)).not.toContain('created!');
  });

  test('needs no more than a username and an email', async () => {
    const app = await startApp();
    await post(app, '/users', { username: 'alice', email: 'alice@example.org' });
    expect(await findUser(app.db, 1)).toMatchObject({ is_active: true, full_name: null, version: 1 });
  });

  test('with mistakes shows all of them and keeps what was typed', async () => {
    const app = await startApp();
    await addUser(app.db, { username: 'bob', email: 'bob@example.org' });
    const page = await post(app, '/users', {
      username: 'no spaces <here>',
      email: 'BOB@example.org',
      full_name: '"Q" & co',
      is_active: 'off',
    });
    expect(page.statusCode).toBe(422);
    expect(page.body).toContain('<title>Error: New user · Roster</title>');
    const text = textOf(page.body);
    expect(text).toContain('There are 2 problems');
    expect(text).toContain('Use only letters, digits and . _ - + in the username.');
    expect(text).toContain('That email already belongs to bob.');
    expect(fieldValue(page.body, 'username')).toBe('no spaces <here>');
    expect(fieldValue(page.body, 'email')).toBe('BOB@example.org');
    expect(fieldValue(page.body, 'full_name')).toBe('"Q" & co');
    expect(page.body).toMatch(/value="0" checked/);
    expect(await countByStatus(app.db)).toEqual({ active: 1, inactive: 0 });
  });

  test('with a username and an email that are taken names both who have them', async () => {
    const app = await startApp();
    await addUsers(app.db, ['alice', 'bob']);
    const page = await post(app, '/users', { username: 'ＡLICE', email: 'bob@EXAMPLE.org' });
    expect(page.statusCode).toBe(422);
    expect(textOf(page.body)).toContain('That username already belongs to alice.');
    expect(textOf(page.body)).toContain('That email already belongs to bob.');
  });

  test('twice at once makes one user; the other request is told', async () => {
    const app = await startApp();
    const alice = (email: string) => post(app, '/users', { username: 'alice', email });
    const answers = await Promise.all([
      alice('a@example.org'),
      alice('b@example.org'),
      alice('c@example.org'),
    ]);
    expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([303, 422, 422]);
    expect(await countByStatus(app.db)).toEqual({ active: 1, inactive: 0 });
  });
});

describe('reading', () => {
  test('the front door leads to the list', async () => {
    const app = await startApp();
    expect((await get(app, '/')).headers.location).toBe('/users');
    expect((await get(app, '/users/')).statusCode).toBe(200);
  });

  test('an empty list says how to add the first user', async () => {
    const app = await startApp();
    const page = await get(app, '/users');
    expect(page.statusCode).toBe(200);
    expect(textOf(page.body)).toContain('Add the first user');
  });

  test('a search without a match says so and leads back to everyone', async () => {
    const app = await startApp();
    await addUser(app.db, { username: 'alice' });
    const page = await get(app, '/users?status=inactive');
    expect(page.statusCode).toBe(200);
    expect(textOf(page.body)).toContain('Showing inactive users. Show all users');
    expect(textOf(page.body)).toContain('Nobody matches');
  });

  test('the list shows who was asked for, in the order asked for', async () => {
    const app = await startApp();
    await addUser(app.db, { username: 'zoe' });
    await addUser(app.db, { username: 'adam' });
    await addUser(app.db, { username: 'gone', is_active: false });
    const text = textOf((await get(app, '/users?status=active&sort=username')).body);
    expect(text).toMatch(/All 3 Active 2 Inactive 1/);
    expect(text).toMatch(/adam .*zoe .*Showing 1–2 of 2/);
    expect(text).not.toContain('gone');
  });

  test('what means nothing in the address is ignored with a notice', async () => {
    const app = await startApp();
    await addUser(app.db, { username: 'alice' });
    const page = await get(app, '/users?sort=shoe_size&per_page=7&x=<b>&status=%3Cb%3E');
    expect(page.statusCode).toBe(200);
    expect(textOf(page.body)).toContain('sort=shoe_size was ignored: it can be id, username, email, created');
    expect(textOf(page.body)).toContain('status=<b> was ignored');
    expect(page.body).not.toContain('<b>');
  });

  test('a user is found by username, however it is typed', async () => {
    const app = await startApp();
    await addUser(app.db, { username: 'Straße' });
    expect((await get(app, '/users/by-username/STRASSE')).headers.location).toBe('/users/1');
    const missing = await get(app, `/users/by-username/${encodeURIComponent('<i>')}`);
    expect(missing.statusCode).toBe(404);
    expect(textOf(missing.body)).toContain('There is no user called <i>.');
    const longest = encodeURIComponent('𠮷'.repeat(64));
    expect((await get(app, `/users/by-username/${longest}`)).statusCode).toBe(404);
  });
});

test('a form of filters with empty fields leads to the short address', async () => {
  const app = await startApp();
  await addUser(app.db, { username: 'alice' });
  const answer = await get(app, '/users?created_after=&created_before=2026-01-31&sort=id');
  expect(answer.headers.location).toBe('/users?created_before=2026-01-31');
});

describe('pages', () => {
  test('hold ten users and lead to their neighbours', async () => {
    const app = await startApp();
    await addUsers(app.db, alphabet(25));
    const page = await get(app, '/users?page=2');
    const text = textOf(page.body);
    expect(text).toContain('Showing 11–20 of 25');
    expect(text).toMatch(/user011 .*user020 /);
    expect(text).not.toContain('user010');
    expect(page.body).toContain('<a rel="prev" href="/users">Previous</a>');
    expect(page.body).toContain('<a rel="next" href="/users?page=3">Next</a>');
    expect(textOf((await get(app, '/users?page=3')).body)).toContain('Showing 21–25 of 25');
  });

  test('keep every other known parameter in their links', async () => {
    const app = await startApp();
    await addUsers(app.db, alphabet(25));
    const page = await get(
      app,
      '/users?page=2&per_page=5&sort=-username&status=active&created_after=2020-01-01&x=y',
    );
    expect(page.body).toContain(
      'rel="next" href="/users?status=active&amp;created_after=2020-01-01&amp;sort=-username&amp;per_page=5&amp;page=3"',
    );
  });

  test('that have become fewer are not led back to', async () => {
    const app = await startApp();
    await addUsers(app.db, alphabet(11));
    await post(app, '/users/11', { is_active: '0' });
    const from = encodeURIComponent('status=active&page=2');
    expect((await get(app, `/users/11?from=${from}`)).body).toContain(
      '<a href="/users?status=active">Back to the list</a>',
    );
  });

  test.each(['abc', '1.5', '', '1e3'])('page=%s is page 1', async (page) => {
    const app = await startApp();
    await addUsers(app.db, alphabet(11));
    expect(textOf((await get(app, `/users?page=${page}`)).body)).toContain('Showing 1–10 of 11');
  });

  test.each(['0', '-1', '3', '99999999999999999999'])(
    'page=%s is not found, and leads to the last page',
    async (page) => {
      const app = await startApp();
      await addUsers(app.db, alphabet(11));
      const answer = await get(app, `/users?page=${page}&sort=email`);
      expect(answer.statusCode).toBe(404);
      expect(textOf(answer.body)).toContain('The list ends at page 2.');
      expect(answer.body).toContain('href="/users?sort=email&amp;page=2"');
    },
  );

  test('page 1 of nothing exists, page 2 does not', async () => {
    const app = await startApp();
    expect((await get(app, '/users?page=1')).statusCode).toBe(200);
    expect((await get(app, '/users?page=2')).statusCode).toBe(404);
  });
});

describe('updating a user', () => {
  test.each(['/users/1', '/update_user/1'])(
    'by %s changes what is sent and leaves the rest',
    async (address) => {
      const app = await startApp();
      await addUser(app.db, { username: 'alice', full_name: 'Alice' });
      const answer = await post(app, address, { email: 'new@example.org' });
      expect(answer.statusCode).toBe(303);
      expect(answer.headers.location).toBe('/users/1');
      expect(answer.body).toBe('User alice updated!\n');
      expect(await findUser(app.db, 1)).toMatchObject({
        username: 'alice',
        full_name: 'Alice',
        email: 'new@example.org',
      });
    },
  );

  test('the form is filled with the user as it is', async () => {
    const app = await startApp();
    await addUser(app.db, { username: 'alice', full_name: 'A "B" <C>', is_active: false });
    const page = await get(app, '/users/1/edit');
    expect(fieldValue(page.body, 'username')).toBe('alice');
    expect(fieldValue(page.body, 'full_name')).toBe('A "B" <C>');
    expect(fieldValue(page.body, 'version')).toBe('1');
    expect(page.body).toMatch(/value="0" checked/);
  });

  test('with a taken email shows the error and keeps what was typed', async () => {
    const app = await startApp();
    await addUsers(app.db, ['alice', 'bob']);
    const page = await post(app, '/users/1', { username: 'Alicia', email: 'bob@example.org', version: '1' });
    expect(page.statusCode).toBe(422);
    expect(textOf(page.body)).toContain('That email already belongs to bob.');
    expect(fieldValue(page.body, 'username')).toBe('Alicia');
    expect(fieldValue(page.body, 'version')).toBe('1');
    expect(await findUser(app.db, 1)).toMatchObject({ username: 'alice', version: 1 });
  });

  test('to their own username in another case is no conflict', async () => {
    const app = await startApp();
    await addUser(app.db, { username: 'alice' });
    expect((await post(app, '/users/1', { username: 'ALICE' })).statusCode).toBe(303);
    expect(await findUser(app.db, 1)).toMatchObject({ username: 'ALICE' });
  });

  test('that somebody changed since shows both versions, writes nothing, and can be sent again', async () => {
    const app = await startApp();
    await addUser(app.db, { username: 'alice', full_name: 'Alice' });
    await post(app, '/users/1', { email: 'theirs@example.org', is_active: '0', version: '1' });
    const mine = {
      username: 'alice',
      email: 'mine@example.org',
      full_name: 'Alice L.',
      is_active: '1',
      version: '1',
    };
    const page = await post(app, '/users/1', mine);
    expect(page.statusCode).toBe(409);
    const text = textOf(page.body);
    expect(text).toContain('This user was changed while you were editing');
    expect(text).toContain('There now: theirs@example.org');
    expect(text).toContain('There now: Alice');
    expect(text).toContain('There now: Inactive');
    expect(fieldValue(page.body, 'email')).toBe('mine@example.org');
    expect(fieldValue(page.body, 'full_name')).toBe('Alice L.');
    expect(page.body).toMatch(/value="1" id="is_active" checked/);
    expect(await findUser(app.db, 1)).toMatchObject({ email: 'theirs@example.org', version: 2 });

    const wrong = await post(app, '/users/1', { ...mine, username: 'a b' });
    expect(wrong.statusCode).toBe(422);
    expect(textOf(wrong.body)).toMatch(
      /There is a problem.*changed while you were editing.*There now: theirs@example.org/,
    );

    const version = fieldValue(page.body, 'version') ?? '';
    expect((await post(app, '/users/1', { ...mine, version })).statusCode).toBe(303);
    expect(await findUser(app.db, 1)).toMatchObject({
      email: 'mine@example.org',
      full_name: 'Alice L.',
      version: 3,
    });
  });

  test('by two people at once lets one through and tells the other', async () => {
    const app = await startApp();
    await addUser(app.db, { username: 'alice' });
    const save = (full_name: string) => post(app, '/users/1', { full_name, version: '1' });
    const answers = await Promise.all([save('One'), save('Two')]);
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([303, 409]);
    expect(await findUser(app.db, 1)).toMatchObject({ full_name: 'One', version: 2 });
  });

  test('twice with the same form, as by a double click, is one change and no conflict', async () => {
    const app = await startApp();
    await addUser(app.db, { username: 'alice' });
    const save = () => post(app, '/users/1', { full_name: 'Alice', version: '1' });
    const answers = [await save(), await save()];
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([303, 303]);
    expect(await findUser(app.db, 1)).toMatchObject({ full_name: 'Alice', version: 2 });
  });

  test('who is gone says that nothing was changed', async () => {
    const page = await post(await startApp(), '/users/1', { full_name: 'Alice' });
    expect(page.statusCode).toBe(404);
    expect(textOf(page.body)).toContain(
      'There is no user 1. Nothing was changed; what you typed is one step back.',
    );
  });

  test('without a version is taken as it is', async () => {
    const app = await startApp();
    await addUser(app.db, { username: 'alice' });
    await post(app, '/users/1', { full_name: 'One' });
    expect((await post(app, '/users/1', { full_name: 'Two' })).statusCode).toBe(303);
  });

  test.each(['x', '', '0', '1.5'])('with version=%j is a form that we did not make', async (version) => {
    const app = await startApp();
    await addUser(app.db, { username: 'alice' });
    expect((await post(app, '/users/1', { full_name: 'x', version })).statusCode).toBe(400);
  });
});

describe('deleting a user', () => {
  test('asks first, and says who', async () => {
    const app = await startApp();
    await addUser(app.db, { username: 'alice', full_name: 'Alice Liddell' });
    const page = await get(app, '/users/1/delete');
    expect(textOf(page.body)).toMatch(/Delete alice \?.*Alice Liddell.*Delete user/);
    expect(await findUser(app.db, 1)).toBeDefined();
  });

  test.each(['/users/1/delete', '/delete_user/1'])('by %s leads to the list and says so', async (address) => {
    const app = await startApp();
    await addUser(app.db, { username: 'alice' });
    const answer = await post(app, address);
    expect(answer.statusCode).toBe(303);
    expect(answer.headers.location).toBe('/users');
    expect(answer.body).toBe('User alice deleted!\n');
    expect(await findUser(app.db, 1)).toBeUndefined();
    expect((await post(app, address)).statusCode).toBe(404);
  });

  test('needs no body at all', async () => {
    const app = await startApp();
    await addUser(app.db, { username: 'alice' });
    const answer = await app.inject({
      method: 'POST',
      url: '/users/1/delete',
      headers: { host: 'localhost' },
    });
    expect(answer.statusCode).toBe(303);
  });

  test('leads back to the page of the list that the person came from, or the nearest there still is', async () => {
    const app = await startApp();
    await addUsers(app.db, alphabet(21));
    const list = await get(app, '/users?page=3&sort=username');
    const link = /href="(\/users\/21\?[^"]*)"/.exec(list.body)?.[1]?.replaceAll('&amp;', '&') ?? '';
    const user = await get(app, link);
    const asking = /href="(\/users\/21\/delete[^"]*)"/.exec(user.body)?.[1] ?? '';
    const action = /action="(\/users\/21\/delete[^"]*)"/.exec((await get(app, asking)).body)?.[1] ?? '';
    expect((await post(app, action)).headers.location).toBe('/users?sort=username&page=2');
    const from = encodeURIComponent('page=2&sort=username');
    expect((await post(app, `/users/5/delete?from=${from}`)).headers.location).toBe(
      '/users?sort=username&page=2',
    );
    const evil = await post(app, '/users/6/delete?from=//evil.example');
    expect(evil.headers.location).toBe('/users');
  });
});

describe('what is no user', () => {
  const ids = [
    '9'.repeat(900),
    '-1',
    '0',
    'abc',
    '0x10',
    '1e3',
    '9007199254740993',
    '99999999999999999999',
    '2',
    '01',
    '1%20',
    '%00',
  ];
  const pages = [
    '/users/:id',
    '/users/:id/edit',
    '/users/:id/delete',
    '/update_user/:id',
    '/delete_user/:id',
  ];
  const actions = ['/users/:id', '/users/:id/delete', '/update_user/:id', '/delete_user/:id'];

  test.each(ids)('%s is not found anywhere', async (id) => {
    const app = await startApp();
    await addUser(app.db, { username: 'alice' });
    for (const page of pages) expect((await get(app, page.replace(':id', id))).statusCode).toBe(404);
    for (const action of actions) {
      const answer = await post(app, action.replace(':id', id), {});
      expect(answer.statusCode).toBe(404);
      expect(textOf(answer.body)).toContain('There is no user');
    }
    expect(await findUser(app.db, 1)).toMatchObject({ version: 1 });
  });

  test('by the addresses of the first specification, the form of who is a user is found', async () => {
    const app = await startApp();
    await addUser(app.db, { username: 'alice' });
    expect((await get(app, '/add_user')).headers.location).toBe('/users/new');
    expect((await get(app, '/update_user/1')).headers.location).toBe('/users/1/edit');
    expect((await get(app, '/delete_user/1')).headers.location).toBe('/users/1/delete');
  });
});

describe('one request, one transaction', () => {
  test.each([
    ['/users', { username: 'bob', email: 'bob@example.org' }],
    ['/users/1', { username: 'bob', is_active: '0' }],
    ['/users/1/delete', {}],
  ])(
    'a failure after the first write of %s leaves the database as it was, and the page says so',
    async (address, fields) => {
      const path = join(temporaryFolder(), 'roster.db');
      const app = await startApp({}, path);
      await addUser(app.db, { username: 'alice' });
      await app.db
        .transaction()
        .execute((trx) =>
          sql`create trigger broken before update on user_counts begin select raise(abort, 'broken'); end`.execute(
            trx,
          ),
        );
      const before = dump(path);
      const page = await post(app, address, fields);
      expect(page.statusCode).toBe(500);
      expect(textOf(page.body)).toContain('Nothing was changed');
      expect(page.body).not.toContain('broken');
      expect(dump(path)).toEqual(before);
    },
  );
});
