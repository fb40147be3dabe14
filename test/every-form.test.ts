/** What holds for every form there is. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { TEMPLATES } from '../src/http/templates.ts';
import { pageOf } from './page.ts';
import { addPerson, codeAt, movableClock, PASSWORD, signedIn, signIn } from './people.ts';
import { addUser, get, post, startApp } from './support.ts';

/** The forms of a view that change something, as they are written. */
function formsOf(view: string): string[] {
  return (view.match(/<form\b[\s\S]*?<\/form>/g) ?? []).filter((form) => /method="post"/.test(form));
}

test('every form that changes something has an idempotency key, and so a field, without which lynx would send it as GET', () => {
  const views = readdirSync(TEMPLATES, { recursive: true, encoding: 'utf8' });
  const forms = views
    .filter((name) => name.endsWith('.eta'))
    .flatMap((name) => formsOf(readFileSync(join(TEMPLATES, name), 'utf8')).map((form) => [name, form]));
  expect(forms.length).toBeGreaterThanOrEqual(15);
  for (const [name, form] of forms) expect(form, name).toContain("include('/partials/key')");
});

async function start() {
  const clock = movableClock();
  const app = await startApp({}, undefined, clock);
  const ann = await addPerson(app.db, 'ann', 'admin');
  const headers = await signedIn(app, ann);
  const eve = await addPerson(app.db, 'eve', 'viewer', { hasCode: true });
  return { app, clock, headers, ann, eve };
}

test('every form on the pages that people see has a key of its own', async () => {
  const { app, headers, ann, eve } = await start();
  await signedIn(app, ann);
  for (const [address, count] of [
    ['/users', 1],
    ['/users/new', 1],
    ['/invite', 1],
    ['/import', 1],
    [`/users/${eve.id}`, 4],
    ['/history', 2],
    ['/history/2/undo', 1],
    [`/users/${eve.id}/delete`, 2],
    ['/account', 4],
    ['/account/profile', 1],
    ['/account/code', 1],
    ['/roles', 1],
  ] as const) {
    const forms = pageOf(await get(app, address, headers)).forms.filter(({ method }) => method === 'post');
    expect(forms, address).toHaveLength(count);
    for (const form of forms)
      expect(form.input('key'), address).toEqual({
        type: 'hidden',
        name: 'key',
        value: expect.stringMatching(/^[\w-]{43}$/),
      });
    expect(new Set(forms.map((form) => form.field('key'))), address).toHaveProperty('size', count);
  }
});

describe('a field that was added on the way, even twice, changes nothing', () => {
  const added = 'x_token=a%&x_token=b&_ext=';
  const send = (fields: Record<string, string>) => `${added}&${new URLSearchParams(fields)}&${added}`;

  test('about users', async () => {
    const { app, headers, eve } = await start();
    const zoe = { username: 'zoe', email: 'zoe@example.org' };
    expect((await post(app, '/users', send(zoe), headers)).body).toBe('User zoe created!\n');
    const version = String(eve.version);
    const edit = send({ version, full_name: 'Eve Ada' });
    expect((await post(app, `/users/${eve.id}`, edit, headers)).body).toBe('User eve updated!\n');
    const removed = await post(app, `/users/${eve.id}/code/delete`, send({ x: '1' }), headers);
    expect(removed.body).toBe('The second factor of eve is removed.\n');
    const linked = await post(app, `/users/${eve.id}/invitation`, added, headers);
    expect(linked.body).toBe('Access link for eve created!\n');
    const zed = { email: 'zed@example.org', role: 'viewer' };
    expect((await post(app, '/invite', send(zed), headers)).body).toBe('zed is invited.\n');
    expect((await post(app, `/users/${eve.id}/delete`, added, headers)).body).toBe('User eve deleted!\n');
    expect((await post(app, '/roles', send({ before: '', viewer: '1' }), headers)).body).toBe('Saved.\n');
  });

  test('at the door', async () => {
    const { app, clock } = await start();
    const page = await post(app, '/sign-in', send({ username: 'eve', password: PASSWORD }));
    const ticket = pageOf(page).field('ticket');
    const answer = await post(app, '/sign-in', send({ ticket, code: codeAt(clock()), next: '/users' }));
    expect(answer.statusCode).toBe(303);
    expect((await post(app, '/sign-out', send({ x: '1' }))).body).toBe('You are signed out.\n');
  });

  test('of an account', async () => {
    const { app, headers } = await start();
    const chosen = 'a bicycle in the library';
    const fields = { current_password: PASSWORD, new_password: chosen, new_password_again: chosen };
    const changed = await post(app, '/account/password', send(fields), headers);
    expect(changed.body).toBe('Your password is changed; every other browser is signed out.\n');
    expect(await signIn(app, 'ann', chosen)).toBeDefined();
  });

  test('while a known one sent twice is refused, and changes nothing', async () => {
    const { app, headers } = await start();
    const bob = await addUser(app.db, { username: 'bob' });
    const twice = await post(app, `/users/${bob.id}`, 'is_active=0&x=1&is_active=1', headers);
    expect(twice.statusCode).toBe(400);
    expect(pageOf(twice).text).toContain('was sent twice');
    expect(pageOf(await get(app, `/users/${bob.id}`, headers)).buttons).toContain('Deactivate');
  });
});

test('forms about others do not offer what a browser knows of oneself; those about oneself do', async () => {
  const { app, headers, eve } = await start();
  for (const address of ['/users/new', '/invite', `/users/${eve.id}/edit`]) {
    const page = pageOf(await get(app, address, headers));
    for (const name of ['username', 'email', 'full_name'])
      expect(page.input(name).autocomplete, name).toBe('off');
  }
  const setup = await startApp();
  const page = pageOf(await get(setup, `/setup/${setup.setupToken}`));
  for (const [name, token] of Object.entries({
    username: 'username',
    email: 'email',
    full_name: 'name',
    new_password: 'new-password',
  }))
    expect(page.input(name).autocomplete).toBe(token);
});
