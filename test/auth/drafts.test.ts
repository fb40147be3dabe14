/** Forms that were sent when the session had ended. */
import type { FastifyInstance } from 'fastify';
import { sql } from 'kysely';
import { describe, expect, inject, test } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import { addDraft, forgetDrafts, lockErasing, moveDrafts } from '../../src/auth/drafts.ts';
import { insertSession } from '../../src/auth/sessions.ts';
import { newKey, newToken } from '../../src/auth/tokens.ts';
import type { User } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { requireCode } from '../../src/roles/queries.ts';
import { type Changed, changeUser } from '../../src/users/commands.ts';
import { dump } from '../engines.ts';
import { type Page, pageOf } from '../page.ts';
import { addPerson, codeAt, type Headers, HOUR, movableClock, PASSWORD, signedIn } from '../people.ts';
import { addUser, cookieName, get, post, startApp } from '../support.ts';

const ZOE = { username: 'zoe', email: 'zoe@example.org', full_name: 'Zoë "Z" <b>', is_active: '0' };

type Form = ReturnType<Page['form']>;

async function startWithPeople() {
  const clock = movableClock();
  const app = await startApp({}, undefined, clock);
  const ann = await addPerson(app.db, 'ann', 'admin');
  const ed = await addPerson(app.db, 'ed', 'editor');
  await addUser(app.db, { username: 'max', full_name: 'Max' });
  const headers = await signedIn(app, ed);
  clock.move(13 * HOUR);
  return { app, clock, ann, ed, headers };
}

/** Signs in by the form on a page, with the cookie that the browser still has. */
async function signInOn(app: FastifyInstance, html: string, user: User, headers: Headers, more = {}) {
  const form = pageOf(html).form('Sign in');
  const names = form.fields.filter((name) => ['next', 'draft', 'ticket'].includes(name));
  const hidden = Object.fromEntries(names.map((name) => [name, form.field(name)]));
  const typed = 'ticket' in hidden ? more : { username: user.username, password: PASSWORD };
  const answer = await post(app, '/sign-in', { ...hidden, ...typed }, headers);
  const cookie = answer.cookies.find(({ name }) => name === cookieName('session'));
  return {
    answer,
    headers: { ...headers, ...(cookie && { cookie: `${cookieName('session')}=${cookie.value}` }) },
  };
}

function fieldsOf(form: Form) {
  return { action: form.action, ...Object.fromEntries(form.fields.map((name) => [name, form.field(name)])) };
}

/** A form about max that waits by now, and how it is sent once more. */
async function startWithWaiting(query = '') {
  const { app, ann, ed, headers: ended } = await startWithPeople();
  const sent = { full_name: 'Maximilian', version: '1', key: newKey() };
  const refused = await post(app, `/users/3${query}`, sent, ended);
  const { headers } = await signInOn(app, refused.body, ed, ended);
  const send = (form: Form) => {
    const hidden = ['version', 'key', 'draft_key'].map((name) => [name, form.field(name)]);
    return post(app, form.action, { full_name: 'Maximilian', ...Object.fromEntries(hidden) }, headers);
  };
  const discard = (form: Form) => {
    const { action, ...fields } = fieldsOf(form);
    return post(app, action, fields, headers);
  };
  const asAnn = await signedIn(app, ann);
  return {
    app,
    send,
    discard,
    edit: async () => pageOf(await get(app, `/users/3/edit${query}`, headers)),
    /** What somebody else does to them. */
    act: (address: string, fields = {}) => post(app, `/users/3${address}`, fields, asAnn),
  };
}

