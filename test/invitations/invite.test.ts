import { describe, expect, test } from 'vitest';
import { transact } from '../../src/db/transact.ts';
import { findUserByUsername } from '../../src/users/queries.ts';
import { usernameFrom } from '../../src/users/validation.ts';
import { pageOf } from '../page.ts';
import { addPerson, type Headers, HOUR, movableClock, PASSWORD, signedIn, signIn } from '../people.ts';
import { addUser, addUsers, cookiesOf, get, post, startApp } from '../support.ts';

const PROXY = { ORIGIN: 'https://users.example.org', TRUST_PROXY: '127.0.0.1' };
const ADA = { full_name: 'Ada Byron', email: 'ada@example.org', role: 'viewer' };

async function start(settings = {}) {
  const clock = movableClock();
  const app = await startApp(settings, undefined, clock);
  const ann = await addPerson(app.db, 'ann', 'admin', { full_name: 'Ann Admin' });
  const headers = await signedIn(app, ann);
  const open = async () => pageOf(await get(app, '/invite', headers));
  const invite = async (fields: Record<string, string> = {}, as: Headers = headers) =>
    post(app, '/invite', { ...ADA, ...fields }, as);
  const follow = async (answer: { headers: { location?: unknown } }) =>
    pageOf(await get(app, String(answer.headers.location), headers));
  return { app, clock, headers, open, invite, follow };
}

