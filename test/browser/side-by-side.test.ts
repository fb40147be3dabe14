/** Two Rosters on one database, each in a browser of its own. */
import type { Page } from 'playwright-core';
import { expect, onTestFinished, test } from 'vitest';
import { startRoster } from '../roster.ts';
import { launchChromium } from './chromium.ts';

async function openPage(address: string): Promise<Page> {
  const browser = await launchChromium();
  onTestFinished(() => browser.close());
  const context = await browser.newContext({ baseURL: address, javaScriptEnabled: false });
  return context.newPage();
}

const mainOf = (page: Page) => page.getByRole('main').innerText();

test('two people at two Rosters work on the same users, and neither loses anything', async () => {
  const first = await startRoster();
  const second = await startRoster({ DATABASE_URL: first.url });
  const [anna, ben] = await Promise.all([openPage(first.address), openPage(second.address)]);

  await anna.goto('/users/new');
  await anna.getByLabel('Username').fill('zoe');
  await anna.getByLabel('Email').fill('zoe@example.org');
  await anna.getByRole('button', { name: 'Create user' }).click();
  expect(await mainOf(anna)).toContain('User zoe created!');

  await ben.goto('/users');
  expect(await mainOf(ben)).toContain('Showing 1–1 of 1');
  await ben.getByRole('link', { name: 'zoe', exact: true }).first().click();
  expect(await mainOf(ben), 'the message belongs to whoever made the change').not.toContain('created!');
  await ben.getByRole('link', { name: 'Edit' }).click();
  await ben.getByLabel('Full name').fill('Zoë of Ben');

  await anna.getByRole('link', { name: 'Edit' }).click();
  await anna.getByLabel('Full name').fill('Zoë of Anna');
  await anna.getByRole('button', { name: 'Save changes' }).click();
  expect(await mainOf(anna)).toContain('User zoe updated!');

  await ben.getByRole('button', { name: 'Save changes' }).click();
  expect(await mainOf(ben)).toContain('Zoë of Anna');
  expect(await ben.getByLabel('Full name').inputValue()).toBe('Zoë of Ben');
  await ben.getByRole('button', { name: 'Save' }).click();
  expect(await mainOf(ben)).toContain('User zoe updated!');

  await anna.reload();
  expect(await mainOf(anna)).toContain('Zoë of Ben');
  await anna.getByRole('link', { name: 'Edit' }).click();

  await ben.getByRole('link', { name: 'Delete…' }).click();
  await ben.getByRole('button', { name: 'Delete user' }).click();
  expect(await mainOf(ben)).toContain('No users yet');
  await anna.getByRole('button', { name: 'Save changes' }).click();
  expect(await mainOf(anna)).toMatch(/There is no user \d+\. Nothing was changed/);
});