describe('a form that is sent after its session has ended', () => {
  test('is answered with the form for signing in, and then is there as it was typed, to be sent', async () => {
    const { app, ed, headers } = await startWithPeople();
    const refused = await post(app, '/users?from=page%3D2', ZOE, headers);
    expect(refused.statusCode).toBe(401);
    expect(refused.headers['www-authenticate']).toBe('Form realm="Roster"');
    expect(pageOf(refused).text).toContain(
      'Sign in as ed, and what you sent will be there, to be sent again.',
    );
    expect(pageOf(refused).field('username')).toBe('ed');
    expect(refused.body).not.toMatch(/zoe@example|Zoë/);

    const { answer, headers: signed } = await signInOn(app, refused.body, ed, headers);
    expect([answer.statusCode, answer.headers.location]).toEqual([303, '/users/new?from=page%3D2']);
    expect(await app.db.selectFrom('users').select('id').where('username', '=', 'zoe').execute()).toEqual([]);
    // As often as it is asked for: a reload loses nothing.
    for (let time = 0; time < 2; time++) {
      const form = pageOf(await get(app, '/users/new?from=page%3D2', signed));
      expect(form.text).toContain('Nothing of it has been saved yet:');
      for (const name of ['username', 'email', 'full_name'] as const)
        expect(form.field(name)).toBe(ZOE[name]);
      expect(form.field('is_active')).toBe('Inactive');
    }
    expect((await post(app, '/users?from=page%3D2', ZOE, signed)).statusCode).toBe(303);
    expect(pageOf(await get(app, '/users/new?from=page%3D2', signed)).field('username')).toBe('');
  });

  test('of a user shows both versions where the user was changed meanwhile', async () => {
    const { app, ann, ed, headers } = await startWithPeople();
    const refused = await post(app, '/users/3', { full_name: 'Maximilian', version: '1' }, headers);
    await post(app, '/users/3', { full_name: 'Maxine' }, await signedIn(app, ann));
    const { answer, headers: signed } = await signInOn(app, refused.body, ed, headers);
    expect(answer.headers.location).toBe('/users/3/edit');
    const form = await get(app, '/users/3/edit', signed);
    expect(pageOf(form).text).toMatch(/There now Maxine ann.*Yours Maximilian/);
    expect(pageOf(form).field('version')).toBe('2');
    expect(pageOf(form).form('Discard mine').field('form')).toBe('/users/3/edit');
    expect(pageOf(form).links.map(({ text }) => text)).not.toContain('Discard mine');
    const sent = { full_name: 'Maximilian', version: '2' };
    expect((await post(app, '/users/3', sent, signed)).statusCode).toBe(303);
    expect(pageOf(await get(app, '/users/3/edit', signed)).field('full_name')).toBe('Maximilian');
  });

  test('of a user who was deleted meanwhile is offered to bring them back with', async () => {
    const { app, ann, ed, headers } = await startWithPeople();
    const refused = await post(app, '/users/3', { full_name: 'Maximilian', version: '1' }, headers);
    await post(app, '/users/3/delete', {}, await signedIn(app, ann));
    const { headers: signed } = await signInOn(app, refused.body, ed, headers);
    const page = pageOf(await get(app, '/users/3/edit', signed));
    expect(page.form('Bring back with these changes').field('full_name')).toBe('Maximilian');
    const { action, ...discard } = fieldsOf(page.form('Discard mine'));
    expect((await post(app, action, discard, signed)).headers.location).toBe('/users/3/edit');
    expect(pageOf(await get(app, '/users/3/edit', signed)).buttons).toContain('Bring back');
  });

  test.each(['', '?from=page%3D2'])(
    'and was to bring somebody back who is deleted is there, to be sent: %s',
    async (query) => {
      const { app, clock, ann, ed, headers } = await startWithPeople();
      const first = await post(app, `/users/3${query}`, { full_name: 'Maximilian', version: '1' }, headers);
      await post(app, '/users/3/delete', {}, await signedIn(app, ann));
      const { headers: ended } = await signInOn(app, first.body, ed, headers);
      const restoring = async (signed: Headers) => {
        const page = pageOf(await get(app, `/users/3/edit${query}`, signed));
        const form = page.form('Bring back with these changes');
        const hidden = ['version', 'key', 'draft_key'].map((name) => [name, form.field(name)]);
        const { action } = form;
        return { action, fullName: form.field('full_name'), hidden: Object.fromEntries(hidden) };
      };
      const { action, hidden } = await restoring(ended);
      clock.move(13 * HOUR);
      const refused = await post(app, action, { ...hidden, full_name: 'Max the Great' }, ended);
      expect(refused.statusCode).toBe(401);
      const { answer, headers: signed } = await signInOn(app, refused.body, ed, ended);
      expect(answer.headers.location).toBe(`/users/3/edit${query}`);
      const again = await restoring(signed);
      expect(again.fullName).toBe('Max the Great');
      const back = await post(app, action, { ...again.hidden, full_name: again.fullName }, signed);
      expect(back.body).toBe('User max is back!\n');
      expect(pageOf(await get(app, `/users/3/edit${query}`, signed)).text).not.toContain(
        'what you sent before',
      );
    },
  );

  test('and in which nothing was typed leads back to its page, with nothing kept', async () => {
    const { app, ann, ed, headers } = await startWithPeople();
    await post(app, '/users/3/delete', {}, await signedIn(app, ann));
    const refused = await post(app, '/users/3/restore', { version: '1', key: newKey() }, headers);
    expect(pageOf(refused).fields).not.toContain('draft');
    const { answer, headers: signed } = await signInOn(app, refused.body, ed, headers);
    expect(answer.headers.location).toBe('/users/3');
    expect(pageOf(await get(app, '/users/3', signed)).buttons).toContain('Bring back');
  });

  test.each(['', '?from=page%3D2'])(
    'is gone once somebody deleted is brought back with it: %s',
    async (query) => {
      const { edit, send, act } = await startWithWaiting(query);
      await act('/delete');
      const answer = await send((await edit()).form('Bring back with these changes'));
      expect([answer.body, answer.headers.location]).toEqual(['User max is back!\n', `/users/3${query}`]);
      const page = await edit();
      expect(page.field('full_name')).toBe('Maximilian');
      expect(page.text).not.toContain('this is what you sent before');
    },
  );

  test('can be discarded also where somebody deleted could not be brought back with it', async () => {
    for (const status of [422, 409]) {
      const { app, edit, send, discard, act } = await startWithWaiting('?from=page%3D2');
      await act('/delete');
      const form = (await edit()).form('Bring back with these changes');
      if (status === 422) await addUser(app.db, { username: 'max' });
      else for (const address of ['/restore', '/delete']) await act(address, { full_name: 'Max B' });
      const answer = await send(form);
      expect(answer.statusCode).toBe(status);
      const page = pageOf(answer);
      expect(page.links.map(({ text }) => text)).not.toContain('Discard mine');
      await discard(page.form('Discard mine'));
      expect((await edit()).buttons).toContain('Bring back');
    }
  });

  test('can be discarded also where both versions are shown, since it was looked over for too long', async () => {
    for (const isDeleted of [false, true]) {
      const { edit, send, discard, act } = await startWithWaiting('?from=page%3D2');
      if (isDeleted) await act('/delete');
      const form = (await edit()).form(isDeleted ? 'Bring back with these changes' : 'Save changes');
      await act(isDeleted ? '/restore' : '', { full_name: 'Maxine' });
      const answer = await send(form);
      expect(answer.statusCode).toBe(409);
      const page = pageOf(answer);
      expect(page.text).toMatch(/There now Maxine ann.*Yours Maximilian/);
      expect(page.links.map(({ text }) => text)).not.toContain('Discard mine');
      await discard(page.form('Discard mine'));
      expect((await edit()).field('full_name')).toBe('Maxine');
    }
  });

  test('is not kept where somebody was erased since, whom it may name, and whoever signs in hears so', async () => {
    const { app, ann, ed, headers } = await startWithPeople();
    const forms = [
      await post(app, '/users/3', { full_name: 'Max Secret', version: '1' }, headers),
      await post(app, '/users', { ...ZOE, full_name: 'Max Secret' }, headers),
    ];
    const admin = await signedIn(app, ann);
    await post(app, '/users/3/delete', {}, admin);
    await post(app, '/users/3/erase', { username: 'max' }, admin);
    // Sent again from a page that is still open.
    forms.push(await post(app, '/users/3', { full_name: 'Max Secret', version: '1' }, headers));
    const answers: string[] = [];
    for (const { body } of forms) answers.push((await signInOn(app, body, ed, headers)).answer.body);
    expect(answers.map((answer) => answer.includes('somebody was erased meanwhile'))).toEqual([
      true,
      true,
      false,
    ]);
    expect(JSON.stringify(await dump(app.db))).not.toContain('Secret');
    // From then on as ever.
    const refused = await post(app, '/users', ZOE, headers);
    const { headers: signed } = await signInOn(app, refused.body, ed, headers);
    expect(pageOf(await get(app, '/users/new', signed)).field('username')).toBe('zoe');
  });

  test('about somebody who is erased is not kept for whoever owes a second factor either', async () => {
    const { app, ann, ed } = await startWithPeople();
    const [admin, headers] = [await signedIn(app, ann), await signedIn(app, ed)];
    await post(app, '/users/3/delete', {}, admin);
    await post(app, '/users/3/erase', { username: 'max' }, admin);
    await transact(app.db, (trx) => requireCode(trx, 'editor', true));
    expect((await post(app, '/users/3', { full_name: 'Max Secret' }, headers)).statusCode).toBe(303);
    expect(JSON.stringify(await dump(app.db))).not.toContain('Secret');
  });

  test('of an undo is there with what was chosen and typed', async () => {
    const { app, ed, headers } = await startWithPeople();
    const { set } = (await transact(app.db, (trx) =>
      changeUser(trx, commandLine, 3, { username: 'moritz', full_name: 'Moritz' }, 1),
    )) as Changed & { set: number };
    await transact(app.db, (trx) => changeUser(trx, commandLine, 3, { full_name: 'Since' }, 1));
    await addUser(app.db, { username: 'max', email: 'other@example.org' });
    const sent = { seen: 'x', '3.full_name': 'back', '3.username.other': 'max2' };
    const refused = await post(app, `/history/${set}/undo`, sent, headers);
    const { answer, headers: signed } = await signInOn(app, refused.body, ed, headers);
    expect(answer.headers.location).toBe(`/history/${set}/undo`);
    const form = pageOf(await get(app, `/history/${set}/undo`, signed));
    expect(form.text).toContain('Nothing of it has been saved yet:');
    expect(form.field('3.full_name')).toContain('Put back');
    expect(form.field('3.username.other')).toBe('max2');
    const done = await post(app, `/history/${set}/undo`, { ...sent, seen: form.field('seen') }, signed);
    expect(done.body).toBe('User max2 is as before!\n');
  });

  test('is there also after a code, a wrong password, and a wait', async () => {
    const { app, clock, headers: _, ...people } = await startWithPeople();
    const bob = await addPerson(app.db, 'bob', 'editor', { hasCode: true });
    const headers = await signedIn(app, bob);
    clock.move(13 * HOUR);
    let page = await post(app, '/users', ZOE, headers);
    for (let failures = 0; failures < 5; failures++) {
      const draft = pageOf(page).field('draft');
      page = await post(app, '/sign-in', { username: 'bob', password: 'wrong', draft }, headers);
    }
    expect(page.statusCode).toBe(429);
    clock.move(60_000);
    const { answer: asked } = await signInOn(app, page.body, bob, headers);
    const { answer, headers: signed } = await signInOn(app, asked.body, bob, headers, {
      code: codeAt(clock()),
    });
    expect(answer.headers.location).toBe('/users/new');
    expect(pageOf(await get(app, '/users/new', signed)).field('username')).toBe('zoe');
    expect(people.ed.id).not.toBe(bob.id);
  });

  test('is there also for who starts again where the code is asked for', async () => {
    const { app, clock } = await startWithPeople();
    const bob = await addPerson(app.db, 'bob', 'editor', { hasCode: true });
    const headers = await signedIn(app, bob);
    clock.move(13 * HOUR);
    const refused = await post(app, '/users', ZOE, headers);
    const { answer: asked } = await signInOn(app, refused.body, bob, headers);
    const form = pageOf(asked).form('Start again');
    const hidden = { again: form.field('again'), next: form.field('next'), draft: form.field('draft') };
    const again = await post(app, '/sign-in', hidden, headers);
    expect(pageOf(again).text).toContain(
      'Sign in as bob, and what you sent will be there, to be sent again.',
    );
    expect(pageOf(again).field('username')).toBe('bob');
    const { answer: anew } = await signInOn(app, again.body, bob, headers);
    const code = { code: codeAt(clock()) };
    const { headers: signed } = await signInOn(app, anew.body, bob, headers, code);
    expect(pageOf(await get(app, '/users/new', signed)).field('username')).toBe('zoe');
  });

  test('is there when the browser was signed in meanwhile in another window', async () => {
    const { app, ed, headers } = await startWithPeople();
    const refused = await post(app, '/users', ZOE, headers);
    const other = await signedIn(app, ed);
    const { answer, headers: signed } = await signInOn(app, refused.body, ed, other);
    expect(answer.headers.location).toBe('/users/new');
    expect(pageOf(await get(app, '/users/new', signed)).field('username')).toBe('zoe');
  });

  test('is there once: sent again from the history of a browser it brings nothing back', async () => {
    const { app, ed, headers } = await startWithPeople();
    const refused = await post(app, '/users', ZOE, headers);
    const { headers: first } = await signInOn(app, refused.body, ed, headers);
    expect((await post(app, '/users', ZOE, first)).statusCode).toBe(303);
    const { answer, headers: second } = await signInOn(app, refused.body, ed, headers);
    expect([answer.statusCode, answer.headers.location]).toEqual([303, '/users/new']);
    expect(pageOf(await get(app, '/users/new', second)).field('username')).toBe('');
    expect(JSON.stringify(await app.db.selectFrom('sessions').select('draft').execute())).not.toContain(
      'zoe',
    );
  });

  test('is there also for who clicks twice, whichever of the answers the browser keeps', async () => {
    const { app, ed, headers } = await startWithPeople();
    const refused = await post(app, '/users', ZOE, headers);
    const answers = await Promise.all([1, 2].map(() => signInOn(app, refused.body, ed, headers)));
    for (const { answer } of answers) expect(answer.headers.location).toBe('/users/new');
    const last = answers.at(-1)?.headers as Headers;
    const shown = await Promise.all(answers.map((each) => get(app, '/users/new', each.headers)));
    expect(shown.filter(({ body }) => pageOf(body).field('username') === 'zoe')).toHaveLength(1);
    const again = await signInOn(app, refused.body, ed, last);
    expect(pageOf(await get(app, '/users/new', again.headers)).field('username')).toBe('zoe');
  });

  test('is dropped when someone else signs in there, who hears that it was not theirs', async () => {
    const { app, ann, headers } = await startWithPeople();
    const refused = await post(app, '/users', ZOE, headers);
    const { answer, headers: signed } = await signInOn(app, refused.body, ann, headers);
    expect(answer.statusCode).toBe(303);
    expect(answer.body).toBe(
      'The form that was sent here before is ed’s: nothing of it was saved, and you do not see it.\n',
    );
    expect(pageOf(await get(app, '/users/new', signed)).field('username')).toBe('');
    expect(
      (await app.db.selectFrom('sessions').select('draft').execute()).every(({ draft }) => draft === null),
    ).toBe(true);
  });

  test('is there when its user has signed in again in another window, and not when they have signed out there', async () => {
    for (const isSignedOut of [false, true]) {
      const { app, ed, headers } = await startWithPeople();
      const refused = await post(app, '/users', ZOE, headers);
      if (isSignedOut) await post(app, '/sign-out', {}, headers);
      else await post(app, '/sign-in', { username: 'ed', password: PASSWORD }, headers);
      const { answer, headers: signed } = await signInOn(app, refused.body, ed, headers);
      expect(answer.headers.location).toBe('/users/new');
      const { body } = await get(app, '/users/new', signed);
      expect(pageOf(body).field('username')).toBe(isSignedOut ? '' : 'zoe');
    }
  });

  test('is spoken of, too, after a wrong password', async () => {
    const { app, headers } = await startWithPeople();
    const { body } = await post(app, '/users', ZOE, headers);
    const draft = pageOf(body).field('draft');
    const wrong = pageOf(await post(app, '/sign-in', { username: 'ed', password: 'wrong', draft }, headers));
    expect(wrong.text).toContain('Username or password is wrong.');
    expect(wrong.text).toContain('Sign in as ed, and what you sent will be there, to be sent again.');
    expect(wrong.field('draft')).toBe(draft);
  });

  test('is said to be its owner’s, whoever tries to sign in', async () => {
    const { app, headers } = await startWithPeople();
    const draft = pageOf(await post(app, '/users', ZOE, headers)).field('draft');
    const typed = { username: 'carol', password: 'wrong', draft };
    const wrong = pageOf(await post(app, '/sign-in', typed, headers));
    expect(wrong.text).toContain('Sign in as ed, and what you sent will be there, to be sent again.');
    expect(wrong.field('username')).toBe('carol');
  });

  test('can be discarded, and then the form is as for everyone; another one that waits for it comes next', async () => {
    const { app, ed, headers: first } = await startWithPeople();
    let headers = first;
    const refused = [];
    for (const username of ['yan', 'zoe'])
      refused.push(await post(app, '/users?from=page%3D2', { ...ZOE, username, key: newKey() }, first));
    for (const { body } of refused) ({ headers } = await signInOn(app, body, ed, headers));
    const show = async () => pageOf(await get(app, '/users/new?from=page%3D2', headers));
    for (const username of ['zoe', 'yan']) {
      const page = await show();
      expect(page.form('Create user').field('username')).toBe(username);
      const { action, ...discard } = fieldsOf(page.form('Discard it'));
      // Twice, as by two clicks.
      for (let click = 0; click < 2; click++) {
        const answer = await post(app, action, discard, headers);
        expect([answer.statusCode, answer.headers.location]).toEqual([303, '/users/new?from=page%3D2']);
        expect(answer.body).toBe('What you sent before is discarded.\n');
      }
    }
    const plain = await show();
    expect(plain.field('username')).toBe('');
    expect(plain.text).not.toContain('this is what you sent before');
    expect(
      await app.db.selectFrom('users').select('id').where('username', 'in', ['yan', 'zoe']).execute(),
    ).toEqual([]);
  });

  test('is nobody else’s to discard', async () => {
    const { app, ann, ed, headers } = await startWithPeople();
    const refused = await post(app, '/users', ZOE, headers);
    const { headers: signed } = await signInOn(app, refused.body, ed, headers);
    const sent = { form: '/users/new', draft_key: '' };
    await post(app, '/drafts/delete', sent, await signedIn(app, ann));
    expect(pageOf(await get(app, '/users/new', signed)).field('username')).toBe('zoe');
  });

  test('is still there when it could not be saved', async () => {
    const { app, ed, headers } = await startWithPeople();
    const refused = await post(app, '/users', ZOE, headers);
    const { headers: signed } = await signInOn(app, refused.body, ed, headers);
    expect((await post(app, '/users', { ...ZOE, email: 'zoe' }, signed)).statusCode).toBe(422);
    expect(pageOf(await get(app, '/users/new', signed)).field('username')).toBe('zoe');
  });

  test('may be as large as a form can be', async () => {
    const { app, ed, headers } = await startWithPeople();
    const full_name = 'Z'.repeat(64 * 1024 - 100);
    const refused = await post(app, '/users', { ...ZOE, full_name }, headers);
    expect(refused.statusCode).toBe(401);
    const { headers: signed } = await signInOn(app, refused.body, ed, headers);
    expect(pageOf(await get(app, '/users/new', signed)).field('full_name')).toBe(full_name);
  });

  test('that asks a second factor of roles is there, too', async () => {
    const { app, clock, ann } = await startWithPeople();
    await transact(app.db, (trx) => requireCode(trx, 'editor', true));
    const headers = await signedIn(app, ann);
    clock.move(13 * HOUR);
    const refused = await post(app, '/roles', { viewer: '1' }, headers);
    const { answer, headers: signed } = await signInOn(app, refused.body, ann, headers);
    expect(answer.headers.location).toBe('/roles');
    const form = pageOf(await get(app, '/roles', signed));
    expect(form.text).toContain('Nothing of it has been saved yet:');
    expect(['viewer', 'editor', 'admin'].filter((role) => form.field(role) === 'ticked')).toEqual(['viewer']);
  });

  test.each([
    ['/account/password', '/account'],
    ['/account/recovery-codes', '/account'],
    ['/account/code/delete', '/account'],
    ['/account/sessions/delete', '/account'],
    ['/account/sessions/9/delete', '/account'],
    ['/account/code', '/account/code'],
    ['/users/3/delete', '/users/3/delete'],
  ])('that is not kept leads back to its page: %s', async (address, page) => {
    const { app, ed, headers } = await startWithPeople();
    const refused = await post(app, address, {}, headers);
    const { answer } = await signInOn(app, refused.body, ed, headers);
    expect([answer.statusCode, answer.headers.location]).toEqual([303, page]);
  });

  test('with a password in it is not kept', async () => {
    const { app, headers } = await startWithPeople();
    for (const address of ['/account/password', '/account/recovery-codes', '/account/code/delete']) {
      const refused = await post(app, address, { current_password: PASSWORD, password: PASSWORD }, headers);
      expect(refused.statusCode).toBe(401);
      expect(pageOf(refused).fields).not.toContain('draft');
      expect(refused.body).not.toContain(PASSWORD);
    }
  });

  test('before a second factor that is asked for by now is there after it has been set up', async () => {
    const { app, ed } = await startWithPeople();
    const headers = await signedIn(app, ed);
    await transact(app.db, (trx) => requireCode(trx, 'editor', true));
    expect((await post(app, '/users', ZOE, headers)).headers.location).toBe(
      '/account/code?next=%2Fusers%2Fnew',
    );
    await transact(app.db, (trx) => requireCode(trx, 'editor', false));
    expect(pageOf(await get(app, '/users/new', headers)).field('username')).toBe('zoe');
  });

  test.each([
    ['/account/profile', '/account/profile', { user: '1', version: '1' }],
    ['/users', '/users/new', { username: 'zoe' }],
    ['/invite', '/invite', { role: 'viewer' }],
  ])(
    'with an email that has a name beside it shows both as they will be saved: %s',
    async (address, form, more) => {
      const { app, clock, ann } = await startWithPeople();
      const headers = await signedIn(app, ann);
      clock.move(13 * HOUR);
      const sent = { full_name: '', email: 'Zoë Zeh <zoe@example.org>', ...more };
      const refused = await post(app, address, sent, headers);
      const { headers: signed } = await signInOn(app, refused.body, ann, headers);
      const shown = pageOf(await get(app, form, signed));
      expect(shown.text).toContain('what you sent before');
      expect([shown.field('full_name'), shown.field('email')]).toEqual(['Zoë Zeh', 'zoe@example.org']);
    },
  );

  test.each([
    ['Bring back with these changes', { full_name: 'Max the Great' }, '/users/3/edit'],
    ['Bring back', {}, '/users/3'],
  ])('of “%s” leads to where it waits, or else to its page', async (button, typed, next) => {
    const { app, ann, ed } = await startWithPeople();
    await post(app, '/users/3/delete', {}, await signedIn(app, ann));
    const headers = await signedIn(app, ed);
    await transact(app.db, (trx) => requireCode(trx, 'editor', true));
    const answer = await post(app, '/users/3/restore', { ...typed, version: '1' }, headers);
    expect(answer.headers.location).toBe(`/account/code?next=${encodeURIComponent(next)}`);
    await transact(app.db, (trx) => requireCode(trx, 'editor', false));
    const form = pageOf(await get(app, next, headers)).form(button);
    expect(form.fields.includes('full_name') ? { full_name: form.field('full_name') } : {}).toEqual(typed);
  });
});

