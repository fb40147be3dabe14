import { describe, expect, test } from 'vitest';
import { breakCounts, dump } from '../engines.ts';
import { pageOf } from '../page.ts';
import { addUser, post, startApp } from '../support.ts';

describe('a change that fails halfway', () => {
  test.each([
    ['/users', { username: 'bob', email: 'bob@example.org' }],
    ['/users/1', { username: 'bob', is_active: '0' }],
    ['/users/1/delete', {}],
  ])('by %s leaves everything as it was, and the page says so', async (address, fields) => {
    const app = await startApp();
    await addUser(app.db, { username: 'alice' });
    await breakCounts(app.db);
    const before = await dump(app.db);
    const page = await post(app, address, fields);
    expect(page.statusCode).toBe(500);
    expect(pageOf(page).text).toContain('Nothing was changed');
    expect(page.body).not.toContain('broken');
    expect(await dump(app.db)).toEqual(before);
  });
});
