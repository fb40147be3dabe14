/** Addresses at international domains: one stored form, whichever is typed; the one that people read is shown. */
import { describe, expect, test } from 'vitest';
import { findUser, findUserByEmail } from '../../src/users/queries.ts';
import { pageOf } from '../page.ts';
import { addPerson, PASSWORD, signedIn, signIn } from '../people.ts';
import { addUser, get, post, startApp } from '../support.ts';

// Firefox sends what is typed, Chromium the form in ASCII.
const TYPED = 'Ada@bücher.example';
const ASCII = 'Ada@xn--bcher-kva.example';
const FORMS = [TYPED, ASCII, 'ada@BÜCHER.example', 'ada@bücher。example', 'ADA@XN--BCHER-KVA.EXAMPLE'];

describe('an address at an international domain', () => {
  test.each([TYPED, ASCII])('sent as %s is stored in ASCII, and taken in every form', async (email) => {
    const app = await startApp();
    expect((await post(app, '/users', { username: 'ada', email })).statusCode).toBe(303);
    expect(await findUser(app.db, 1)).toMatchObject({ email: ASCII });
    for (const form of FORMS) {
      const page = await post(app, '/users', { username: 'bob', email: form });
      expect(page.statusCode).toBe(422);
      expect(pageOf(page).text).toContain('That email already belongs to ada.');
      expect(await findUserByEmail(app.db, form)).toMatchObject({ username: 'ada' });
    }
  });

  test('is shown as people read it, and written to in ASCII', async () => {
    const app = await startApp();
    await addUser(app.db, { username: 'ada', email: ASCII });
    for (const address of ['/users', '/users?q=ada', '/users/1', '/users/1/delete'])
      expect(
        pageOf(await get(app, address))
          .text.replace(' @', '@')
          .replace('@ ', '@'),
        address,
      ).toContain(TYPED);
    expect((await get(app, '/users/1')).body).toContain(`href="mailto:${ASCII}"`);
    expect(pageOf(await get(app, '/users/1/edit')).field('email')).toBe(TYPED);
  });

  test('that could be taken for another one is shown in ASCII', async () => {
    const app = await startApp();
    const email = 'ada@xn--l-7sba6dbr.example';
    await addUser(app.db, { username: 'ada', email });
    expect(pageOf(await get(app, '/users/1')).text).toContain(email);
    expect(pageOf(await get(app, '/users/1/edit')).field('email')).toBe(email);
  });

  test.each([TYPED, ASCII])('sent back as %s by the form changes nothing', async (email) => {
    const app = await startApp();
    await addUser(app.db, { username: 'ada', email: ASCII });
    await post(app, '/users/1', { username: 'ada', email, full_name: '', version: '1' });
    expect(await findUser(app.db, 1)).toMatchObject({ email: ASCII, version: 1 });
  });

  test('beside what somebody changed meanwhile is shown as people read it', async () => {
    const app = await startApp();
    await addUser(app.db, { username: 'ada', email: ASCII });
    await post(app, '/users/1', { email: 'ada@Grüße.example', full_name: 'Ada', version: '1' });
    const mine = { email: 'ada@xn--mnchen-3ya.example', full_name: 'Ada', version: '1' };
    const page = await post(app, '/users/1', mine);
    expect(page.statusCode).toBe(409);
    expect(pageOf(page).text).toMatch(/There now ada@grüße.example .*Yours ada@münchen.example/);
    // What is stored is what the form showed, in its other form: it is no change.
    const same = await post(app, '/users/1', { email: ASCII, full_name: 'Ada', version: '1' });
    expect(same.statusCode).toBe(303);
    expect(await findUser(app.db, 1)).toMatchObject({ email: 'ada@xn--gre-6ka8l.example', version: 2 });
  });

  test('with a domain that there cannot be is refused by a sentence, and stays in the form', async () => {
    const app = await startApp();
    const page = await post(app, '/users', { username: 'ada', email: 'ada@bü_cher.example' });
    expect(page.statusCode).toBe(422);
    expect(pageOf(page).text).toContain('There is no domain that is called “bü_cher.example”.');
    expect(pageOf(page).field('email')).toBe('ada@bü_cher.example');
  });

  test.each(FORMS)('signs in as %s', async (typed) => {
    const app = await startApp();
    await addPerson(app.db, 'ada', 'admin', { email: ASCII });
    expect(await signIn(app, typed)).toBeDefined();
  });

  test('counts wrong passwords for one name, in whichever form it is typed', async () => {
    const app = await startApp({}, undefined, () => Date.UTC(2026, 5, 1, 12));
    await addPerson(app.db, 'ada', 'admin', { email: ASCII });
    const statuses: number[] = [];
    for (const username of [...FORMS, TYPED])
      statuses.push((await post(app, '/sign-in', { username, password: `not ${PASSWORD}` })).statusCode);
    expect(statuses).toEqual([422, 422, 422, 422, 429, 429]);
  });

  test('of the first administrator may be typed in either form', async () => {
    const app = await startApp();
    await addUser(app.db, { username: 'ada', email: ASCII });
    const setUp = (username: string, email: string) =>
      post(app, `/setup/${app.setupToken}`, {
        username,
        email,
        new_password: PASSWORD,
        new_password_again: PASSWORD,
      });
    const taken = await setUp('bob', TYPED);
    expect(pageOf(taken).text).toContain('That email already belongs to ada.');
    expect(pageOf(await setUp('ada', 'eve@bücher.example')).text).toContain(
      'That is the username of someone whose email is not eve@bücher.example.',
    );
    expect((await setUp('ada', TYPED)).statusCode).toBe(303);
  });
});