describe('forms that are sent in two windows', () => {
  test('before a second factor that is asked for by now are both there, also where they are the same form', async () => {
    const { app, ed } = await startWithPeople();
    const headers = await signedIn(app, ed);
    await transact(app.db, (trx) => requireCode(trx, 'editor', true));
    const keys = [newKey(), newKey()];
    await post(app, '/users', { ...ZOE, key: keys[0] ?? '' }, headers);
    await post(app, '/users/3', { full_name: 'Maximilian', version: '1' }, headers);
    // The last one twice, by a double click.
    for (const key of [keys[1], keys[1]])
      await post(app, '/users', { ...ZOE, username: 'yan', key: key ?? '' }, headers);
    await transact(app.db, (trx) => requireCode(trx, 'editor', false));
    expect(pageOf(await get(app, '/users/3/edit', headers)).field('full_name')).toBe('Maximilian');
    for (const username of ['yan', 'zoe', '']) {
      const form = pageOf(await get(app, '/users/new', headers)).form('Create user');
      expect(form.field('username')).toBe(username);
      const email = `${username}@example.com`;
      const keys = { key: form.field('key'), draft_key: username && form.field('draft_key') };
      if (username) await post(app, '/users', { username, email, ...keys }, headers);
    }
    expect(pageOf(await get(app, '/users/3/edit', headers)).field('full_name')).toBe('Maximilian');
  });

  test('after their session has ended are both there, once somebody has signed in in each', async () => {
    const { app, ed, headers } = await startWithPeople();
    const one = await post(app, '/users', ZOE, headers);
    const other = await post(app, '/users/3', { full_name: 'Maximilian', version: '1' }, headers);
    const { headers: first } = await signInOn(app, one.body, ed, headers);
    const { headers: second } = await signInOn(app, other.body, ed, first);
    expect(pageOf(await get(app, '/users/new', second)).field('username')).toBe('zoe');
    expect(pageOf(await get(app, '/users/3/edit', second)).field('full_name')).toBe('Maximilian');
  });

  test('and shown in two windows each waits until it is saved itself, whichever is saved first', async () => {
    const { app, clock, ed, headers: first } = await startWithPeople();
    let headers = first;
    const shown = [];
    for (const username of ['yan', 'zoe']) {
      const refused = await post(app, '/users', { ...ZOE, username, key: newKey() }, headers);
      ({ headers } = await signInOn(app, refused.body, ed, headers));
      shown.push(pageOf(await get(app, '/users/new', headers)).form('Create user'));
      if (username === 'yan') clock.move(13 * HOUR);
    }
    const [older, newer] = shown;
    const save = (form = older, username = '') => {
      const [key, draft_key] = [form?.field('key') ?? '', form?.field('draft_key') ?? ''];
      return post(app, '/users', { username, email: `${username}@example.net`, key, draft_key }, headers);
    };
    // First with a mistake, of which the form is shown again.
    const again = pageOf(await save(older, 'not a username')).form('Create user');
    expect((await save(again, 'yan')).statusCode).toBe(303);
    expect(pageOf(await get(app, '/users/new', headers)).field('username')).toBe('zoe');
    expect((await save(newer, 'zoe')).statusCode).toBe(303);
    expect(pageOf(await get(app, '/users/new', headers)).field('username')).toBe('');
  });

  test('and one that was sent without a key, as by a script, is gone as well once it is saved', async () => {
    const { app, ed, headers: first } = await startWithPeople();
    const refused = await post(app, '/users', ZOE, first);
    const { headers } = await signInOn(app, refused.body, ed, first);
    const form = pageOf(await get(app, '/users/new', headers)).form('Create user');
    const sent = { ...ZOE, key: form.field('key'), draft_key: form.field('draft_key') };
    expect((await post(app, '/users', sent, headers)).statusCode).toBe(303);
    expect(pageOf(await get(app, '/users/new', headers)).field('username')).toBe('');
  });

  test('wait no longer than a session that has ended is kept, however often somebody signs in', async () => {
    const { app, clock, ed, headers: first } = await startWithPeople();
    let { headers } = await signInOn(app, (await post(app, '/users', ZOE, first)).body, ed, first);
    const shown = [];
    for (const days of [20, 9, 2]) {
      clock.move(days * 24 * HOUR);
      ({ headers } = await signInOn(app, (await get(app, '/sign-in', headers)).body, ed, headers));
      shown.push(pageOf(await get(app, '/users/new', headers)).field('username'));
    }
    expect(shown).toEqual(['zoe', 'zoe', '']);
  });

  test.runIf(inject('engine') === 'postgres')(
    'do not outlast somebody who is erased while their user signs in',
    async () => {
      const { app, clock, ed } = await startWithPeople();
      const { db } = app;
      const row = () => ({ token: newToken(), user_id: ed.id, address: '', browser: '' });
      const former = await transact(db, (trx) => insertSession(trx, row(), clock()));
      await transact(db, (trx) => addDraft(trx, former, { form: '/users/new', fields: ZOE }));
      const [moved, end] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const signingIn = transact(db, async (trx) => {
        await moveDrafts(trx, former, await insertSession(trx, row(), clock()), clock());
        moved.resolve();
        await end.promise;
      });
      await moved.promise;
      const erasing = transact(db, async (trx) => {
        await lockErasing(trx);
        await forgetDrafts(trx);
      });
      const waiting = sql`
        select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`;
      await expect.poll(async () => (await waiting.execute(db)).rows.length).toBeGreaterThan(0);
      end.resolve();
      await Promise.all([signingIn, erasing]);
      expect(JSON.stringify(await dump(db))).not.toContain('zoe');
    },
  );

  test('wait on where the session in which they wait ends as well', async () => {
    const { app, clock, ed, headers } = await startWithPeople();
    const refused = await post(app, '/users', ZOE, headers);
    const { headers: first } = await signInOn(app, refused.body, ed, headers);
    clock.move(13 * HOUR);
    const door = await get(app, '/sign-in', first);
    const { headers: second } = await signInOn(app, door.body, ed, first);
    expect(pageOf(await get(app, '/users/new', second)).field('username')).toBe('zoe');
  });
});

