/** The page of one user: what everyone sees of them, and what only those who give access do. */
import { describe, expect, test } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import { noteSignIn } from '../../src/auth/credentials.ts';
import type { Role } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { deleteUser } from '../../src/users/commands.ts';
import { pageOf } from '../page.ts';
import { addPerson, signedIn } from '../people.ts';
import { addUser, get, post, startApp } from '../support.ts';

const CREATED = Date.UTC(2026, 0, 31, 8, 5);
const SIGNED_IN = Date.UTC(2026, 2, 14, 15, 9);

async function start() {
  const app = await startApp();
  const people = {
    admin: await addPerson(app.db, 'ann', 'admin'),
    editor: await addPerson(app.db, 'emil', 'editor'),
    viewer: await addPerson(app.db, 'vera', 'viewer'),
  };
  await addPerson(app.db, 'eve', 'admin');
  const pageFor = async (role: Exclude<Role, 'member'>, id: number, path = '') =>
    get(app, `/users/${id}${path}`, await signedIn(app, people[role]));
  const textFor = async (role: Exclude<Role, 'member'>, id: number, path = '') =>
    pageOf(await pageFor(role, id, path)).text;
  return { app, people, pageFor, textFor };
}

describe('the last sign-in', () => {
  test('is shown by the day, and to administrators by the minute', async () => {
    const { app, pageFor } = await start();
    const ed = await addPerson(app.db, 'ed', 'editor');
    await transact(app.db, (trx) => noteSignIn(trx, ed.id, SIGNED_IN));
    const exact = pageOf(await pageFor('admin', ed.id)).text;
    expect(exact).toContain('Last sign-in 14 March 2026, 15:09 UTC');
    for (const role of ['viewer', 'editor'] as const) {
      const page = await pageFor(role, ed.id);
      expect(pageOf(page).text).toContain('Last sign-in 14 Mar 2026');
      expect(page.body).not.toContain('15:09');
    }
  });

  test('may never have been, or not be known, and a member has none', async () => {
    const { app, textFor } = await start();
    const ed = await addPerson(app.db, 'ed', 'editor');
    const max = await addUser(app.db, { username: 'max' });
    expect(await textFor('viewer', ed.id)).toContain('Last sign-in Never');
    await transact(app.db, (trx) => noteSignIn(trx, ed.id, 0));
    expect(await textFor('viewer', ed.id)).toContain('Last sign-in Not known');
    expect(await textFor('admin', max.id)).not.toContain('Last sign-in');
  });
});

describe('what is for administrators alone', () => {
  const ONLY = 'Only administrators change who can sign in.';

  test('is said to an editor where it is missing, and to nobody else', async () => {
    const { app, people, textFor } = await start();
    const max = await addUser(app.db, { username: 'max' });
    expect(await textFor('editor', people.viewer.id)).toContain(ONLY);
    for (const [role, { id }] of [
      ['admin', people.viewer],
      ['viewer', people.admin],
      ['editor', people.editor],
      ['editor', max],
    ] as const)
      expect(await textFor(role, id)).not.toContain(ONLY);
  });

  test('is said of roles in the forms of an editor, and of bringing back', async () => {
    const { app, people } = await start();
    const max = await addUser(app.db, { username: 'max' });
    const vic = await addUser(app.db, { username: 'vic', role: 'viewer' });
    await transact(app.db, (trx) => deleteUser(trx, commandLine, vic.id, Date.now()));
    const [emil, ann] = [await signedIn(app, people.editor), await signedIn(app, people.admin)];
    for (const [address, sentence] of [
      ['/users/new', 'They are a member, who cannot sign in: only administrators give other roles.'],
      [`/users/${max.id}/edit`, 'They are a member, who cannot sign in: only administrators give'],
      ['/import', 'Role member: only administrators give other roles'],
      [`/users/${vic.id}`, 'Only administrators bring back who could sign in.'],
    ] as const) {
      expect(pageOf(await get(app, address, emil)).text).toContain(sentence);
      expect(pageOf(await get(app, address, ann)).text).not.toMatch(/only administrators/i);
    }
  });
});