describe('an address that was copied with a name', () => {
  const COPIED = '"Lovelace, Ada" <ada@example.org>';
  const ADA = { email: 'ada@example.org', full_name: 'Ada Lovelace' };

  test('makes a user with both', async () => {
    const app = await startApp();
    await post(app, '/users', { username: 'ada', email: COPIED, full_name: '' });
    expect(await findUser(app.db, 1)).toMatchObject(ADA);
  });

  test('is in its fields where something else is wrong, also that somebody has it', async () => {
    const app = await startApp();
    await addUser(app.db, { username: 'bob', email: ADA.email });
    const page = pageOf(await post(app, '/users', { username: '', email: COPIED, full_name: '' }));
    expect([page.field('email'), page.field('full_name')]).toEqual(Object.values(ADA));
    expect(page.text).toContain('That email already belongs to bob.');
  });

  test('leaves a name that was typed, and one that was not sent', async () => {
    const app = await startApp();
    await post(app, '/users', { username: 'ada', email: COPIED, full_name: 'Countess Ada' });
    expect(await findUser(app.db, 1)).toMatchObject({ ...ADA, full_name: 'Countess Ada' });
    await post(app, '/users/1', { email: 'Ada King <king@example.org>' });
    expect(await findUser(app.db, 1)).toMatchObject({ email: 'king@example.org', full_name: 'Countess Ada' });
  });

  test('changes a user, and oneself, whose own email needs no password where it stays', async () => {
    const app = await startApp();
    const ann = await addPerson(app.db, 'ann', 'admin', { email: ADA.email, full_name: null });
    const headers = await signedIn(app, ann);
    const { id } = await addUser(app.db, { username: 'bob' });
    await post(
      app,
      `/users/${id}`,
      { email: 'Bob B. <bob@example.com>', full_name: '', version: '1' },
      headers,
    );
    expect(await findUser(app.db, id)).toMatchObject({ email: 'bob@example.com', full_name: 'Bob B.' });
    await post(app, '/account/profile', { email: COPIED, full_name: '', version: `${ann.version}` }, headers);
    expect(await findUser(app.db, ann.id)).toMatchObject(ADA);
  });

  test('invites somebody, and makes the first administrator', async () => {
    const app = await startApp();
    const password = { new_password: PASSWORD, new_password_again: PASSWORD };
    const first = { username: 'ann', email: 'Ann A. <ann@example.org>', full_name: '', ...password };
    await post(app, `/setup/${app.setupToken}`, first);
    expect(await findUser(app.db, 1)).toMatchObject({ email: 'ann@example.org', full_name: 'Ann A.' });
    const headers = await signIn(app, 'ann');
    await post(app, '/invite', { email: COPIED, username: '', full_name: '', role: 'viewer' }, headers);
    expect(await findUser(app.db, 2)).toMatchObject({ ...ADA, username: 'ada' });
  });
});

describe('a user whose name would be refused today', () => {
  const OLD = {
    username: `ƾ${'\u0300\u0301'.repeat(20)}`,
    email: 'old@xn--zzzzz-.example',
    full_name: `Zoe${'\u0300'.repeat(62)}`,
  };

  test('is edited in other fields, and keeps it', async () => {
    const app = await startApp();
    const old = await addUser(app.db, OLD);
    const form = pageOf(await get(app, '/users/1/edit'));
    const shown = { username: OLD.username, email: OLD.email, full_name: OLD.full_name, is_active: '1' };
    for (const [name, value] of Object.entries(shown).slice(0, 3)) expect(form.field(name)).toBe(value);
    expect((await post(app, '/users/1', { ...shown, version: '1' })).statusCode).toBe(303);
    expect(await findUser(app.db, 1)).toEqual(old);
    const changed = await post(app, '/users/1', { ...shown, email: 'new@example.org', version: '1' });
    expect(changed.statusCode).toBe(303);
    expect((await post(app, '/users/1', { is_active: '0', version: '2' })).statusCode).toBe(303);
    expect(await findUser(app.db, 1)).toMatchObject({ ...OLD, email: 'new@example.org', is_active: false });
  });

  test('is told what is wrong with a new one alone', async () => {
    const app = await startApp();
    await addUser(app.db, OLD);
    const page = await post(app, '/users/1', { ...OLD, username: 'ƾ', version: '1' });
    expect(page.statusCode).toBe(422);
    expect(pageOf(page).text).toContain('There is a problem');
    expect(pageOf(page).text).toContain('“ƾ” is not taken in usernames');
  });

  test('still signs in', async () => {
    const app = await startApp();
    const { id } = await addPerson(app.db, OLD.username, 'admin', OLD);
    expect(await signIn(app, OLD.username)).toBeDefined();
    const headers = await signIn(app, OLD.email);
    expect((await get(app, `/users/${id}`, headers)).statusCode).toBe(200);
  });
});
