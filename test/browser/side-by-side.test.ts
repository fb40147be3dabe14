/** Two Rosters on one database, each in a browser of its own; and two on one host in the same browser. */
import type { Page } from 'playwright-core';
import { expect, onTestFinished, test } from 'vitest';
import { addPerson, PASSWORD } from '../people.ts';
import { type Roster, startRoster } from '../roster.ts';
import { temporaryDatabase } from '../support.ts';
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
  expect(await mainOf(ben)).toContain('Showing 1 of 1');
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
  expect(await ben.getByRole('radio', { name: /There now\s+Zoë of Anna/ }).isChecked()).toBe(false);
  expect(await ben.getByRole('radio', { name: /Yours\s+Zoë of Ben/ }).isChecked()).toBe(true);
  await ben.getByRole('button', { name: 'Save my choices' }).click();
  expect(await mainOf(ben)).toContain('User zoe updated!');

  // One changes the email, the other the name: both are kept, and whoever comes later is told.
  await anna.reload();
  expect(await mainOf(anna)).toContain('Zoë of Ben');
  for (const page of [anna, ben]) await page.getByRole('link', { name: 'Edit' }).click();
  await anna.getByLabel('Email').fill('zoe@anna.example');
  await anna.getByRole('button', { name: 'Save changes' }).click();
  await ben.getByLabel('Full name').fill('Zoë B');
  await ben.getByRole('button', { name: 'Save changes' }).click();
  expect(await mainOf(ben)).toMatch(
    /Meanwhile .* had changed the email; both are kept\.[\s\S]*zoe@anna\.example/,
  );
  await ben.goBack();
  await ben.getByLabel('Full name').fill('Zoë of Back');
  await ben.getByRole('button', { name: 'Save changes' }).click();
  expect(await mainOf(ben)).toMatch(/Zoë of Ben[\s\S]*Zoë B[\s\S]*Zoë of Back/);
  await ben.getByRole('radio', { name: /There now\s+Zoë B/ }).check();
  await ben.getByRole('button', { name: 'Save my choices' }).click();
  expect(await ben.getByRole('heading', { level: 1 }).innerText()).toBe('Zoë B');

  await anna.getByRole('link', { name: 'Edit' }).click();
  await anna.getByLabel('Username').fill('zoe.anna');
  await ben.getByRole('link', { name: 'Delete…' }).click();
  await ben.getByRole('button', { name: 'Delete user' }).click();
  expect(await mainOf(ben)).toContain('Welcome to Roster');
  await anna.getByRole('button', { name: 'Save changes' }).click();
  expect(await mainOf(anna)).toMatch(/Zoë B is deleted[\s\S]*When deleted: zoe/);
  await anna.getByRole('button', { name: 'Restore with these changes' }).click();
  expect(await mainOf(anna)).toContain('User zoe.anna is back!');

  await ben.goto('/users?q=zoe');
  await ben.getByRole('link', { name: 'Zoë B' }).click();
  expect(await mainOf(ben)).toMatch(/brought back[\s\S]*deleted[\s\S]*changed the full name[\s\S]*created/);
  await ben.getByRole('link', { name: 'Delete…' }).click();
  await anna.getByRole('button', { name: 'Deactivate' }).click();
  await ben.getByRole('button', { name: 'Delete user' }).click();
  expect(await mainOf(ben)).toMatch(/changed after you had been asked[\s\S]*Active[\s\S]*Inactive/);
  await ben.getByRole('button', { name: 'Delete user' }).click();
  expect(await mainOf(ben)).toContain('Welcome to Roster');
});

/** A Roster that ann administers. */
async function startWithAnn(url?: string): Promise<Roster> {
  const roster = await startRoster(url === undefined ? {} : { DATABASE_URL: url });
  if (url === undefined) await addPerson(await temporaryDatabase(roster.url), 'ann', 'admin');
  return roster;
}

async function signIn(page: Page, { address }: Roster): Promise<void> {
  await page.goto(`${address}/users`);
  await page.getByLabel('Username or email').fill('ann');
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  expect(await mainOf(page)).toContain('Showing 1 of 1');
}

test('in one browser the sessions and messages of two Rosters of one host are each their own', async () => {
  const [first, second] = [await startWithAnn(), await startWithAnn()];
  const page = await openPage(first.address);
  await signIn(page, first);
  await signIn(page, second);
  for (const { address } of [first, second, first]) {
    await page.goto(`${address}/account`);
    expect(await mainOf(page)).toContain('Your account');
  }

  // Sent as the form sends it, with the same cookies, and without going on to where the message would be shown.
  await page.request.post(`${first.address}/users`, {
    form: { username: 'zoe', email: 'zoe@example.org' },
    headers: { 'sec-fetch-site': 'same-origin' },
    maxRedirects: 0,
  });
  await page.goto(`${second.address}/users`);
  expect(await mainOf(page)).not.toContain('created!');
  await page.goto(`${first.address}/users`);
  expect(await mainOf(page)).toContain('User zoe created!');

  await page.getByRole('banner').getByRole('link', { name: 'ann' }).click();
  await page.getByRole('button', { name: 'Sign out', exact: true }).click();
  expect(await mainOf(page)).toContain('You are signed out.');
  await page.goto(`${second.address}/account`);
  expect(await mainOf(page)).toContain('Your account');
});

test('whoever is signed in at one Roster is at every other one of the same database', async () => {
  const first = await startWithAnn();
  const second = await startWithAnn(first.url);
  const page = await openPage(first.address);
  await signIn(page, first);
  await page.goto(`${second.address}/account`);
  expect(await mainOf(page)).toContain('Your account');
});