describe('the access of someone', () => {
  test('who was created with a role is told to be missing still', async () => {
    const { app, people, pageFor } = await start();
    const vic = { username: 'vic', email: 'vic@example.org', role: 'viewer' };
    const created = await post(app, '/users', vic, await signedIn(app, people.admin));
    expect(created.body).toBe('User vic created! They cannot sign in yet: create an access link.\n');
    const page = pageOf(await pageFor('admin', Number(created.headers.location?.split('/').at(-1))));
    expect(page.text).toContain(
      'vic cannot sign in yet. Create a link: whoever opens it chooses a password.',
    );
  });

  test.each([
    ['member', 'Role Member Is listed, and cannot sign in. Status Active'],
    ['viewer', 'Role Viewer Sees everyone in the directory. Status Active'],
    ['editor', 'Role Editor Also manages members, who cannot sign in. Status Active'],
    ['admin', 'Role Administrator Does everything; also gives roles and access. Status Active'],
  ] as const)('says what a %s may do', async (role, sentence) => {
    const { app, textFor } = await start();
    const { id } = await addUser(app.db, { username: 'someone', role });
    expect(await textFor('viewer', id)).toContain(`Access ${sentence}`);
  });

  test('says to administrators alone what is set', async () => {
    const { app, textFor } = await start();
    const none = await addUser(app.db, { username: 'none', role: 'viewer' });
    const all = await addPerson(app.db, 'all', 'viewer', { hasCode: true });
    expect(await textFor('admin', none.id)).toContain(
      'Password Not set Second factor Not set Last sign-in Never',
    );
    expect(await textFor('admin', all.id)).toMatch(/Password Set 1 Jan 1970 Second factor Set/);
    for (const { id } of [none, all])
      expect(await textFor('editor', id)).not.toMatch(/Password|Second factor/);
  });
});

test('what was done stands in its order, the last first, with who did it', async () => {
  const { app, people, textFor } = await start();
  const ed = await addUser(app.db, { username: 'ed', role: 'editor' }, CREATED);
  expect(await textFor('admin', ed.id)).toMatch(
    /Activity The command line created this user 31 Jan 2026 Undo: Created this user As of/,
  );
  const headers = await signedIn(app, people.admin);
  await post(app, `/users/${ed.id}`, { full_name: 'Ed', email: 'ed@bücher.example', version: '1' }, headers);
  expect(await textFor('viewer', ed.id)).toMatch(
    /Activity ann changed the email and full name just now Email was ed@example.org ed@bücher.example Full name was Not set Ed The command line created this user 31 Jan 2026 As of/,
  );
});

describe('beside what can be done stands what it does', () => {
  test.each([
    [{ role: 'editor' }, false, 'Deactivate ed can no longer sign in, and stays listed. Delete…'],
    [
      { role: 'editor' },
      true,
      'Deactivate ed can no longer sign in, and stays listed. Every session ends at once. Delete…',
    ],
    [
      { role: 'editor', is_active: false },
      false,
      'Activate ed can sign in again, if they have a password. Delete…',
    ],
    [{ role: 'member' }, false, 'Deactivate ed stays listed, marked as inactive. Delete…'],
    [{ role: 'member', is_active: false }, false, 'Activate ed is no longer marked as inactive. Delete…'],
  ] as const)('for %o, signed in: %s', async (fields, isSignedIn, sentence) => {
    const { app, textFor } = await start();
    const ed = await addUser(app.db, { username: 'ed', ...fields });
    if (isSignedIn) await signedIn(app, ed);
    const text = await textFor('admin', ed.id);
    expect(text).toContain(`What you can do ${sentence} Takes ed off the list. You are asked first.`);
    const waits = 'role' in fields && fields.role === 'member' && 'is_active' in fields;
    expect(text.includes('To let them in, activate them first.')).toBe(waits);
  });

  test('and for oneself it is asked first, and said who that is', async () => {
    const { people, pageFor, textFor } = await start();
    const itsYou = 'This is you: you are signed out at once, and only another administrator can undo it.';
    const page = pageOf(await pageFor('admin', people.admin.id));
    expect(page.isOpen('Deactivate')).toBe(false);
    expect(page.form('Deactivate yourself').field('is_active')).toBe('0');
    expect(page.text).toContain(`What you can do Deactivate ${itsYou} Deactivate yourself Delete…`);
    expect(await textFor('admin', people.admin.id, '/delete')).toContain(`What goes ${itsYou}`);
    const form = await textFor('admin', people.admin.id, '/edit');
    expect(form).toContain('This is you: another role signs you out, and you give roles no more.');
    expect(form).toContain('You are signed out, and another administrator has to let you in again.');
  });

  test('and nothing of it where someone may do nothing', async () => {
    const { app, textFor } = await start();
    const ed = await addUser(app.db, { username: 'ed', role: 'editor' });
    for (const role of ['viewer', 'editor'] as const)
      expect(await textFor(role, ed.id)).not.toContain('What you can do');
  });
});

