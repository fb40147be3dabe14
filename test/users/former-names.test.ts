/** Somebody new with the username or email of somebody who is deleted: it is asked who is meant, by those who may know of them. */
import { expect, test } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import { ROLES, type Role } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { findFormerOfRows } from '../../src/imports/former-names.ts';
import { changeUser, deleteUser, restoreUser } from '../../src/users/commands.ts';
import { findFormerNames } from '../../src/users/former-names.ts';
import { check } from '../imports/bringing.ts';
import { pageOf } from '../page.ts';
import { addPerson, signedIn } from '../people.ts';
import { addUser, get, post, startApp } from '../support.ts';

async function start(role: 'admin' | 'editor' = 'editor', former: Role = 'member') {
  const app = await startApp();
  const headers = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
  const asked = role === 'admin' ? headers : await signedIn(app, await addPerson(app.db, 'eve', role));
  const ada = await addUser(app.db, {
    username: 'ada',
    email: 'ada@example.org',
    full_name: 'Ada',
    role: former,
  });
  await transact(app.db, (trx) => deleteUser(trx, commandLine, ada.id, 1));
  const send = (path: string, fields: Record<string, string>) => post(app, path, fields, asked);
  const names = async () => {
    const users = await app.db.selectFrom('users').select(['id', 'username']).orderBy('id').execute();
    return users.filter(({ username }) => username !== 'ann' && username !== 'eve');
  };
  return { app, headers: asked, ada, send, names };
}

const TYPED = { username: 'ADA', email: 'other@example.org', full_name: '', role: 'member', is_active: '1' };

test('the form of a user says so, keeps what was typed, and makes somebody new when it is sent again', async () => {
  const { app, headers, ada, send, names } = await start();
  const empty = pageOf(await get(app, '/users/new', headers));
  const refused = await send('/users', { ...TYPED, asked: empty.field('asked') });
  expect(refused.statusCode).toBe(422);
  const page = pageOf(refused);
  expect(page.errorOf('username')).toContain('ada, who is deleted, had that username');
  expect(page.link('See ada')).toBe(`/users/${ada.id}`);
  expect([page.field('username'), page.field('email')]).toEqual(['ADA', 'other@example.org']);
  expect(page.text).toContain('Bring back ⁨ada⁩');
  expect(await names()).toEqual([]);
  const answer = await send('/users', { ...TYPED, asked: page.field('asked'), restore: '' });
  expect(answer.body).toBe('User ADA created!\n');
});

test('from there they are brought back, with what was typed beside what they were', async () => {
  const { ada, send, names } = await start();
  const page = pageOf(await send('/users', { ...TYPED, asked: '', restore: String(ada.id) }));
  expect(page.heading).toBe('Ada is deleted');
  expect(page.text).toContain('Nothing is saved yet');
  const fields = ['username', 'email', 'full_name'].map((name) => page.field(name));
  expect(fields).toEqual(['ADA', 'other@example.org', 'Ada']);
  const { action } = page.form('Bring back with these changes');
  const sent = { ...TYPED, full_name: 'Ada', version: page.field('version') };
  expect((await send(action, sent)).body).toBe('User ADA is back!\n');
  expect(await names()).toEqual([{ id: ada.id, username: 'ADA' }]);
});

test('whoever had both is offered once, and is asked about once', async () => {
  const { ada, send } = await start();
  const both = { ...TYPED, email: 'ada@example.org' };
  const page = pageOf(await send('/users', { ...both, asked: '' }));
  expect(page.errorOf('username')).toContain('ada, who is deleted, had that username');
  expect(page.errorOf('email')).toContain('ada, who is deleted, had that email');
  expect(page.text.split('Bring back ⁨ada⁩')).toHaveLength(2);
  expect(page.field('asked')).toBe(String(ada.id));
});

test('about whom it was asked once it is not asked again, whoever comes up after that', async () => {
  const { app, send } = await start();
  const bob = await addUser(app.db, { username: 'bob', email: 'bob@example.org' });
  await transact(app.db, (trx) => deleteUser(trx, commandLine, bob.id, 1));
  const first = pageOf(await send('/users', { ...TYPED, asked: '' }));
  const typed = { ...TYPED, email: 'bob@example.org' };
  const second = pageOf(await send('/users', { ...typed, asked: first.field('asked') }));
  expect(second.errorOf('email')).toContain('bob, who is deleted, had that email');
  expect((await send('/users', { ...typed, asked: second.field('asked') })).body).toBe('User ADA created!\n');
});

test('of several who had it the one who was deleted last is meant', async () => {
  const { app, ada } = await start();
  const meant = async () => {
    const typed = { username: 'ada', email: '', asked: '' };
    return (await findFormerNames(app.db, commandLine, typed)).former.map(({ id }) => id);
  };
  const other = await addUser(app.db, { username: 'ada', email: 'other@example.org' });
  await transact(app.db, (trx) => deleteUser(trx, commandLine, other.id, 1));
  expect(await meant()).toEqual([other.id]);
  await transact(app.db, (trx) => restoreUser(trx, commandLine, ada.id, 1));
  await transact(app.db, (trx) => deleteUser(trx, commandLine, ada.id, 1));
  expect(await meant()).toEqual([ada.id]);
});

