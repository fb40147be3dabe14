/** A file that is read differently, as its page offers it. */
import { expect, test } from 'vitest';
import { pageOf } from '../page.ts';
import { addPerson, signedIn } from '../people.ts';
import { get, post, startApp } from '../support.ts';
import { bring } from './by-pages.ts';

const HOW = { encoding: 'utf-8', delimiter: ',', match: 'email', empty: 'leave' };

test('names that are turned round stay so in another encoding and between other signs', async () => {
  const app = await startApp();
  const ann = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
  const address = await bring(app, ann, 'Name;Login\nBraun, Peter;pb\nMay, Ada;am\n');
  const send = async (button: string, others: Record<string, string> = {}) => {
    const form = pageOf(await get(app, address, ann)).form(button);
    const shown = Object.fromEntries(form.fields.map((name) => [name, form.field(name)]));
    await post(app, form.action, { ...shown, ...others }, ann);
    await app.runJobs();
    return pageOf(await get(app, address, ann));
  };
  const turned = 'Name Full name, turned round';
  expect((await send('Turn them round')).items).toContain(turned);
  expect((await send('Read it again', { encoding: 'windows-1252' })).items).toContain(turned);
  expect((await send('Read it again', { delimiter: '\t' })).heading).toContain('cannot be imported');
  expect((await send('Read it again', { delimiter: ';' })).items).toContain(turned);
  const back = { 'column.0': 'full_name', encoding: 'utf-8' };
  expect((await send('Read it again', back)).items).toContain('Name Full name');
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
