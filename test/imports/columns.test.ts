/** What the pages say of the columns of a file, and of what is left out of it. */
import type { FastifyInstance } from 'fastify';
import { expect, test } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import { findUserByUsername } from '../../src/users/queries.ts';
import { pageOf } from '../page.ts';
import { addPerson, signedIn } from '../people.ts';
import { addUser, get, post, startApp } from '../support.ts';
import { check, apply as confirm, countsOf, importOf, look as lookAt } from './bringing.ts';
import { apply, bring } from './by-pages.ts';

async function start() {
  const app = await startApp();
  const ann = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
  /** @returns the page of a file, once it is read */
  const look = async (content: string) => {
    const address = await bring(app, ann, content);
    return { address, page: pageOf(await get(app, address, ann)) };
  };
  return { app, ann, look };
}

test('a title above the names of the columns is left out, and it is told', async () => {
  const { look } = await start();
  const { page } = await look('"Staff list, as of today";\n;\nLogin;E-Mail\ncem;cem@example.org\n');
  expect(page.text).toContain('Line 1, above the names of the columns, is left out.');
  expect(page.buttons).toContain('Apply 1 row');
});

test('how many columns are not known is told first, and leads to where somebody says what they are', async () => {
  const { app, ann, look } = await start();
  const list = 'Login;Abteilung;E-Mail;Name;First name;Ort\ncem;IT;cem@example.org;Cem;C.;Ulm\n';
  const { address, page } = await look(list);
  expect(page.text).toContain('2 columns are not known, and left out: say what they are.');
  expect(page.link('say what they are')).toBe('#column-1');
  const fields = { encoding: 'utf-8', delimiter: ';', match: 'username', empty: 'leave' };
  await post(app, address, { ...fields, 'column.1': '', 'column.5': '' }, ann);
  await app.runJobs();
  expect(pageOf(await get(app, address, ann)).text).not.toContain('not known');
});

test('the columns of refused rows that are brought back are no unknown ones', async () => {
  const { look } = await start();
  const { page } = await look('Line,Why,username,email\n2,It was taken.,cem,cem@example.org\n');
  expect(page.text).not.toContain('not known');
});

const NEW = [
  'Name;E-Mail',
  'Ada;ada@example.org',
  'Ada B.;ada@example.com',
  'Ada C.;Ada@example.net',
  'Bob;bob@example.org',
  '',
].join('\n');
const made = async ({ db }: FastifyInstance) =>
  (await db.selectFrom('users').select(['username', 'email']).orderBy('id').execute()).map(
    ({ username, email }) => `${username} ${email}`,
  );

test('of a file without usernames they are made from the emails, free in Roster and in the file', async () => {
  const { app, ann, look } = await start();
  await addUser(app.db, { username: 'ada2', email: 'else@example.org' });
  const { address, page } = await look(NEW);
  expect(page.heading).toBe('This file cannot be imported as it is');
  expect(page.text).toContain(
    'No column says the username, and every row needs one: say which column it is, or have usernames made of the emails.',
  );
  expect((await get(app, address, ann)).body).toContain('<details open>');
  const { action, inputs } = page.form('Make usernames from the emails');
  const fields = inputs.map(({ name = '', value = '' }) => [name, value] as const);
  await post(app, action, Object.fromEntries(fields), ann);
  await app.runJobs();
  expect(pageOf(await get(app, address, ann)).text).toContain('Usernames made from the emails');
  await apply(app, ann, address);
  expect((await made(app)).slice(2)).toEqual([
    'ada ada@example.org',
    'ada4 ada@example.com',
    'Ada3 Ada@example.net',
    'bob bob@example.org',
  ]);
});

test('that no column says who somebody is, is told of the file, and not of each of a few rows', async () => {
  const { look } = await start();
  const { page } = await look('Name;Kürzel;Elektropost\nAda;al;ada@example.org\n');
  expect(page.heading).toBe('This file cannot be imported as it is');
  expect(page.text).toContain('No column says the username, and every row needs one: say which column it is');
});

test('of a number that nobody has it is said in its row, and not that there is no column of usernames', async () => {
  const { app, look } = await start();
  const { page } = await look('id,status\n900,inactive\n');
  expect(page.heading).toBe('Check the import');
  expect(page.text).toContain('There is no user 900.');
  expect(await made(app)).toHaveLength(1);
});

test('where rows that were found by number all fail, it is offered to read them differently, by number as they were', async () => {
  const { look } = await start();
  const numbers = Array.from({ length: 20 }, (_, index) => `${900 + index},inactive\n`);
  const { page } = await look(`id,status\n${numbers.join('')}`);
  expect(page.text).toContain('The column “id” fails in every row: There is no user 900.');
  expect(page.field('match')).toBe('Number');
});