describe('inviting someone', () => {
  test('makes them and their link in one act, and shows both with what to do', async () => {
    const { app, headers, invite, follow } = await start();
    expect(pageOf(await get(app, '/users', headers)).link('Invite')).toBe('/invite');
    const answer = await invite();
    expect([answer.statusCode, answer.body]).toEqual([303, 'Ada Byron is invited.\n']);
    const page = await follow(answer);
    expect(page.heading).toBe('Ada Byron can get in with this link');
    expect(page.text).toContain('ada@example.org Viewer');
    expect(page.text).toContain('It works once, until 4 June 2026, 12:00 UTC.');
    expect(page.text).toContain(
      'It opens on this machine alone; once Roster is set up for others, create a new one.',
    );
    expect(page.links.map(({ text }) => text)).not.toContain('Write a mail');
    const ada = await findUserByUsername(app.db, 'ada');
    expect(page.link('Change it')).toBe(`/users/${ada?.id}/edit`);
    expect(page.link('Invite another')).toBe('/invite');
    expect(page.link('Done')).toBe('/users');
    expect(page.link('Ada Byron')).toBe(`/users/${ada?.id}`);
    expect(page.buttons).toEqual([]);
    expect(ada).toMatchObject({ full_name: 'Ada Byron', role: 'viewer', is_active: true });
    const path = new URL(page.secret).pathname;
    await post(app, path, { new_password: PASSWORD, new_password_again: PASSWORD });
    expect(await signIn(app, 'ada')).toBeDefined();
  });

  test('leaves nobody where their link cannot be made', async () => {
    const { app, invite } = await start();
    await transact(app.db, (trx) => trx.schema.dropTable('invitations').execute());
    expect((await invite()).statusCode).toBe(500);
    expect(await findUserByUsername(app.db, 'ada')).toBeUndefined();
  });

  test('has a mail ready, with the link and who invites', async () => {
    const { invite, follow } = await start(PROXY);
    const answer = await invite({ email: "o'brien+x@example.org" });
    expect(answer.body).toBe('Ada Byron is invited. Send them the link.\n');
    const page = await follow(answer);
    const mail = new URL(page.link('Write a mail'));
    expect([mail.protocol, decodeURIComponent(mail.pathname)]).toEqual(['mailto:', "o'brien+x@example.org"]);
    expect(mail.searchParams.get('subject')).toBe('Your access to Roster');
    const body = String(mail.searchParams.get('body'));
    expect(body).toContain(
      'Hello Ada Byron,\r\n\r\nAnn Admin gives you access to Roster, the directory at https://users.example.org.',
    );
    expect(body).toContain(`\r\n${page.secret}\r\n`);
    expect(body).toContain('until 4 June 2026, 12:00 UTC');
    expect(mail.search).not.toContain('+');
  });

  test('offers the roles that can sign in, and asks for no more than an email', async () => {
    const { app, open, invite } = await start();
    const page = await open();
    expect(page.focused).toEqual(['full_name']);
    expect(page.inputs.filter(({ name }) => name === 'role').map(({ value }) => value)).toEqual([
      'viewer',
      'editor',
      'admin',
    ]);
    expect(page.field('role')).toContain('Viewer');
    expect(page.text).toContain('Viewer, unless you choose another.');
    expect(page.link('New user')).toBe('/users/new');
    expect(page.input('username')).toMatchObject({ autocapitalize: 'none', spellcheck: 'false' });
    expect(page.input('username')).not.toHaveProperty('required');
    expect((await invite({ full_name: '', role: 'editor' })).statusCode).toBe(303);
    expect(await findUserByUsername(app.db, 'ada')).toMatchObject({ full_name: null, role: 'editor' });
    const member = await invite({ email: 'max@example.org', role: 'member' });
    expect([member.statusCode, pageOf(member).errorOf('role')]).toEqual([
      422,
      'Error: Choose one of the roles.',
    ]);
  });

  test('says all that is wrong at once, beside its field, and keeps what was typed', async () => {
    const { app, invite } = await start();
    await addUser(app.db, { username: 'bob' });
    const typed = { full_name: 'a\u202Eb', email: 'no', username: 'bob', role: 'queen' };
    const answer = await invite(typed);
    expect(answer.statusCode).toBe(422);
    const page = pageOf(answer);
    expect(page.title).toBe('Error: Invite someone · Roster');
    expect(page.errorOf('full_name')).toContain('reverses the direction of text');
    expect(page.errorOf('email')).toContain('Enter an email address like name@example.org.');
    expect(page.errorOf('username')).toContain('That username already belongs to bob.');
    expect(page.errorOf('role')).toContain('Choose one of the roles.');
    expect([page.field('email'), page.field('username')]).toEqual(['no', 'bob']);
    expect(await app.db.selectFrom('invitations').selectAll().execute()).toEqual([]);
  });

  test('who is there already is refused, with whose email it is', async () => {
    const { app, invite } = await start();
    await invite();
    const answer = await invite({ full_name: 'Ada' });
    expect(answer.statusCode).toBe(422);
    expect(pageOf(answer).errorOf('email')).toContain('That email already belongs to ada. See ada');
    const members = { tom: true, una: false };
    for (const [username, is_active] of Object.entries(members)) {
      await addUser(app.db, { username, email: `${username}@example.org`, is_active });
      const refused = pageOf(await invite({ email: `${username}@example.org` }));
      expect(refused.text.includes('Let them in on their own page.')).toBe(is_active);
    }
    expect(await app.db.selectFrom('users').selectAll().execute()).toHaveLength(4);
  });

  test('a form that is sent twice, as by a double click, invites once, and leads to one page', async () => {
    const { app, open, invite, follow } = await start();
    const key = (await open()).field('key');
    const answers = await Promise.all([1, 2, 3].map(() => invite({ key })));
    answers.push(await invite({ key }));
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([303, 303, 303, 303]);
    expect(new Set(answers.map(({ headers }) => headers.location))).toHaveProperty('size', 1);
    for (const answer of answers) expect((await follow(answer)).secret).toMatch(/\/invitations\/[\w-]{43}$/);
    expect(await app.db.selectFrom('users').selectAll().execute()).toHaveLength(2);
  });

  test('after Back a form with the same key is no second click, where something else is typed', async () => {
    const { open, invite } = await start();
    const key = (await open()).field('key');
    await invite({ key });
    expect((await invite({ key, role: 'admin' })).statusCode).toBe(422);
    const eve = { full_name: 'Eve', email: 'eve@example.org' };
    expect((await invite({ key, ...eve })).body).toBe('Eve is invited.\n');
  });

  test('is for administrators, and while there is none for nobody', async () => {
    const { app, invite } = await start();
    const ed = await signedIn(app, await addPerson(app.db, 'ed', 'editor'));
    expect((await invite({}, ed)).statusCode).toBe(403);
    expect(pageOf(await get(app, '/users', ed)).links.map(({ text }) => text)).not.toContain('Invite');
    const open = await startApp();
    for (const page of [await get(open, '/invite'), await post(open, '/invite', ADA)]) {
      expect(page.statusCode).toBe(403);
      expect(pageOf(page).text).toContain('Roster’s log has a link that makes the first one.');
      expect(pageOf(page).text).toContain('Only administrators can do that.');
    }
    expect(await findUserByUsername(open.db, 'ada')).toBeUndefined();
  });

  test('keeps what was typed where the session has ended meanwhile', async () => {
    const { app, clock, invite } = await start();
    clock.move(13 * HOUR);
    const late = await invite();
    expect(late.statusCode).toBe(401);
    const { cookies } = await post(app, '/sign-in', {
      username: 'ann',
      password: PASSWORD,
      next: pageOf(late).field('next'),
      draft: pageOf(late).field('draft'),
    });
    const cookie = cookiesOf({ cookies });
    expect(pageOf(await get(app, '/invite', { cookie })).field('email')).toBe('ada@example.org');
  });
});

