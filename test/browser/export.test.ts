/** Taking users out of Roster in Chromium without a script: what is shown is what is in the file. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { holdBatches } from '../engines.ts';
import { addPerson, signedIn } from '../people.ts';
import { addUser, get, listen, startApp } from '../support.ts';
import { sharedChromium } from './chromium.ts';
import { openSignedIn } from './signed-in.ts';

const chromium = sharedChromium();

test.each([1280, 320])('a search leaves as a file, and the page stays, at %d px', async (width) => {
  const app = await startApp();
  await addPerson(app.db, 'ann', 'admin');
  await addPerson(app.db, 'vera', 'viewer');
  for (const name of ['Max One', 'Maximilian Two', 'Nobody Else'])
    await addUser(app.db, { username: name.replace(' ', '.').toLowerCase(), full_name: name });
  const viewport = { width, height: 800 };
  const page = await openSignedIn(chromium(), 'vera', { baseURL: await listen(app), viewport });
  await page.goto('/users?q=max&sort=-name');
  await page.getByRole('link', { name: 'Export' }).click();
  await page.getByRole('heading', { name: 'Export 2 users' }).waitFor();
  await page.getByRole('radio', { name: /^vCard/ }).check();
  const downloading = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Export' }).click();
  const download = await downloading;
  expect(download.suggestedFilename()).toMatch(/^users-found-\d{4}-\d\d-\d\d\.vcf$/);
  const names = readFileSync(await download.path(), 'utf8').match(/(?<=^FN:).*(?=\r$)/gm);
  expect(names).toEqual(['Maximilian Two', 'Max One']);
  await page.getByRole('link', { name: 'Cancel' }).click();
  await page.getByRole('searchbox', { name: 'Search' }).waitFor();
  expect(await page.getByRole('searchbox', { name: 'Search' }).inputValue()).toBe('max');
});

test('the page on which an export waits asks again by itself, and its file comes', async () => {
  const app = await startApp();
  const ann = await addPerson(app.db, 'ann', 'admin');
  await addPerson(app.db, 'vera', 'viewer');
  const baseURL = await listen(app);
  const address = '/export/file?format=csv&all=on';
  const headers = await signedIn(app, ann);
  const { begun, letGo } = holdBatches(app.db);
  const two = [get(app, address, headers), get(app, address, headers)];
  await expect.poll(() => begun).toHaveBeenCalledTimes(2);
  const page = await openSignedIn(chromium(), 'vera', { baseURL });
  expect((await page.goto(address))?.status()).toBe(503);
  await page.getByRole('heading', { name: 'Your export waits for its turn' }).waitFor();
  const downloading = page.waitForEvent('download');
  letGo();
  await Promise.all(two);
  expect(readFileSync(await (await downloading).path(), 'utf8')).toContain('vera@');
});
