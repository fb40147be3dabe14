import { describe, expect, test } from 'vitest';
import { type Actor, commandLine } from '../../src/auth/actor.ts';
import { findCredentials } from '../../src/auth/credentials.ts';
import type { Role, User } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { ForbiddenError } from '../../src/errors.ts';
import { acceptInvitation, withdrawLink } from '../../src/invitations/commands.ts';
import { changeUser } from '../../src/users/commands.ts';
import { findUserByUsername } from '../../src/users/queries.ts';
import { pageOf } from '../page.ts';
import { addPerson, HOUR, movableClock, PASSWORD, signedIn, signIn } from '../people.ts';
import { addUser, cookieName, cookiesOf, get, post, startApp } from '../support.ts';

const NEW = 'a bicycle in the library';
const CHOSEN = { new_password: NEW, new_password_again: NEW };

async function start(settings: Record<string, string> = {}) {
  const clock = movableClock();
  const app = await startApp(settings, undefined, clock);
  const ann = await addPerson(app.db, 'ann', 'admin');
  const headers = await signedIn(app, ann);
  const ed = await addUser(app.db, { username: 'ed', role: 'editor' });
  const invite = async (id = ed.id) => {
    const made = await post(app, `/users/${id}/invitation`, {}, headers);
    expect(made.statusCode).toBe(303);
    const page = await get(app, String(made.headers.location), headers);
    const link = pageOf(page).secret;
    return { page, link, path: new URL(link).pathname };
  };
  return { app, clock, headers, ed, invite };
}

