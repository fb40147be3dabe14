/** Two Rosters on one database, each in a browser of its own; and two on one host in the same browser. */
import type { Page } from 'playwright-core';
import { expect, onTestFinished, test } from 'vitest';
import { addPerson, PASSWORD } from '../people.ts';
import { type Roster, startRoster } from '../roster.ts';
import { temporaryDatabase } from '../support.ts';
import { sharedChromium } from './chromium.ts';

const browser = sharedChromium();

async function openPage(address: string): Promise<Page> {
  const context = await browser().newContext({
    baseURL: address,
    javaScriptEnabled: false,
    reducedMotion: 'reduce',
  });
  onTestFinished(() => context.close());
  return context.newPage();
}

const mainOf = (page: Page) => page.getByRole('main').innerText();

test('two people at two Rosters work on the same users, and neither loses anything', async () => {
  const first = await startWithAnn();
  const second = await startWithAnn(first.url);
  await addPerson(await temporaryDatabase(first.url), 'ben', 'editor');
  const [ann, ben] = await Promise.all([openPage(first.address), openPage(second.address)]);
  await signIn(ann, first);
  await signIn(ben, second, 'ben');

  await ann.goto('/users/new');
  await ann.getByLabel('Username').fill('zoe');
  await ann.getByLabel('Email').fill('zoe@example.org');
  await ann.getByRole('button', { name: 'Create user' }).click();
  await expect.poll(() => mainOf(ann)).toContain('User zoe created!');

  await ben.goto('/users');
  await expect.poll(() => mainOf(ben)).toContain('Showing 1–3 of 3');
  await ben.getByRole('link', { name: 'zoe', exact: true }).first().click();
  expect(await mainOf(ben), 'the message belongs to whoever made the change').not.toContain('created!');
  await ben.getByRole('link', { name: 'Edit' }).click();
  await ben.getByLabel('Full name').fill('Zoë of Ben');

  await ann.getByRole('link', { name: 'Edit' }).click();
  await ann.getByLabel('Full name').fill('Zoë of Ann');
  await ann.getByRole('button', { name: 'Save changes' }).click();
  await expect.poll(() => mainOf(ann)).toContain('User zoe updated!');

  await ben.getByRole('button', { name: 'Save changes' }).click();
  await expect
    .poll(() => mainOf(ben))
    .toMatch(/Saved by someone else[\s\S]*ann changed this user[\s\S]*Zoë of Ann/);
  expect(await ben.getByRole('radio', { name: /There now\s+Zoë of Ann/ }).isChecked()).toBe(false);
  expect(await ben.getByRole('radio', { name: /Yours\s+Zoë of Ben/ }).isChecked()).toBe(true);
  await ben.getByRole('button', { name: 'Save my choices' }).click();
  await expect.poll(() => mainOf(ben)).toContain('User zoe updated!');

  // One changes the email, the other the name: both are kept, and whoever comes later is told.
  await ann.reload();
  await expect.poll(() => mainOf(ann)).toContain('Zoë of Ben');
  for (const page of [ann, ben]) await page.getByRole('link', { name: 'Edit' }).click();
  await ann.getByLabel('Email').fill('zoe@ann.example');
  await ann.getByRole('button', { name: 'Save changes' }).click();
  await ben.getByLabel('Full name').fill('Zoë B');
  await ben.getByRole('button', { name: 'Save changes' }).click();
  await expect
    .poll(() => mainOf(ben))
    .toMatch(/Meanwhile ann had changed the email; both are kept\.[\s\S]*zoe@ann\.example/);
  await ben.goBack();
  await ben.getByLabel('Full name').fill('Zoë of Back');
  await ben.getByRole('button', { name: 'Save changes' }).click();
  await expect
    .poll(() => mainOf(ben))
    .toMatch(/Saved by you already[\s\S]*Zoë of Ben[\s\S]*Zoë B[\s\S]*Zoë of Back/);
  await ben.getByRole('radio', { name: /There now\s+Zoë B/ }).check();
  await ben.getByRole('button', { name: 'Save my choices' }).click();
  expect(await ben.getByRole('heading', { level: 1 }).innerText()).toBe('Zoë B');

  await ann.getByRole('link', { name: 'Edit' }).click();
  await ann.getByLabel('Username').fill('zoe.ann');
  await ben.getByRole('link', { name: 'Delete…' }).click();
  await ben.getByRole('button', { name: 'Delete user' }).click();
  await expect.poll(() => mainOf(ben)).toContain('User zoe deleted!');
  await ann.getByRole('button', { name: 'Save changes' }).click();
  await expect.poll(() => mainOf(ann)).toMatch(/Zoë B is deleted[\s\S]*When deleted: zoe/);
  await ann.getByRole('button', { name: 'Bring back with these changes' }).click();
  await expect.poll(() => mainOf(ann)).toContain('User zoe.ann is back!');

  await ben.goto('/users?q=zoe');
  await ben.getByRole('link', { name: 'Zoë B' }).click();
  await expect
    .poll(() => mainOf(ben))
    .toMatch(/brought back[\s\S]*deleted[\s\S]*changed the full name[\s\S]*created/);
  await ben.getByRole('link', { name: 'Delete…' }).click();
  await ann.getByRole('button', { name: 'Deactivate' }).click();
  await ben.getByRole('button', { name: 'Delete user' }).click();
  await expect
    .poll(() => mainOf(ben))
    .toMatch(/changed after you had been asked[\s\S]*Active[\s\S]*Inactive/);
  await ben.getByRole('button', { name: 'Delete user' }).click();
  await expect.poll(() => mainOf(ben)).toContain('User zoe.ann deleted!');
});

/** A Roster that ann administers. */
async function startWithAnn(url?: string): Promise<Roster> {
  const roster = await startRoster(url === undefined ? {} : { DATABASE_URL: url });
  if (url === undefined) await addPerson(await temporaryDatabase(roster.url), 'ann', 'admin');
  return roster;
}

async function signIn(page: Page, { address }: Roster, username = 'ann'): Promise<void> {
  await page.goto(`${address}/users`);
  await page.getByLabel('Username or email').fill(username);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect.poll(() => mainOf(page)).toContain('Showing');
  expect(await page.getByRole('banner').getByRole('link', { name: username }).count()).toBe(1);
}

test('in one browser the sessions and messages of two Rosters of one host are each their own', async () => {
  const [first, second] = [await startWithAnn(), await startWithAnn()];
  const page = await openPage(first.address);
  await signIn(page, first);
  await signIn(page, second);
  for (const { address } of [first, second, first]) {
    await page.goto(`${address}/account`);
    await expect.poll(() => mainOf(page)).toContain('Your account');
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
  await expect.poll(() => mainOf(page)).toContain('User zoe created!');

  await page.getByRole('banner').getByRole('link', { name: 'ann' }).click();
  await page.getByRole('button', { name: 'Sign out', exact: true }).click();
  await expect.poll(() => mainOf(page)).toContain('You are signed out.');
  await page.goto(`${second.address}/account`);
  await expect.poll(() => mainOf(page)).toContain('Your account');
});

test('whoever is signed in at one Roster is at every other one of the same database', async () => {
  const first = await startWithAnn();
  const second = await startWithAnn(first.url);
  const page = await openPage(first.address);
  await signIn(page, first);
  await page.goto(`${second.address}/account`);
  await expect.poll(() => mainOf(page)).toContain('Your account');
});
