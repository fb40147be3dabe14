/** A file that is read differently, as its page offers it. */
import type { FastifyInstance } from 'fastify';
import { expect, test } from 'vitest';
import { pageOf } from '../page.ts';
import { addPerson, type Headers, signedIn } from '../people.ts';
import { addUser, get, post, startApp } from '../support.ts';
import { bring } from './by-pages.ts';

const HOW = { encoding: 'utf-8', delimiter: ',', match: 'email', empty: 'leave' };

/** Its button is pressed as it is shown, but for these. @returns the page once the file is read again */
async function press(
  app: FastifyInstance,
  who: Headers,
  address: string,
  button: string,
  others: Record<string, string> = {},
) {
  const form = pageOf(await get(app, address, who)).form(button);
  const shown = Object.fromEntries(form.fields.map((name) => [name, form.field(name)]));
  await post(app, form.action, { ...shown, ...others }, who);
  await app.runJobs();
  return pageOf(await get(app, address, who));
}

test('names that are turned round stay so in another encoding and between other signs', async () => {
  const app = await startApp();
  const ann = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
  const address = await bring(app, ann, 'Name;Login\nBraun, Peter;pb\nMay, Ada;am\n');
  const send = (button: string, others = {}) => press(app, ann, address, button, others);
  const turned = 'Name Full name, turned round';
  expect((await send('Turn them round')).items).toContain(turned);
  expect((await send('Read it again', { encoding: 'windows-1252' })).items).toContain(turned);
  expect((await send('Read it again', { delimiter: '\t' })).heading).toContain('cannot be imported');
  expect((await send('Read it again', { delimiter: ';' })).items).toContain(turned);
  const back = { 'column.0': 'full_name', encoding: 'utf-8' };
  expect((await send('Read it again', back)).items).toContain('Name Full name');
});

test('a file whose first umlaut comes late is read as it is, also once somebody has said which column is which', async () => {
  const app = await startApp();
  const ann = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
  // The first row is as long as all that is looked at before any is read.
  const plain = `Kennung;Anschrift\n${`ada;${'x'.repeat(90_000)}\n`.repeat(12)}`;
  const content = Buffer.from(`${plain}bob;Köln\n`, 'latin1');
  const address = await bring(app, ann, content);
  const said = { encoding: 'utf-8', delimiter: ';', 'column.0': 'username', 'column.1': 'full_name' };
  const page = await press(app, ann, address, 'Read it again', said);
  expect(page.text).toContain('Encoding Windows, Western European (1252)');
  expect(page.text).toContain('13 rows');
});

test('however many columns are left out, the others can be said anew', async () => {
  const app = await startApp();
  const ann = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
  const address = await bring(app, ann, 'username,email,note,desk,floor\nbob,bob@example.org,Bob,12,3\n');
  const { action } = pageOf(await get(app, address, ann)).form('Read it again');
  const columns = { 'column.2': 'full_name', 'column.3': '', 'column.4': '' };
  await post(app, action, { ...HOW, ...columns }, ann);
  await app.runJobs();
  const page = pageOf(await get(app, address, ann));
  expect(page.heading).toBe('Check the import');
  expect(page.items).toEqual(expect.arrayContaining(['note Full name', 'desk left out', 'floor left out']));
});

test('a file of which nothing was to be applied is read again once Roster was changed', async () => {
  const app = await startApp();
  const ann = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
  const { id } = await addUser(app.db, { username: 'bob', full_name: 'Bob' });
  const address = await bring(app, ann, 'Login;Name\nbob;Bob\n');
  expect(pageOf(await get(app, address, ann)).text).toContain('0 changes. Roster has all of it already.');
  await post(app, `/users/${id}`, { full_name: 'Bobby' }, ann);
  const page = pageOf(await get(app, address, ann));
  expect(page.text).toMatch(
    /0 changes\. Roster had all of it already when the file was read, at .*UTC\. Roster was changed since/,
  );
  expect(page.text).not.toContain('has all of it');
  expect((await press(app, ann, address, 'Read the file again')).buttons).toContain('Apply 1 row');
});
