import { describe, expect, test } from 'vitest';
import { findUser } from '../../src/users/queries.ts';
import { pageOf } from '../page.ts';
import { addUser, addUsers, get, post, startApp } from '../support.ts';

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
    expect(pageOf(page).link('Add the first user')).toBe('/users/new');
  });

  test('a search without a match says so and leads back to everyone', async () => {
    const app = await startApp();
    await addUser(app.db, { username: 'alice' });
    const page = await get(app, '/users?status=inactive');
    expect(page.statusCode).toBe(200);
    expect(pageOf(page).text).toContain('Looking for Inactive Clear all Nobody matches');
    expect(pageOf(page).chips).toEqual([{ text: 'Inactive', href: '/users' }]);
    expect(pageOf(page).link('Clear all')).toBe('/users');
  });

  test('the list shows who was asked for, in the order asked for', async () => {
    const app = await startApp();
    await addUser(app.db, { username: 'zoe' });
    await addUser(app.db, { username: 'adam' });
    await addUser(app.db, { username: 'gone', is_active: false });
    const page = pageOf(await get(app, '/users?status=active&sort=username'));
    expect(page.heading).toBe('Users 3');
    expect(page.field('status')).toBe('Active');
    expect(page.chips).toEqual([{ text: 'Active', href: '/users?sort=username' }]);
    expect(page.column('User')).toEqual(['adam', 'zoe']);
    expect(page.text).toContain('Showing 1–2 of 2');
    expect(page.text).not.toContain('gone');
  });

  test('what means nothing in the address is ignored with a notice', async () => {
    const app = await startApp();
    await addUser(app.db, { username: 'alice' });
    const page = await get(app, '/users?sort=shoe_size&per_page=7&x=<b>&status=%3Cb%3E');
    expect(page.statusCode).toBe(200);
    const said = pageOf(page).notices.join(' ');
    expect(said).toContain('sort=shoe_size was ignored: it can be id, name, username, email, created');
    expect(said).toContain('status=<b> was ignored');
    expect(page.body).not.toContain('<b>');
  });

  test('a user is found by username, however it is typed', async () => {
    const app = await startApp();
    await addUser(app.db, { username: 'Straße' });
    expect((await get(app, '/users/by-username/STRASSE')).headers.location).toBe('/users/1');
    const missing = await get(app, `/users/by-username/${encodeURIComponent('<i>')}`);
    expect(missing.statusCode).toBe(404);
    expect(pageOf(missing).text).toContain('There is no user called <i>.');
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
    const page = pageOf(await get(app, '/users?page=2'));
    expect(page.text).toContain('Showing 11–20 of 25');
    expect(page.column('User')).toEqual(alphabet(20).slice(10));
    expect(page.text).not.toContain('user010');
    expect(page.link('Previous')).toBe('/users?page=1&before=id.11');
    expect(page.link('Next')).toBe('/users?page=3&after=id.20');
    expect(pageOf(await get(app, '/users?page=3')).text).toContain('Showing 21–25 of 25');
  });

  test('keep every other known parameter in their links', async () => {
    const app = await startApp();
    await addUsers(app.db, alphabet(25));
    const page = await get(
      app,
      '/users?page=2&per_page=5&sort=-username&status=active&created_after=2020-01-01&x=y',
    );
    expect(pageOf(page).link('Next')).toBe(
      '/users?status=active&created_after=2020-01-01&sort=-username&per_page=5&page=3&after=-username.16.user016',
    );
  });

  test('that have become fewer are not led back to', async () => {
    const app = await startApp();
    await addUsers(app.db, alphabet(11));
    await post(app, '/users/11', { is_active: '0' });
    const from = encodeURIComponent('status=active&page=2');
    expect(pageOf(await get(app, `/users/11?from=${from}`)).link('Back to the list')).toBe(
      '/users?status=active',
    );
  });

  test.each(['abc', '1.5', '1e3'])('page=%s is page 1, and says so beside what was typed', async (page) => {
    const app = await startApp();
    await addUsers(app.db, alphabet(11));
    const first = pageOf(await get(app, `/users?page=${page}&per_page=1`));
    expect(first.text).toContain('Showing 1 of 11');
    expect(first.text).toContain(`“${page}” is no page number, so this is the first page.`);
    expect(first.form('Go').input('page')).toMatchObject({ value: page, 'aria-invalid': 'true' });
    const second = pageOf(await get(app, '/users?page=2&per_page=1'))
      .form('Go')
      .input('page');
    expect(second).toHaveProperty('required');
    expect(second).not.toHaveProperty('aria-invalid');
  });

  test.each(['0', '-1'])('page=%s is not found, and leads to the first page', async (page) => {
    const app = await startApp();
    await addUsers(app.db, alphabet(11));
    const answer = await get(app, `/users?page=${page}&sort=email`);
    expect(answer.statusCode).toBe(404);
    expect(pageOf(answer).text).toContain('The first page is page 1.');
    expect(pageOf(answer).link('Go to page 1')).toBe('/users?sort=email');
  });

  test.each(['3', '1,200', '99999999999999999999'])(
    'page=%s is not found, and leads to the last page',
    async (page) => {
      const app = await startApp();
      await addUsers(app.db, alphabet(11));
      const answer = await get(app, `/users?page=${page}&sort=email`);
      expect(answer.statusCode).toBe(404);
      expect(pageOf(answer).text).toContain('The list ends at page 2.');
      expect(pageOf(answer).link('Go to page 2')).toBe('/users?sort=email&page=2');
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
      expect(pageOf(answer).text).toContain('There is no user');
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
