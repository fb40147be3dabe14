/** A file that is read differently, as its page offers it. */
import { expect, test } from 'vitest';
import { pageOf } from '../page.ts';
import { addPerson, signedIn } from '../people.ts';
import { get, post, startApp } from '../support.ts';
import { bring } from './by-pages.ts';

const HOW = { encoding: 'utf-8', delimiter: ',', match: 'email', empty: 'leave' };

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
