/** What the pages say of the columns of a file, and of what is left out of it. */
import { expect, test } from 'vitest';
import { pageOf } from '../page.ts';
import { addPerson, signedIn } from '../people.ts';
import { get, startApp } from '../support.ts';
import { bring } from './by-pages.ts';

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