describe('inviting a member', () => {
  const FOLD = 'Let them in';

  async function startWithMia() {
    const house = await start();
    const { app, headers } = house;
    const mia = await addUser(app.db, { username: 'mia' });
    const show = async (as = headers) => pageOf(await get(app, `/users/${mia.id}`, as));
    const inviteMia = async (role: string) => post(app, `/users/${mia.id}/invite`, { role }, headers);
    return { ...house, mia, show, inviteMia };
  }

  test('gives them a role and a link in one act, on their page, and shows the link', async () => {
    const { app, headers, mia, show, follow } = await startWithMia();
    const page = await show();
    expect(page.isOpen(FOLD)).toBe(false);
    const form = page.form('Invite');
    expect(form.text).toContain('EditorAlso manages members, who cannot sign in.');
    expect(form.text).not.toContain('Member');
    expect(form.text).toContain('They choose a password by a link, which you see next.');
    expect(form.field('role')).toContain('Viewer');
    const answer = await post(app, form.action, { role: 'editor', key: form.field('key') }, headers);
    expect([answer.statusCode, answer.body]).toEqual([303, 'mia is invited.\n']);
    const shown = await follow(answer);
    expect(shown.heading).toBe('mia can get in with this link');
    expect(shown.text).toContain('mia@example.org Editor');
    const { text } = await show();
    expect(text).toContain('ann invited this user');
    expect(text).not.toContain(FOLD);
    const path = new URL(shown.secret).pathname;
    await post(app, path, { new_password: PASSWORD, new_password_again: PASSWORD });
    expect(await signIn(app, 'mia')).toBeDefined();
    expect(await findUserByUsername(app.db, 'mia')).toMatchObject({ id: mia.id, role: 'editor' });
  });

  test('can be undone: then they are a member again, and the link is good for nothing', async () => {
    const { app, headers, mia, follow, inviteMia } = await startWithMia();
    const answer = await inviteMia('admin');
    const path = new URL((await follow(answer)).secret).pathname;
    const flash = cookiesOf(answer);
    const next = await get(app, '/users', { ...headers, cookie: `${headers.cookie}; ${flash}` });
    await post(app, pageOf(next).form('Undo').action, {}, headers);
    expect(await findUserByUsername(app.db, 'mia')).toMatchObject({ role: 'member' });
    // Nor once they are more than a member again, whom no link lets in.
    await post(app, `/users/${mia.id}`, { role: 'viewer' }, headers);
    expect((await get(app, path)).statusCode).toBe(404);
  });

  test('is for active members, also where somebody has let them in meanwhile', async () => {
    const { app, headers, mia, show, inviteMia } = await startWithMia();
    await post(app, `/users/${mia.id}`, { is_active: '0' }, headers);
    expect((await show()).text).not.toContain(FOLD);
    const answers = [await inviteMia('viewer')];
    await post(app, `/users/${mia.id}`, { is_active: '1', role: 'editor' }, headers);
    answers.push(await inviteMia('viewer'));
    for (const answer of answers)
      expect([answer.headers.location, answer.body]).toEqual([
        `/users/${mia.id}`,
        'Nothing was changed: mia must be active, and a member.\n',
      ]);
    expect(await findUserByUsername(app.db, 'mia')).toMatchObject({ role: 'editor' });
    expect(await app.db.selectFrom('invitations').selectAll().execute()).toEqual([]);
  });

  test('takes a role that can sign in', async () => {
    const { app, inviteMia } = await startWithMia();
    for (const role of ['member', 'owner', '']) {
      const answer = await inviteMia(role);
      expect(answer.statusCode).toBe(400);
      expect(pageOf(answer).text).toContain('Choose one of the roles.');
    }
    expect(await findUserByUsername(app.db, 'mia')).toMatchObject({ role: 'member', version: 1 });
  });

  test('is offered to nobody but administrators', async () => {
    const { app, show } = await startWithMia();
    for (const role of ['viewer', 'editor'] as const)
      expect((await show(await signedIn(app, await addPerson(app.db, role, role)))).text).not.toContain(FOLD);
  });
});

describe('a username that is left empty', () => {
  test.each([
    ['ada.byron@example.org', 'ada.byron'],
    ['Ada_B+roster@example.org', 'Ada_B+roster'],
    ["o'brien!@example.org", 'obrien'],
    ['.-{x}@example.org', 'x'],
    ['{}@example.org', 'user'],
  ])('of %s is %s', (email, username) => {
    expect(usernameFrom(email)).toBe(username);
  });

  test('has a number behind it where others are called so, and is never too long', async () => {
    expect(usernameFrom(`${'a'.repeat(64)}@example.org`, 12)).toBe(`${'a'.repeat(62)}12`);
    const { app, invite, follow } = await start();
    await addUsers(app.db, ['ADA', 'ada2']);
    const page = await follow(await invite({ email: 'ada@example.com', username: ' ' }));
    expect(page.text).toContain('Username ada3 Change it');
  });

  test('has a large one where very many are', async () => {
    const { app, invite, follow } = await start();
    const others = Array.from({ length: 98 }, (_, index) => `ada${index + 2}`);
    await addUsers(app.db, ['ada', ...others]);
    const page = await follow(await invite({ email: 'ada@example.com' }));
    expect(page.text).toMatch(/Username ada\d{3,6} Change it/);
  });

  test('has the next number for those who are invited at the same moment', async () => {
    const { app, invite } = await start();
    const emails = ['com', 'net', 'edu', 'dev'].map((end) => `ada@example.${end}`);
    const answers = await Promise.all(emails.map((email) => invite({ email })));
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([303, 303, 303, 303]);
    const users = await app.db.selectFrom('users').select('username').execute();
    expect(users.map(({ username }) => username).sort()).toEqual(['ada', 'ada2', 'ada3', 'ada4', 'ann']);
  });
});
