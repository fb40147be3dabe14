import { describe, expect, test } from 'vitest';
import { findUser } from '../../src/users/queries.ts';
import { pageOf } from '../page.ts';
import { addUser, addUsers, get, post, startApp } from '../support.ts';

function alphabet(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `user${String(index + 1).padStart(3, '0')}`);
}

describe('deleting a user', () => {
  test('asks first, and says who', async () => {
    const app = await startApp();
    await addUser(app.db, { username: 'alice', full_name: 'Alice Liddell' });
    const page = await get(app, '/users/1/delete');
    expect(pageOf(page).text).toMatch(/Delete alice\?.*Alice Liddell.*Delete user/);
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

  test('whom somebody else has deleted first shows who that was, and how to bring them back', async () => {
    const app = await startApp();
    await addUser(app.db, { username: 'alice' });
    const asking = pageOf(await get(app, '/users/1/delete')).form('Delete user');
    await post(app, '/users/1/delete');
    const late = [
      await post(app, asking.action, { version: asking.field('version') }),
      await get(app, '/users/1/delete'),
      await get(app, '/users/1/edit'),
    ];
    for (const answer of late) {
      const page = pageOf(answer);
      expect([answer.statusCode, page.heading, page.buttons]).toEqual([
        404,
        'alice is deleted',
        ['Bring back'],
      ]);
      expect(page.text).toContain('Somebody at this machine deleted this user just now.');
    }
  });

  test('needs no field at all', async () => {
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
    const list = pageOf(await get(app, '/users?page=3&sort=username'));
    const user = pageOf(await get(app, list.link('user021')));
    const asking = pageOf(await get(app, user.link('Delete…')));
    const { action } = asking.form('Delete user');
    expect((await post(app, action)).headers.location).toBe('/users?sort=username&page=2');
    const from = encodeURIComponent('page=2&sort=username');
    expect((await post(app, `/users/5/delete?from=${from}`)).headers.location).toBe(
      '/users?sort=username&page=2',
    );
    const evil = await post(app, '/users/6/delete?from=//evil.example');
    expect(evil.headers.location).toBe('/users');
  });
});
