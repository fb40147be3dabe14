/** The page of one user in Chromium without scripts: an administrator ends, withdraws and deactivates, and whom it is about sees that. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { addPerson, PASSWORD } from '../people.ts';
import { listen, startApp } from '../support.ts';
import { launchChromium } from './chromium.ts';

const LONGEST = {
  full_name: 'Wolfeschlegelsteinhausen '.repeat(8).trim(),
  email: `${'m'.repeat(60)}@example.org`,
};

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

async function signIn(baseURL: string, username: string): Promise<Page> {
  const context = await browser.newContext({ baseURL, javaScriptEnabled: false, reducedMotion: 'reduce' });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  await page.goto('/sign-in');
  await page.getByLabel('Username or email').fill(username);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Users' }).waitFor();
  return page;
}

test('a session is ended, a link withdrawn and an account deactivated, and its owner is told so', async () => {
  const app = await startApp();
  await addPerson(app.db, 'ann', 'admin');
  const username = 'w'.repeat(64);
  const ed = await addPerson(app.db, username, 'editor', LONGEST);
  const address = await listen(app);
  const ann = await signIn(address, 'ann');
  const [there, here] = [await signIn(address, username), await signIn(address, username)];
  const press = (name: string) => ann.getByRole('button', { name }).first().click();
  const says = (page: Page, text: string) => page.getByText(text).first().waitFor();

  await ann.goto(`/users/${ed.id}`);
  await press('End Chrome on Linux');
  await says(ann, 'is signed out of that browser.');
  await there.goto('/users');
  await here.goto('/users');
  const signedIn = await Promise.all(
    [there, here].map((page) => page.getByRole('heading', { name: 'Users' }).count()),
  );
  expect(signedIn.toSorted()).toEqual([0, 1]);

  await press('Create access link');
  await ann.goto(`/users/${ed.id}`);
  await press('Withdraw link');
  await says(ann, 'is withdrawn.');
  await ann.goto(`/users/${ed.id}`);
  await press('Deactivate');
  await says(ann, 'can sign in again, with a password that is set.');
  for (const page of [there, here]) {
    await page.goto('/users');
    await says(page, 'Your account has been deactivated.');
  }
});
