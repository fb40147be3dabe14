import { describe, expect, test } from 'vitest';
import { newToken } from '../../src/auth/tokens.ts';
import type { User } from '../../src/db/schema.ts';
import { countByStatus } from '../../src/users/counts.ts';
import { findUser } from '../../src/users/queries.ts';
import { pageOf } from '../page.ts';
import { addPerson, signedIn } from '../people.ts';
import { addUser, addUsers, get, post, startApp } from '../support.ts';

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
    const answer = await get(app, '/users/1', { cookie });
    const page = pageOf(answer);
    expect(page.notices).toContain('User alice created!');
    expect(page.text).toMatch(/Alice Liddell.*alice.*Inactive/);
    expect(answer.headers['set-cookie']).toContain('Max-Age=0');
    expect(pageOf(await get(app, '/users/1')).text).not.toContain('created!');
  });

  test('needs no more than a username and an email', async () => {
    const app = await startApp();
    await post(app, '/users', { username: 'alice', email: 'alice@example.org' });
    expect(await findUser(app.db, 1)).toMatchObject({ is_active: true, full_name: null, version: 1 });
  });

  test('and adding another leads to an empty form, which says so and knows the way back', async () => {
    const app = await startApp();
    const alice = { username: 'alice', email: 'alice@example.org', another: '1' };
    const form = pageOf(await get(app, '/users/new?from=status%3Dinactive')).form('Create user');
    expect(form.text).toMatch(/Add another afterwards Create user Cancel$/);
    const created = await post(app, '/users?from=status%3Dinactive', alice);
    const address = '/users/new?another=1&from=status%3Dinactive';
    expect([created.statusCode, created.headers.location]).toEqual([303, address]);
    const cookie = String(created.headers['set-cookie']).split(';')[0];
    const next = pageOf(await get(app, address, { cookie }));
    expect(next.notices).toContain('User alice created!');
    expect(next.field('username')).toBe('');
    expect(next.input('username')).toHaveProperty('autofocus');
    const refused = pageOf(await post(app, '/users', alice));
    for (const page of [next, refused]) expect(page.input('another')).toHaveProperty('checked');
    const last = { username: 'al', email: 'al@example.org' };
    expect((await post(app, '/users', last)).headers.location).toMatch(/^\/users\/\d+$/);
  });

  test('with mistakes shows all of them and keeps what was typed', async () => {
    const app = await startApp();
    await addUser(app.db, { username: 'bob', email: 'bob@example.org' });
    const answer = await post(app, '/users', {
      username: 'no spaces <here>',
      email: 'BOB@example.org',
      full_name: '"Q" & co',
      is_active: 'off',
    });
    expect(answer.statusCode).toBe(422);
    const page = pageOf(answer);
    expect(page.title).toBe('Error: New user · Roster');
    expect(page.text).toContain('There are 2 problems');
    expect(page.errorOf('username')).toContain(
      'Use only letters, digits, and the signs . _ - + in the username.',
    );
    expect(page.errorOf('email')).toContain('That email already belongs to bob.');
    expect(page.field('username')).toBe('no spaces <here>');
    expect(page.field('email')).toBe('BOB@example.org');
    expect(page.field('full_name')).toBe('"Q" & co');
    expect(page.field('is_active')).toBe('Inactive');
    expect(await countByStatus(app.db)).toEqual({ active: 1, inactive: 0 });
  });

  test('with a username and an email that are taken names both who have them', async () => {
    const app = await startApp();
    await addUsers(app.db, ['alice', 'bob']);
    const answer = await post(app, '/users', { username: 'ＡLICE', email: 'bob@EXAMPLE.org' });
    expect(answer.statusCode).toBe(422);
    expect(pageOf(answer).errorOf('username')).toContain('That username already belongs to alice.');
    expect(pageOf(answer).errorOf('email')).toContain('That email already belongs to bob.');
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

describe('updating a user', () => {
  test.each([
    [{ email: 'new@example.org' }, 'User alice updated!'],
    [{ email: 'alice@example.org' }, 'Nothing to save: alice is so already.'],
    [{ is_active: '0' }, 'User alice deactivated!'],
    [{ is_active: '1' }, 'Nothing to save: alice is active already.'],
    [{ is_active: '0', full_name: 'Alice' }, 'User alice updated!'],
  ])('to %j says what was done, and nothing of what was not', async (fields, sentence) => {
    const app = await startApp();
    await addUser(app.db, { username: 'alice' });
    const answer = await post(app, '/users/1', fields as Record<string, string>);
    expect(answer.body).toBe(`${sentence}\n`);
    if (sentence !== 'User alice deactivated!') return;
    expect((await post(app, '/users/1', { is_active: '0' })).body).toBe(
      'Nothing to save: alice is inactive already.\n',
    );
    expect((await post(app, '/users/1', { is_active: '1' })).body).toBe('User alice activated!\n');
  });

  test('who can sign in says what of that ends, before and after', async () => {
    const app = await startApp();
    const headers = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
    const eve = await addPerson(app.db, 'eve', 'viewer');
    const form = pageOf(await get(app, `/users/${eve.id}/edit`, headers)).text;
    expect(form).toContain('Another email ends an access link.');
    expect(form).toContain('Another role signs them out, and ends an access link.');
    const max = await addUser(app.db, { username: 'max' });
    const member = pageOf(await get(app, `/users/${max.id}/edit`, headers)).text;
    expect(member).not.toMatch(/signs them out|opens nothing/);
    const send = async (id: number, fields: Record<string, string>) =>
      (await post(app, `/users/${id}`, fields, headers)).body;
    const signIn = (...users: User[]) => Promise.all(users.map((user) => signedIn(app, user)));
    const addLink = () => post(app, `/users/${eve.id}/invitation`, { key: newToken() }, headers);
    // Only what was there has ended.
    expect([
      await send(eve.id, { email: 'eve@one.example' }),
      await send(eve.id, { role: 'editor' }),
      await send(max.id, { email: 'max@new.example', role: 'viewer' }),
    ]).toEqual(['User eve updated!\n', 'User eve updated!\n', 'User max updated!\n']);
    await addLink();
    await signIn(eve);
    expect(await send(eve.id, { full_name: 'Eve' })).toBe('User eve updated!\n');
    expect(await send(eve.id, { email: 'eve@new.example' })).toBe(
      'User eve updated! Their access link has ended.\n',
    );
    expect(await send(eve.id, { role: 'viewer' })).toBe('User eve updated! Their session has ended.\n');
    await signIn(eve, eve);
    expect(await send(eve.id, { role: 'editor' })).toBe('User eve updated! All their sessions have ended.\n');
    await signIn(eve, eve);
    await addLink();
    expect(await send(eve.id, { is_active: '0' })).toBe(
      'User eve deactivated! All their sessions and their access link have ended.\n',
    );
  });

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

  test('who is oneself leaves the email to one’s account, which asks for the password', async () => {
    const app = await startApp();
    const ann = await addPerson(app.db, 'ann', 'admin');
    const asAnn = await signedIn(app, ann);
    const form = pageOf(await get(app, '/users/1/edit', asAnn));
    expect(form.link('Change it in your account')).toBe('/account/profile');
    const shown = { username: 'ann', email: 'ann@example.org', full_name: 'Ann' };
    expect((await post(app, '/users/1', { ...shown, version: '1' }, asAnn)).statusCode).toBe(303);
    const typed = { ...shown, username: 'a b', email: 'eve@example.org' };
    for (const sent of [{ ...typed, version: '2' }, { ...typed, version: '1' }, typed]) {
      const answer = await post(app, '/users/1', sent, asAnn);
      const page = pageOf(answer);
      expect([answer.statusCode, page.field('email')]).toEqual([422, 'eve@example.org']);
      expect(page.errorOf('email')).toContain(
        'You change your own email in your account, with your password.',
      );
      expect(page.errorOf('username')).toContain('Use only letters');
    }
    expect(await findUser(app.db, 1)).toMatchObject({
      email: 'ann@example.org',
      full_name: 'Ann',
      version: 2,
    });
  });

  test('the form is filled with the user as it is', async () => {
    const app = await startApp();
    await addUser(app.db, { username: 'alice', full_name: 'A "B" <C>', is_active: false });
    const page = pageOf(await get(app, '/users/1/edit'));
    expect(page.field('username')).toBe('alice');
    expect(page.field('full_name')).toBe('A "B" <C>');
    expect(page.field('version')).toBe('1');
    expect(page.field('is_active')).toBe('Inactive');
  });

  test('with a taken email shows the error and keeps what was typed', async () => {
    const app = await startApp();
    await addUsers(app.db, ['alice', 'bob']);
    const answer = await post(app, '/users/1', {
      username: 'Alicia',
      email: 'bob@example.org',
      version: '1',
    });
    expect(answer.statusCode).toBe(422);
    const page = pageOf(answer);
    expect(page.errorOf('email')).toContain('That email already belongs to bob.');
    expect(page.field('username')).toBe('Alicia');
    expect(page.field('version')).toBe('1');
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
    const answer = await post(app, '/users/1', mine);
    expect(answer.statusCode).toBe(409);
    const page = pageOf(answer);
    expect(page.heading).toBe('Saved already');
    expect(page.text).toContain('Changed twice: one field');
    expect(page.text).not.toMatch(/someone else|both|of you/);
    expect(page.text).toMatch(
      /There now theirs@example.org Somebody at this machine, .*Yours mine@example.org/,
    );
    expect(page.text).toContain('Status was Active Inactive');
    expect(page.text).toContain('Full name was Alice Alice L.');
    expect(await findUser(app.db, 1)).toMatchObject({ email: 'theirs@example.org', version: 2 });

    const wrong = await post(app, '/users/1', { ...mine, username: 'a b' });
    expect(wrong.statusCode).toBe(422);
    expect([pageOf(wrong).field('email'), pageOf(wrong).field('version')]).toEqual(['mine@example.org', '1']);

    const version = page.field('version');
    const { email, full_name } = mine;
    expect((await post(app, '/users/1', { email, full_name, version })).statusCode).toBe(303);
    expect(await findUser(app.db, 1)).toMatchObject({
      email: 'mine@example.org',
      full_name: 'Alice L.',
      is_active: false,
      version: 3,
    });
  });

  test('by two people at once lets one through and tells the other', async () => {
    const app = await startApp();
    await addUser(app.db, { username: 'alice' });
    const save = (full_name: string) => post(app, '/users/1', { full_name, version: '1' });
    const answers = await Promise.all([save('One'), save('Two')]);
    const statuses = answers.map(({ statusCode }) => statusCode);
    // Which of them has its turn first is up to the database.
    expect(statuses.toSorted()).toEqual([303, 409]);
    const full_name = statuses[0] === 303 ? 'One' : 'Two';
    expect(await findUser(app.db, 1)).toMatchObject({ full_name, version: 2 });
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
    expect(pageOf(page).text).toContain(
      'There is no user 1. Nothing was changed; what you typed is one step back.',
    );
  });

  test('without a version is taken as it is', async () => {
    const app = await startApp();
    await addUser(app.db, { username: 'alice' });
    await post(app, '/users/1', { full_name: 'One' });
    expect((await post(app, '/users/1', { full_name: 'Two' })).statusCode).toBe(303);
  });

  test.each(['x', '', '0', '1.5'])(
    'with version=%j is refused: no form of ours sends that',
    async (version) => {
      const app = await startApp();
      await addUser(app.db, { username: 'alice' });
      expect((await post(app, '/users/1', { full_name: 'x', version })).statusCode).toBe(400);
    },
  );
});