describe('nothing is kept of a form', () => {
  test.each<[string, (app: FastifyInstance, ann: Headers, ed: Headers, id: number) => Promise<unknown>]>([
    ['signed out', (app, _ann, ed) => post(app, '/sign-out', {}, ed)],
    ['deactivated', (app, ann, _ed, id) => post(app, `/users/${id}`, { is_active: '0' }, ann)],
    ['given another role', (app, ann, _ed, id) => post(app, `/users/${id}`, { role: 'viewer' }, ann)],
    [
      'given another password',
      (app, _ann, ed) =>
        post(
          app,
          '/account/password',
          {
            current_password: PASSWORD,
            new_password: 'a bicycle in the library',
            new_password_again: 'a bicycle in the library',
          },
          ed,
        ),
    ],
    ['deleted', (app, ann, _ed, id) => post(app, `/users/${id}/delete`, {}, ann)],
  ])('when its user was %s', async (_what, act) => {
    const app = await startApp();
    const ann = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
    const ed = await addPerson(app.db, 'ed', 'editor');
    const headers = await signedIn(app, ed);
    await act(app, ann, headers, ed.id);
    const refused = await post(app, '/users', ZOE, headers);
    expect(refused.statusCode).toBe(401);
    expect(pageOf(refused).fields).not.toContain('draft');
    expect(pageOf(refused).text).toContain('You are not signed in, so nothing was changed.');
  });

  test('of a visitor', async () => {
    const { app } = await startWithPeople();
    const refused = await post(app, '/users', ZOE);
    expect(refused.statusCode).toBe(401);
    expect(pageOf(refused).fields).not.toContain('draft');
    expect(pageOf(refused).field('next')).toBe('/users/new');
    expect(pageOf(refused).text).toContain('your browser may still have it, one step back');
  });

  test('of a button, which is pressed again once whoever did so has signed in', async () => {
    const { app, headers } = await startWithPeople();
    const refused = await post(app, '/users/3/delete', { key: newKey() }, headers);
    expect(pageOf(refused).notices).toEqual([
      'Your session has ended, so nothing was changed. Sign in, and send it again.',
    ]);
    expect(pageOf(refused).field('next')).toBe('/users/3/delete');
  });

  test.each<[string, Record<string, string> | undefined]>([
    ['/account/password', { current_password: PASSWORD, new_password: 'a bicycle in the library' }],
    ['/bulk', { do: 'role', role: 'viewer' }],
    ['/imports/1', { by: 'email' }],
    ['/import', undefined],
  ])('of what was sent to %s, and may still be in the browser', async (address, fields) => {
    const { app, headers } = await startWithPeople();
    const file =
      '--x\r\ncontent-disposition: form-data; name="file"; filename="a.csv"\r\n\r\nusername\r\n--x--';
    const refused = fields
      ? await post(app, address, { ...fields, key: newKey() }, headers)
      : await app.inject({
          method: 'POST',
          url: address,
          headers: { host: 'localhost', ...headers, 'content-type': 'multipart/form-data; boundary=x' },
          payload: file,
        });
    expect(refused.statusCode).toBe(401);
    expect(pageOf(refused).fields).not.toContain('draft');
    expect(pageOf(refused).notices).toEqual([
      'Your session has ended, so nothing was changed. What you sent is not kept here; your browser may still have it, one step back.',
    ]);
  });
});
