/** The page of one user in Chromium without scripts: an administrator ends, withdraws and deactivates, and whom it is about sees that. */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { addPerson } from '../people.ts';
import { listen, startApp } from '../support.ts';
import { sharedChromium } from './chromium.ts';
import { openSignedIn } from './signed-in.ts';

const LONGEST = {
  full_name: 'Wolfeschlegelsteinhausen '.repeat(8).trim(),
  email: `${'m'.repeat(60)}@example.org`,
};

const chromium = sharedChromium();

test('a session is ended, a link withdrawn and an account deactivated, and its owner is told so', async () => {
  const app = await startApp();
  await addPerson(app.db, 'ann', 'admin');
  const username = 'w'.repeat(64);
  const ed = await addPerson(app.db, username, 'editor', LONGEST);
  const baseURL = await listen(app);
  const ann = await openSignedIn(chromium(), 'ann', { baseURL });
  const there = await openSignedIn(chromium(), username, { baseURL });
  const here = await openSignedIn(chromium(), username, { baseURL });
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
  await says(ann, 'can sign in again, if they have a password.');
  for (const page of [there, here]) {
    await page.goto('/users');
    await says(page, 'Your account has been deactivated.');
  }
});
