import { describe, expect, test } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import { newToken } from '../../src/auth/tokens.ts';
import { transact } from '../../src/db/transact.ts';
import { NotUniqueError } from '../../src/errors.ts';
import { makeFirstAdministrator } from '../../src/setup/commands.ts';
import { pageOf } from '../page.ts';
import { addPerson, PASSWORD, signIn } from '../people.ts';
import { addUser, cookiesOf, get, post, readyUrl, startApp, temporaryDatabase } from '../support.ts';

const ANN = {
  username: 'ann',
  email: 'ann@example.org',
  new_password: PASSWORD,
  new_password_again: PASSWORD,
};

describe('the link in the log', () => {
  test('makes no administrator of somebody who is given that username meanwhile, with another email', async () => {
    const db = await temporaryDatabase();
    const { id } = await addUser(db, { username: 'ann', email: 'other@example.org' });
    const ann = { username: 'ann', email: 'ann@example.org', full_name: null };
    const make = (user: typeof ann) =>
      transact(db, (trx) => makeFirstAdministrator(trx, commandLine, user, '$argon2id$', 1));
    await expect(make(ann)).rejects.toThrow(NotUniqueError);
    expect(await make({ ...ann, email: 'Other@example.org' })).toMatchObject({ id, role: 'admin' });
  });

  test('makes the first administrator, and then nothing any more', async () => {
    const app = await startApp();
    const path = `/setup/${app.setupToken}`;
    const form = await get(app, path);
    expect([form.statusCode, form.headers['cache-control']]).toEqual([200, 'no-store']);
    expect(pageOf(form).text).toContain('There is no administrator yet');
    expect(pageOf(form).focused).toEqual(['username']);
    const answer = await post(app, path, { ...ANN, full_name: 'Ann Ada' });
    expect([answer.statusCode, answer.body]).toEqual([303, 'You are the administrator.\n']);
    expect((await get(app, '/users')).statusCode).toBe(303);
    const headers = { cookie: cookiesOf(answer) };
    expect((await get(app, '/roles', headers)).statusCode).toBe(200);
    expect(await signIn(app, 'ann')).toBeDefined();
    for (const again of [
      await get(app, path),
      await post(app, path, { ...ANN, username: 'eve', email: 'e@example.org' }),
    ])
      expect([again.statusCode, pageOf(again).text, pageOf(again).main.link('Sign in')]).toEqual([
        409,
        expect.stringContaining('There is an administrator already: sign in.'),
        '/sign-in',
      ]);
    expect(pageOf(await get(app, path, headers)).main.link('Go to the list of users')).toBe('/users');
    expect(await app.db.selectFrom('users').select(['username', 'role', 'full_name']).execute()).toEqual([
      { username: 'ann', role: 'admin', full_name: 'Ann Ada' },
    ]);
  });

  test('signs them in, and tells a browser that keeps no cookies so', async () => {
    const app = await startApp();
    const { headers } = await post(app, `/setup/${app.setupToken}`, ANN);
    expect(headers.location).toMatch(/^\/sign-in\?next=%2Fusers&check=/);
    const page = pageOf(await get(app, String(headers.location)));
    expect(page.text).toContain('Your browser has not kept the cookie that you are known by');
    expect(await app.db.selectFrom('sessions').select('id').execute()).toEqual([]);
  });

  test('is needed: no other link does', async () => {
    const app = await startApp();
    const cut = ['x', app.setupToken.slice(1), `${app.setupToken}x`, `${app.setupToken.slice(0, 20)}.`];
    for (const token of [newToken(), ...cut]) {
      const pages = [await get(app, `/setup/${token}`), await post(app, `/setup/${token}`, ANN)];
      const sentence = cut.includes(token) ? 'This is not the whole link.' : 'open the newest';
      for (const page of pages)
        expect([page.statusCode, pageOf(page).text]).toEqual([404, expect.stringContaining(sentence)]);
    }
    expect(await app.db.selectFrom('users').select('id').execute()).toEqual([]);
  });

  test.each(['.', ')', '%29', '%3E', '_', '%E2%80%A6', '%E2%80%8B'])(
    'is good with %s behind it, and its form goes to the link itself',
    async (end) => {
      const app = await startApp();
      const path = `/setup/${app.setupToken}`;
      const answer = await get(app, path + end);
      expect(answer.statusCode).toBe(200);
      expect(pageOf(answer).form('Become administrator').action).toBe(path);
      expect((await post(app, path + end, ANN)).statusCode).toBe(303);
    },
  );

  test('keeps what was typed, but no password, and says everything at once', async () => {
    const app = await startApp();
    await addUser(app.db, { username: 'bob' });
    const typed = {
      username: 'an n',
      email: 'bob@example.org',
      full_name: '<b>',
      new_password: 'short word',
      new_password_again: '',
    };
    const answer = await post(app, `/setup/${app.setupToken}`, typed);
    expect(answer.statusCode).toBe(422);
    expect(pageOf(answer).focused).toEqual([expect.stringContaining('There are 2 problems')]);
    expect(pageOf(answer).field('full_name')).toBe('<b>');
    expect(answer.body).not.toContain('short word');
    const taken = await post(app, `/setup/${app.setupToken}`, { ...ANN, email: 'bob@example.org' });
    expect(pageOf(taken).errorOf('email')).toContain('That email already belongs to bob.');
  });

  test('makes someone the administrator who is in the directory, if the email says so, too', async () => {
    const app = await startApp();
    await addUser(app.db, { username: 'Ann', full_name: 'Ann Ada' });
    const other = await post(app, `/setup/${app.setupToken}`, { ...ANN, email: 'other@example.org' });
    expect(other.statusCode).toBe(422);
    expect((await post(app, `/setup/${app.setupToken}`, ANN)).statusCode).toBe(303);
    expect(await app.db.selectFrom('users').select(['username', 'role', 'full_name']).execute()).toEqual([
      { username: 'Ann', role: 'admin', full_name: 'Ann Ada' },
    ]);
  });

  test('makes one of those who use it at once, on two Rosters', async () => {
    const url = await readyUrl();
    const apps = [
      await startApp({}, await temporaryDatabase(url)),
      await startApp({}, await temporaryDatabase(url)),
    ];
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, index) => {
        const app = apps[index % 2] as (typeof apps)[number];
        const who = { username: `admin${index}`, email: `admin${index}@example.org` };
        return post(app, `/setup/${app.setupToken}`, { ...ANN, ...who });
      }),
    );
    expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([303, 409, 409, 409, 409, 409]);
    const users = apps[0]?.db.selectFrom('users').select('id');
    expect(await users?.execute()).toHaveLength(1);
  });

  test('of another Roster on the same database is void, once there is an administrator', async () => {
    const url = await readyUrl();
    const [first, second] = [
      await startApp({}, await temporaryDatabase(url)),
      await startApp({}, await temporaryDatabase(url)),
    ];
    expect((await get(second, `/setup/${first.setupToken}`)).statusCode).toBe(404);
    await addPerson(first.db, 'ann', 'admin');
    expect((await get(second, `/setup/${second.setupToken}`)).statusCode).toBe(409);
  });
});
