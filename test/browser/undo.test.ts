/** Undo in Chromium without a script: from the message after a change, of an undo, and where somebody else was at it since. */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { addPerson } from '../people.ts';
import { addUser, listen, startApp } from '../support.ts';
import { sharedChromium } from './chromium.ts';
import { openSignedIn } from './signed-in.ts';

const chromium = sharedChromium();

async function rename(page: Page, id: number, name: string): Promise<void> {
  await page.goto(`/users/${id}/edit`);
  await page.getByLabel('Full name').fill(name);
  await page.getByRole('button', { name: 'Save changes' }).click();
  await page.locator('#flash:focus', { hasText: 'updated!' }).waitFor();
}

const headingOf = (page: Page) => page.getByRole('heading', { level: 1 }).innerText();

test.each([1280, 320])('what one has just done is undone, and that again, at %i px', async (width) => {
  const app = await startApp();
  await addPerson(app.db, 'ann', 'admin');
  const max = await addUser(app.db, { username: 'max', full_name: 'Max' });
  const viewport = { width, height: 800 };
  const ann = await openSignedIn(chromium(), 'ann', { baseURL: await listen(app), viewport });
  await rename(ann, max.id, 'Moritz');
  expect(await headingOf(ann)).toBe('Moritz');
  for (const name of ['Max', 'Moritz']) {
    // By the keyboard alone: the message has the focus, and the button is the next.
    await ann.keyboard.press('Tab');
    await ann.keyboard.press('Enter');
    await ann.getByRole('heading', { level: 1, name, exact: true }).waitFor();
    await ann.locator('#flash:focus', { hasText: 'User max is as before!' }).waitFor();
  }
  await ann.goto(`/users/${max.id}/delete`);
  await ann.getByRole('button', { name: 'Delete user' }).click();
  await ann.locator('.flash').getByRole('button', { name: 'Undo' }).click();
  await ann.getByText('User max is back!').waitFor();
  expect(new URL(ann.url()).pathname).toBe(`/users/${max.id}`);
});

test('what somebody else has changed since is shown, and left or put back as one chooses', async () => {
  const app = await startApp();
  for (const name of ['ann', 'bob']) await addPerson(app.db, name, 'admin');
  const max = await addUser(app.db, { username: 'max', full_name: 'Max' });
  const baseURL = await listen(app);
  const ann = await openSignedIn(chromium(), 'ann', { baseURL });
  const bob = await openSignedIn(chromium(), 'bob', { baseURL, viewport: { width: 320, height: 800 } });
  await rename(ann, max.id, 'Moritz');
  await rename(bob, max.id, 'Maximilian');
  await ann.locator('.flash').getByRole('button', { name: 'Undo' }).click();
  await ann.getByText('Nothing is undone yet.').waitFor();
  expect(await ann.getByRole('radio', { name: 'Maximilian' }).isChecked()).toBe(true);
  await ann.getByRole('button', { name: 'Undo what I chose' }).click();
  await ann.getByText('Nothing was undone: you left everything as it is.').waitFor();
  await bob.goto('/history');
  await bob.locator('tr', { hasText: 'ann' }).first().getByRole('button', { name: 'Undo' }).click();
  await bob.getByRole('radio', { name: 'Put back' }).check();
  await bob.getByRole('button', { name: 'Undo what I chose' }).click();
  await bob.getByText('User max is as before!').waitFor();
  expect(await headingOf(bob)).toBe('Max');
  await ann.goto(`/users/${max.id}`);
  expect(await ann.locator('#activity').innerText()).toMatch(/bob changed the full name, by Undo/);
});