describe('a link', () => {
  test('is shown to the administrator, and gives access to whoever opens it', async () => {
    const { app, ed, headers, invite } = await start();
    const { page, link, path } = await invite();
    expect([page.statusCode, page.headers['cache-control']]).toEqual([200, 'no-store']);
    expect(link).toMatch(/^http:\/\/localhost\/invitations\/[\w-]{43}$/);
    const form = await get(app, path);
    expect([form.statusCode, form.headers['cache-control']]).toEqual([200, 'no-store']);
    expect(pageOf(form).text).toContain('You then sign in as ed.');
    expect(pageOf(form).focused).toEqual(['new_password']);
    expect(pageOf(form).inputs).toContainEqual(
      expect.objectContaining({ value: 'ed', autocomplete: 'username' }),
    );
    expect(await signIn(app, 'ed', NEW)).toBeUndefined();
    const answer = await post(app, path, CHOSEN);
    expect([answer.statusCode, answer.headers.location]).toEqual([303, '/sign-in?username=ed']);
    expect(answer.body).toBe('Your password is set. Sign in as ed.\n');
    expect(answer.cookies.map(({ name }) => name)).toEqual([cookieName('device'), cookieName('flash')]);
    expect(await signIn(app, 'ed', NEW)).toBeDefined();
    expect(await findCredentials(app.db, ed.id)).toBeDefined();
    const history = pageOf(await get(app, '/history', headers));
    expect(history.text).toContain('Somebody with the access link Chose a password for ed');
  });

  test('leads back to whose it is, unless it is of an invitation', async () => {
    const { app, ed, headers, invite } = await start();
    const page = pageOf((await invite()).page);
    expect(page.link('Done')).toBe(`/users/${ed.id}`);
    expect(page.links.map(({ text }) => text)).not.toContain('Invite another');
    const sent = await post(app, '/invite', { email: 'ada@example.org', role: 'viewer' }, headers);
    const invited = pageOf(await get(app, String(sent.headers.location), headers));
    expect([invited.link('Done'), invited.link('Invite another')]).toEqual(['/users', '/invite']);
  });

  test('signs nobody in: the form for that is filled in, but for the password', async () => {
    const { app, invite } = await start();
    const { id } = await addUser(app.db, { username: 'eve+1', role: 'viewer' });
    const { headers, cookies } = await post(app, (await invite(id)).path, CHOSEN);
    const cookie = cookiesOf({ cookies });
    const page = pageOf(await get(app, String(headers.location), { cookie }));
    expect(page.notices).toEqual(['Your password is set. Sign in as eve+1.']);
    expect(page.field('username')).toBe('eve+1');
    expect(page.focused).toEqual(['password']);
    expect(page.input('password')).toMatchObject({ 'aria-describedby': 'flash' });
  });

  test('opened where somebody else is signed in says so, before and after, and how to sign out', async () => {
    const { app, headers, invite } = await start();
    const { path } = await invite();
    const form = pageOf(await get(app, path, headers));
    expect(form.notices).toEqual([
      'This browser is signed in as ann, and the link is for ed, who alone is to know the password.',
    ]);
    expect(form.form('Sign out').field('next')).toBe(path);
    const answer = await post(app, path, CHOSEN, headers);
    const saved = pageOf(await get(app, String(answer.headers.location), headers));
    expect(saved.text).toContain('You are signed in as ann. Sign out, to sign in as ed.');
    const next = saved.main.form('Sign out').field('next');
    const out = await post(app, '/sign-out', { next }, headers);
    expect([out.statusCode, out.headers.location]).toEqual([303, '/sign-in?username=ed']);
    expect(pageOf(await get(app, next)).field('username')).toBe('ed');
  });

  test('is not for oneself: an account takes the password to change it', async () => {
    const { app, headers } = await start();
    const me = await findUserByUsername(app.db, 'ann');
    const { forms, links } = pageOf(await get(app, `/users/${me?.id}`, headers)).main;
    expect(forms.filter(({ action }) => /invitation|code/.test(action))).toEqual([]);
    expect(links).toContainEqual({ text: 'Your account', href: '/account' });
    for (const path of ['invitation', 'code/delete']) {
      const answer = await post(app, `/users/${me?.id}/${path}`, {}, headers);
      expect([answer.statusCode, answer.headers.location]).toEqual([303, '/account']);
    }
    expect(await app.db.selectFrom('invitations').selectAll().execute()).toEqual([]);
  });

  test('begins with the public address, if there is one', async () => {
    const { invite } = await start({ ORIGIN: 'https://users.example.org', TRUST_PROXY: '10.0.0.1' });
    expect((await invite()).link).toMatch(/^https:\/\/users\.example\.org\/invitations\//);
  });

  test('works once, also for two who send it at once', async () => {
    const { app, invite } = await start();
    const { path } = await invite();
    const answers = await Promise.all([1, 2, 3].map(() => post(app, path, CHOSEN)));
    expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([303, 404, 404]);
    const used = await get(app, path);
    expect(used.statusCode).toBe(404);
    expect(pageOf(used).text).toContain('This link has been used');
  });

  test('sets one password, where two have thought of one at the same moment', async () => {
    const { app, ed, invite } = await start();
    const token = (await invite()).path.slice('/invitations/'.length);
    const [first, second] = await Promise.all(
      ['one', 'two'].map((end) =>
        transact(app.db, (trx) => acceptInvitation(trx, commandLine, token, `$argon2id$${end}`, app.clock())),
      ),
    );
    expect([first, second].map((user) => user?.id).sort()).toEqual([ed.id, undefined]);
    const { password_hash } = (await findCredentials(app.db, ed.id)) ?? {};
    expect(password_hash).toBe(first ? '$argon2id$one' : '$argon2id$two');
  });

  test('works for 72 hours', async () => {
    const { app, clock, invite } = await start();
    const { path } = await invite();
    clock.move(72 * HOUR - 1);
    expect((await get(app, path)).statusCode).toBe(200);
    clock.move(1);
    for (const page of [await get(app, path), await post(app, path, CHOSEN)]) {
      expect(page.statusCode).toBe(404);
      expect(pageOf(page).text).toBe(
        'This link is too old It was good for 72 hours after it was made. Ask an administrator for a new one. Sign in',
      );
    }
  });

  test('is used up by no one who only looks at it, as what scans mail does', async () => {
    const { app, invite } = await start();
    const { path } = await invite();
    const before = await app.db.selectFrom('invitations').selectAll().execute();
    for (const method of ['GET', 'HEAD', 'GET'] as const)
      expect((await app.inject({ method, url: path, headers: { host: 'localhost' } })).statusCode).toBe(200);
    expect(await app.db.selectFrom('invitations').selectAll().execute()).toEqual(before);
    expect((await post(app, path, CHOSEN)).statusCode).toBe(303);
  });

  test('that has been used or is too old says which, and what to do, to someone who is signed in, too', async () => {
    const { app, clock, ed, headers, invite } = await start();
    const bob = await addPerson(app.db, 'bob', 'viewer');
    const used = await invite();
    await post(app, used.path, CHOSEN);
    const asBob = await signedIn(app, bob);
    expect(pageOf(await get(app, used.path)).text).toBe(
      'This link has been used A password was chosen with it, and it works once. Sign in with that password. If it was not you who chose it, tell an administrator. Sign in',
    );
    expect(pageOf(await get(app, used.path, asBob)).text).toBe(
      'This link has been used A password was chosen with it, and it works once. Sign in with that password. If it was not you who chose it, tell an administrator. You are signed in as bob. Go to the list of users',
    );
    const page = pageOf(await get(app, used.path, headers));
    expect(page.text).toContain('You are signed in as ann. If ed needs another one, create it.');
    expect(page.link(`Look at user ${ed.id}`)).toBe(`/users/${ed.id}`);
    const old = await invite();
    expect(pageOf(await get(app, used.path)).text).toContain(
      'It was replaced, withdrawn, or ended when the account was changed. Look for a newer one, or ask an administrator.',
    );
    clock.move(72 * HOUR);
    const later = await signedIn(app, bob);
    expect(pageOf(await get(app, old.path, later)).text).toContain(
      'This link is too old It was good for 72 hours after it was made. Ask an administrator for a new one. You are signed in as bob.',
    );
  });

  test.each([{ email: 'edd@example.org' }, { role: 'viewer' as const }])(
    'that has been used says so still after its user was given %j',
    async (changes) => {
      const { app, ed, invite } = await start();
      const { path } = await invite();
      await post(app, path, CHOSEN);
      await transact(app.db, (trx) => changeUser(trx, commandLine, ed.id, changes, 1));
      expect(pageOf(await get(app, path)).text).toContain('This link has been used');
    },
  );

  test('that has been used waits no longer, and there is nothing to withdraw', async () => {
    const { app, ed, headers, invite } = await start();
    await post(app, (await invite()).path, CHOSEN);
    expect(pageOf(await get(app, `/users/${ed.id}`, headers)).buttons).not.toContain('Withdraw link');
    const withdrawn = await post(app, `/users/${ed.id}/invitation/delete`, {}, headers);
    expect(withdrawn.body).toBe('There was no access link of ed any more.\n');
  });

  test('is one however often its form is sent, also after it has been withdrawn; another form makes another', async () => {
    const { app, ed, headers } = await start();
    const open = async () =>
      pageOf(await get(app, `/users/${ed.id}`, headers))
        .form('Create access link')
        .field('key');
    const send = async (key: string) => {
      const { location } = (await post(app, `/users/${ed.id}/invitation`, { key }, headers)).headers;
      return pageOf(await get(app, String(location), headers));
    };
    const key = await open();
    const link = (await send(key)).secret;
    expect((await send(key)).secret).toBe(link);
    await post(app, `/users/${ed.id}/invitation/delete`, {}, headers);
    expect((await send(key)).heading).toBe('Shown no longer');
    const again = (await send(await open())).secret;
    expect((await get(app, new URL(link).pathname)).statusCode).toBe(404);
    expect((await get(app, new URL(again).pathname)).statusCode).toBe(200);
  });

  test('is seen again in the session that has made it, until it is used, and in no other', async () => {
    const { app, ed, headers } = await start();
    const { location } = (await post(app, `/users/${ed.id}/invitation`, {}, headers)).headers;
    const show = async (as = headers) => get(app, String(location), as);
    const link = pageOf(await show()).secret;
    expect(pageOf(await show()).secret).toBe(link);
    const eve = await signedIn(app, await addPerson(app.db, 'eve', 'admin'));
    const ann = await findUserByUsername(app.db, 'ann');
    for (const as of [eve, await signedIn(app, ann as User)]) {
      const page = await show(as);
      expect([page.statusCode, page.body.includes(link)]).toEqual([404, false]);
      expect(pageOf(page).text).toContain('only to whoever has made it, until they sign in again,');
      expect(pageOf(page).text).toContain(`create a new link on the page of user ${ed.id}; an earlier one`);
    }
    await post(app, new URL(link).pathname, CHOSEN);
    expect(pageOf(await show()).text).toContain('until it is used, replaced, withdrawn or too old.');
    expect((await get(app, `/users/${ed.id}/invitation`, headers)).headers.location).toBe(`/users/${ed.id}`);
  });

  test('takes the place of an earlier one', async () => {
    const { app, invite } = await start();
    const [first, second] = [await invite(), await invite()];
    expect((await get(app, first.path)).statusCode).toBe(404);
    expect((await get(app, second.path)).statusCode).toBe(200);
  });

  test('ends when a password is set in another way', async () => {
    const { app, invite } = await start();
    const bob = await addPerson(app.db, 'bob', 'viewer');
    const { path } = await invite(bob.id);
    const change = { current_password: PASSWORD, ...CHOSEN };
    expect((await post(app, '/account/password', change, await signedIn(app, bob))).statusCode).toBe(303);
    expect((await get(app, path)).statusCode).toBe(404);
  });

  test.each(['.', ')', '%29', '%3E', '_', '%E2%80%A6', '%E2%80%8B'])(
    'is good with %s behind it, and its form goes to the link itself',
    async (end) => {
      const { app, invite } = await start();
      const { path } = await invite();
      for (const page of [await get(app, path + end), await post(app, path + end, { new_password: 'short' })])
        expect(pageOf(page).form('Save password').action).toBe(path);
      expect((await post(app, path + end, CHOSEN)).statusCode).toBe(303);
      const used = await get(app, path + end);
      expect([used.statusCode, pageOf(used).text]).toEqual([404, expect.stringContaining('has been used')]);
    },
  );

  test('that is cut off, or has a letter more, is told from one that has been used', async () => {
    const { app, invite } = await start();
    const { path } = await invite();
    for (const other of [path.slice(0, -1), `${path.slice(0, -4)}...`, `${path}x`]) {
      for (const page of [await get(app, other), await post(app, other, CHOSEN)]) {
        expect(page.statusCode).toBe(404);
        expect(pageOf(page).text).toContain(
          'This is not the whole link. Copy all of it, up to its last letter',
        );
      }
    }
    expect((await get(app, path)).statusCode).toBe(200);
  });

  test('survives a password that is refused', async () => {
    const { app, invite } = await start();
    const { path } = await invite();
    const refused = await post(app, path, { new_password: 'short', new_password_again: '' });
    expect(refused.statusCode).toBe(422);
    expect(pageOf(refused).errorOf('new_password')).toContain(
      'The password is too short: 5 characters, at least 15.',
    );
    expect((await post(app, path, CHOSEN)).statusCode).toBe(303);
  });

  test('resets a password: the old one and every session end', async () => {
    const { app, invite } = await start();
    const bob = await addPerson(app.db, 'bob', 'viewer');
    const session = await signedIn(app, bob);
    const { path } = await invite(bob.id);
    expect((await get(app, '/users', session)).statusCode).toBe(200);
    await post(app, path, CHOSEN);
    expect((await get(app, '/users', session)).statusCode).toBe(303);
    expect(await signIn(app, 'bob')).toBeUndefined();
    expect(await signIn(app, 'bob', NEW)).toBeDefined();
  });

  test('leaves the second factor as it is', async () => {
    const { app, invite } = await start();
    const bob = await addPerson(app.db, 'bob', 'viewer', { hasCode: true });
    await post(app, (await invite(bob.id)).path, CHOSEN);
    expect(pageOf(await post(app, '/sign-in', { username: 'bob', password: NEW })).text).toContain(
      'Enter your code',
    );
  });

  test('is not made for a member, nor for someone inactive, and ends with the role', async () => {
    const { app, ed, headers, invite } = await start();
    const member = await addUser(app.db, { username: 'max' });
    const refused = await post(app, `/users/${member.id}/invitation`, {}, headers);
    expect(refused.body).toBe('No access link was made: max must be active, and more than a member.\n');
    const { path } = await invite();
    await transact(app.db, (trx) => changeUser(trx, commandLine, ed.id, { role: 'member' }, 1));
    expect((await get(app, path)).statusCode).toBe(404);
    await transact(app.db, (trx) => changeUser(trx, commandLine, ed.id, { role: 'admin' }, 1));
    expect((await get(app, path)).statusCode).toBe(404);
    const again = await invite();
    await transact(app.db, (trx) => changeUser(trx, commandLine, ed.id, { is_active: false }, 1));
    expect((await get(app, again.path)).statusCode).toBe(404);
  });

  test('ends with the email that it may have been sent to', async () => {
    const { app, ed, invite } = await start();
    const { path } = await invite();
    await transact(app.db, (trx) => changeUser(trx, commandLine, ed.id, { full_name: 'Ed' }, 1));
    expect((await get(app, path)).statusCode).toBe(200);
    await transact(app.db, (trx) => changeUser(trx, commandLine, ed.id, { email: 'edd@example.org' }, 1));
    expect((await get(app, path)).statusCode).toBe(404);
  });

  test('waits on the page of its user, with its end, until it is withdrawn', async () => {
    const { app, clock, ed, headers, invite } = await start();
    const show = async () => pageOf(await get(app, `/users/${ed.id}?from=sort%3Demail`, headers));
    expect((await show()).buttons).toContain('Create access link');
    const { path } = await invite();
    clock.move(HOUR);
    const page = await show();
    // The clock of this test stands in June; the page's words for how long ago it was go by the real one.
    expect(page.text).toMatch(
      /One was made .+, and works until 4 June 2026, 12:00 UTC\. A new one takes its place\./,
    );
    expect(page.text).toContain('ann created an access link');
    expect(page.buttons).toContain('Create new link');
    const { action } = page.form('Withdraw link');
    const answer = await post(app, action, {}, headers);
    expect(answer.headers.location).toBe(`/users/${ed.id}?from=sort%3Demail`);
    expect(answer.body).toBe('The access link of ed is withdrawn.\n');
    expect((await get(app, path)).statusCode).toBe(404);
    expect((await show()).buttons).not.toContain('Withdraw link');
    expect((await post(app, action, {}, headers)).body).toBe('There was no access link of ed any more.\n');
  });

  test('that is too old waits no longer', async () => {
    const { app, clock, ed, invite } = await start();
    await invite();
    clock.move(72 * HOUR);
    const headers = await signedIn(app, await addPerson(app.db, 'eve', 'admin'));
    const page = pageOf(await get(app, `/users/${ed.id}`, headers));
    expect(page.buttons).toContain('Create access link');
    expect(page.text).not.toMatch(/One was made|Access link created/);
  });

  test('is withdrawn by administrators, whichever way they come, and that is noted', async () => {
    const { app, ed, invite } = await start();
    const { path } = await invite();
    const notes: string[] = [];
    const note: Actor['note'] = (event, user) => notes.push(`${event} (${user?.username})`);
    const withdrawAs = (role: Role) =>
      transact(app.db, (trx) => withdrawLink(trx, { ...commandLine, role, note }, ed.id, 2));
    for (const role of ['member', 'viewer', 'editor'] as const)
      await expect(withdrawAs(role), role).rejects.toThrow(ForbiddenError);
    expect((await get(app, path)).statusCode).toBe(200);
    expect((await withdrawAs('admin')).kind).toBe('withdrawn');
    expect((await withdrawAs('admin')).kind).toBe('none');
    expect(notes).toEqual(['access link withdrawn (ed)']);
  });

  test('is not in the database', async () => {
    const { app, invite } = await start();
    const { path } = await invite();
    const rows = JSON.stringify(await app.db.selectFrom('invitations').selectAll().execute());
    expect(rows).not.toContain(path.split('/').at(-1));
  });
});

test('an administrator removes a lost second factor, and the sessions with it', async () => {
  const { app, headers } = await start();
  const bob = await addPerson(app.db, 'bob', 'viewer', { hasCode: true, recoveryHashes: ['one'] });
  const session = await signedIn(app, bob);
  expect(pageOf(await get(app, `/users/${bob.id}`, headers)).text).toContain('Second factor Set');
  const answer = await post(app, `/users/${bob.id}/code/delete`, {}, headers);
  expect(answer.body).toBe('The second factor of bob is removed.\n');
  expect((await get(app, '/users', session)).statusCode).toBe(303);
  expect(await app.db.selectFrom('recovery_codes').selectAll().execute()).toEqual([]);
  expect(await signIn(app, 'bob', PASSWORD)).toBeDefined();
});