test('whom they may not change nobody is offered to bring back, but told who may', async () => {
  const { ada, send } = await start('editor', 'viewer');
  const page = pageOf(await send('/users', { ...TYPED, asked: '' }));
  expect(page.errorOf('username')).toContain(
    'ada, who is deleted, had that username. Administrators bring them back; sent again, this is somebody new.',
  );
  expect(page.link('See ada')).toBe(`/users/${ada.id}`);
  expect(page.text).not.toContain('Who it is');
  expect((await send('/users', { ...TYPED, asked: '', restore: String(ada.id) })).statusCode).toBe(403);
  expect((await send('/users', { ...TYPED, asked: page.field('asked') })).body).toBe('User ADA created!\n');
});

test('what every such form has, and nobody chose, they keep as it was', async () => {
  const { app, ada, send } = await start('admin', 'viewer');
  await transact(app.db, async (trx) => {
    await restoreUser(trx, commandLine, ada.id, 1);
    await changeUser(trx, commandLine, ada.id, { is_active: false }, 1);
    await deleteUser(trx, commandLine, ada.id, 1);
  });
  const page = pageOf(await send('/users', { ...TYPED, asked: '', restore: String(ada.id) }));
  expect([page.field('role'), page.field('is_active')]).toEqual(['Viewer', 'Inactive']);
});

test('so does an invitation, by the email as well', async () => {
  const { ada, send } = await start('admin');
  const invited = { full_name: '', email: 'Ada@Example.org', username: '', role: 'viewer', asked: '' };
  const page = pageOf(await send('/invite', invited));
  expect(page.errorOf('email')).toContain('ada, who is deleted, had that email');
  expect(page.text).toContain('Bring back ⁨ada⁩');
  const offered = pageOf(await send('/invite', { ...invited, restore: String(ada.id) }));
  expect(offered.heading).toBe('Ada is deleted');
  const { statusCode } = await send('/invite', { ...invited, asked: page.field('asked') });
  expect(statusCode).toBe(303);
});

test('whose name is somebody’s by now is not offered, and who is back by then is said to have it', async () => {
  const { app, ada, send } = await start();
  const { id } = await addUser(app.db, { username: 'ada', email: 'new@example.org' });
  const page = pageOf(await send('/users', { ...TYPED, asked: '' }));
  expect(page.errorOf('username')).toContain('already belongs to ada');
  expect(page.link('See ada')).toBe(`/users/${id}`);
  expect(page.text).not.toContain('Bring back');
  for (const restore of ['999', 'x', '-1', '1e3', '9'.repeat(20), "1' or 1=1"]) {
    const gone = await send('/users', { ...TYPED, asked: 'x,1e400', restore });
    expect(pageOf(gone).errorOf('username')).toContain('already belongs to ada');
  }
  expect(ada.id).not.toBe(id);
});

test('so does the page of an import, with the way to bring them back', async () => {
  const { app, headers, ada } = await start('admin');
  const id = await check(app, 'username,email\nada,new@example.org\nbob,bob@example.org\n');
  const page = pageOf(await get(app, `/imports/${id}`, headers));
  expect(page.text).toContain(
    'Some of those who are created have the username or email of somebody who is deleted',
  );
  expect(page.link('ada')).toBe(`/users/${ada.id}`);
  const byEmail = await check(app, 'username,email\ncarl,ADA@example.org\n');
  expect(pageOf(await get(app, `/imports/${byEmail}`, headers)).link('ada')).toBe(`/users/${ada.id}`);
  const other = await check(app, 'username,email\nbob,bob@example.org\n');
  expect(pageOf(await get(app, `/imports/${other}`, headers)).text).not.toContain('is deleted');
});

test('of very many it names the first, says how many more there are, and where all are brought back', async () => {
  const { app, headers } = await start('admin');
  const names = Array.from({ length: 12 }, (_, index) => `gone${index}`);
  for (const username of names) {
    const { id } = await addUser(app.db, { username });
    await transact(app.db, (trx) => deleteUser(trx, commandLine, id, Date.now()));
  }
  const rows = names.map((name) => `${name},${name}@example.org\n`);
  const id = await check(app, `username,email\n${rows.join('')}`);
  const page = pageOf(await get(app, `/imports/${id}`, headers));
  expect(page.items.filter((item) => /^gone\d+$|^and /.test(item))).toEqual([
    ...names.slice(0, 10),
    'and 2 more',
  ]);
  expect([page.link('The history'), page.link('Import')]).toEqual(['/history', '/import']);
});

test('a script, which sends no such field, is asked nothing', async () => {
  const { send } = await start();
  expect((await send('/users', TYPED)).statusCode).toBe(303);
});

test.each(ROLES)('%s: only who may know of who is deleted is told', async (role) => {
  const { app } = await start();
  const typed = { username: 'ada', email: 'ada@example.org', asked: '' };
  const told = await findFormerNames(app.db, { ...commandLine, role }, typed);
  const isTold = role === 'editor' || role === 'admin';
  expect([told.former.length, Object.keys(told.problems).length]).toEqual(isTold ? [1, 2] : [0, 0]);
  const rows = [{ username_key: 'ada', email_key: null }];
  expect(await findFormerOfRows(app.db, { ...commandLine, role }, rows)).toHaveLength(isTold ? 1 : 0);
});

test('whoever may not create anybody learns nothing of who is deleted', async () => {
  const { app } = await start();
  const vic = await addPerson(app.db, 'vic', 'viewer');
  const asVic = await signedIn(app, vic);
  const answer = await post(app, '/users', { ...TYPED, asked: '', restore: '3' }, asVic);
  expect(answer.statusCode).toBe(403);
  expect(answer.body).not.toContain('deleted');
});