test('what has no value is not set, wherever that is said', async () => {
  const { app, people, textFor } = await start();
  const ed = await addUser(app.db, { username: 'ed' }, CREATED);
  expect(await textFor('viewer', ed.id)).toContain('Profile Full name Not set Username ed');
  const headers = await signedIn(app, people.admin);
  await post(app, `/users/${ed.id}`, { full_name: 'Ed', email: 'ed@example.org', version: '1' }, headers);
  expect(await textFor('viewer', ed.id)).toContain('Full name was Not set Ed');
  expect(await textFor('viewer', ed.id, '?at=2026-02-01')).toContain('Full name Not set Username ed');
});

describe('before someone is deleted', () => {
  test('it stands there what goes and what stays', async () => {
    const { app, people, textFor } = await start();
    const ed = await addPerson(app.db, 'ed', 'editor', { hasCode: true });
    await signedIn(app, ed);
    await signedIn(app, ed);
    await post(app, `/users/${ed.id}/invitation`, {}, await signedIn(app, people.admin));
    const text = await textFor('admin', ed.id, '/delete');
    expect(text).toContain(
      'This user leaves the list, and can be brought back from the history, with the same number and values. What goes Username ed Email',
    );
    expect(text).toContain(
      'The role Editor, the password and the second factor The 2 browsers that are signed in: they are signed out at once The access link: it opens nothing any more What stays',
    );
    expect(text).not.toContain('Number');
    expect(text).toContain(`The number ${ed.id} itself: nobody else is ever given it`);
    expect(text).toContain('Or keep this user Deactivate ed can no longer sign in, and stays listed.');
  });

  test('administrators are told how somebody is erased for good, which they look for there', async () => {
    const { textFor, app } = await start();
    const { id } = await addUser(app.db, { username: 'max' });
    const how = 'Whoever is to be erased for good is deleted first';
    expect(await textFor('admin', id, '/delete')).toContain(how);
    expect(await textFor('editor', id, '/delete')).not.toContain(how);
  });

  test('a member has no access that could go, and may be kept by an editor, too', async () => {
    const { app, people, textFor } = await start();
    const max = await addUser(app.db, { username: 'max' });
    expect(await textFor('editor', max.id, '/delete')).not.toMatch(/role|password|signed/);
    const headers = await signedIn(app, people.editor);
    const page = pageOf(await get(app, `/users/${max.id}/delete?from=page%3D2`, headers));
    const form = page.form('Deactivate');
    const version = form.field('version');
    const answer = await post(app, form.action, { version, is_active: form.field('is_active') }, headers);
    expect([answer.body, answer.headers.location]).toEqual([
      'User max deactivated!\n',
      `/users/${max.id}?from=page%3D2`,
    ]);
    expect(await textFor('editor', max.id, '/delete')).not.toContain('Or keep this user');
  });
});