test('who has usernames made is still told of the columns that are not known, and what was said of others stays said', async () => {
  const { app, ann, look } = await start();
  const { address, page } = await look('Rufname;Ort;E-Mail\nAda;Ulm;ada@example.org\n');
  const make = { encoding: 'utf-8', delimiter: ';', match: 'email', empty: 'leave', usernames: 'email' };
  const { action } = page.form('Make usernames from the emails');
  const again = async (fields: object) => {
    await post(app, action, { ...make, ...fields }, ann);
    await app.runJobs();
    return pageOf(await get(app, address, ann));
  };
  expect((await again({})).text).toContain('2 columns are not known, and left out: say what they are.');
  await again({ usernames: '', 'column.0': 'full_name', 'column.1': '', 'column.2': 'email' });
  const made = await again({});
  expect(made.items).toEqual(expect.arrayContaining(['Rufname Full name', 'Ort left out']));
  expect(made.text).not.toContain('not known');
});

test('a row without an email that usernames are made of is refused for the email alone', async () => {
  const { app } = await start();
  const file = 'Name;E-Mail\nAda;\nBob;bob (at) example.org\n';
  const id = await check(app, file, commandLine, { usernames: 'email' });
  const refused = (await lookAt(app, id, (stage) => stage.refused(0, 9))) ?? [];
  expect(refused.map(({ reasons }) => reasons.map(({ message }) => message))).toEqual([
    ['Enter an email address.'],
    ['Enter an email address like name@example.org.'],
  ]);
});

test('the same file again is 0 changes, and who is there keeps their username', async () => {
  const { app } = await start();
  await addUser(app.db, { username: 'robert', email: 'bob@example.org', full_name: 'Bob' });
  const first = await check(app, NEW, commandLine, { usernames: 'email', match: 'username' });
  expect(await countsOf(app, first)).toEqual({ created: 3, changed: 0, same: 1, refused: 0 });
  await confirm(app, first);
  const again = await check(app, NEW, commandLine, { usernames: 'email' });
  expect(await countsOf(app, again)).toEqual({ created: 0, changed: 0, same: 4, refused: 0 });
});

test('where a name that was made is taken before it is applied, that is shown, and who has come by their email keeps theirs', async () => {
  const { app } = await start();
  const id = await check(app, NEW, commandLine, { usernames: 'email' });
  await addUser(app.db, { username: 'bob', email: 'another@example.org' });
  await addUser(app.db, { username: 'lovelace', email: 'ada@example.org', full_name: 'Ada' });
  await confirm(app, id);
  expect((await importOf(app, id)).state).toBe('checked');
  expect(await countsOf(app, id)).toEqual({ created: 2, changed: 0, same: 1, refused: 1 });
});

test('where some are known by their email, usernames are offered for the others', async () => {
  const { app, look } = await start();
  await addUser(app.db, { username: 'robert', email: 'bob@example.org' });
  const { page } = await look(NEW);
  expect(page.heading).toBe('Check the import');
  expect(page.buttons).toContain('Make usernames from the emails');
});

test('names that have the last name first are noticed, and turned round where somebody says so', async () => {
  const { app, ann, look } = await start();
  const { address } = await look('Mail;Mitarbeiter;Ort;Name\npb@example.org;pb;Ulm;Braun, Peter\n');
  const press = async (button: string) => {
    const { action, inputs } = pageOf(await get(app, address, ann)).form(button);
    await post(
      app,
      action,
      Object.fromEntries(inputs.map(({ name = '', value = '' }) => [name, value])),
      ann,
    );
    await app.runJobs();
    return pageOf(await get(app, address, ann));
  };
  const noticed = await press('Make usernames from the emails');
  expect(noticed.text).toContain('Full names such as “Braun, Peter” seem to have the last name first.');
  const turned = await press('Turn them round');
  expect(turned.items).toContain('Name Full name, turned round');
  expect(turned.text).not.toContain('last name first');
  expect(turned.text).toContain('2 columns are not known');
  await apply(app, ann, address);
  expect(await findUserByUsername(app.db, 'pb')).toMatchObject({ full_name: 'Peter Braun' });
});

test.each(['Name', 'Name, Vorname'])('why a name under “%s” is refused says the name', async (header) => {
  const { look } = await start();
  const { page } = await look(`Login;E-Mail;"${header}"\nada;ada@example.org;"Love\u202Elace, Ada"\n`);
  expect(page.text).toContain('“Love\uFFFDlace, Ada”: the full name contains an invisible character');
});

test('a number by which nobody is looked for is said not to be used', async () => {
  const { look } = await start();
  const { page } = await look('Personalnr;ID;Login;E-Mail\n4711;1;cem;cem@example.org\n');
  expect(page.items).toEqual(expect.arrayContaining(['Personalnr left out', 'ID Number, not used']));
  const { page: byNumber } = await look('ID;Name\n1;Ann A.\n');
  expect(byNumber.items).toContain('ID Number');
});
