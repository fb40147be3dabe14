import { describe, expect, test } from 'vitest';
import { findUser } from '../../src/users/queries.ts';
import { addUser, addUsers, get, post, startApp, textOf } from '../support.ts';

function alphabet(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `user${String(index + 1).padStart(3, '0')}`);
}

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
    expect(page.body).toContain('<a rel="prev" href="/users?page=1&amp;before=id.11">Previous</a>');
    expect(page.body).toContain('<a rel="next" href="/users?page=3&amp;after=id.20">Next</a>');
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
      'rel="next" href="/users?status=active&amp;created_after=2020-01-01&amp;sort=-username&amp;per_page=5&amp;page=3&amp;after=-username.16.user016"',
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

  test.each(['abc', '1.5', '1e3'])('page=%s is page 1, and says so beside what was typed', async (page) => {
    const app = await startApp();
    await addUsers(app.db, alphabet(11));
    const { body } = await get(app, `/users?page=${page}&per_page=1`);
    expect(textOf(body)).toContain('Showing 1–1 of 11');
    expect(textOf(body)).toContain(`“${page}” is no page number, so this is the first page.`);
    expect(body).toMatch(new RegExp(`<input name="page"[^>]* value="${page}" aria-invalid="true">`));
    expect((await get(app, '/users?page=2&per_page=1')).body).toMatch(/<input name="page"[^>]* required>/);
  });

  test.each(['0', '-1'])('page=%s is not found, and leads to the first page', async (page) => {
    const app = await startApp();
    await addUsers(app.db, alphabet(11));
    const answer = await get(app, `/users?page=${page}&sort=email`);
    expect(answer.statusCode).toBe(404);
    expect(textOf(answer.body)).toContain('The first page is page 1.');
    expect(answer.body).toContain('<a class="button" href="/users?sort=email">Go to page 1</a>');
  });

  test.each(['3', '1,200', '99999999999999999999'])(
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
