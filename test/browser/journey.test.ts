import type { Browser, Page, Request } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { seal } from '../../src/auth/tokens.ts';
import { seedUsers } from '../../src/cli/seed.ts';
import { addUser, cookieName, listen, startApp } from '../support.ts';
import { launchChromium } from './chromium.ts';
import { expectText } from './expect-text.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

/** A Roster with made-up users, in a browser window without scripts. */
async function openRoster(users: number, { width = 1280, height = 900 } = {}): Promise<Page> {
  const app = await startApp();
  if (users > 0) await seedUsers(app.db, users);
  const context = await browser.newContext({
    baseURL: await listen(app),
    javaScriptEnabled: false,
    reducedMotion: 'reduce',
    viewport: { width, height },
  });
  onTestFinished(() => context.close());
  return context.newPage();
}

async function pressUntilFocused(page: Page, selector: string): Promise<void> {
  for (let presses = 0; presses < 80; presses++) {
    if ((await page.locator(`${selector}:focus`).count()) > 0) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`The Tab key does not lead to ${selector}.`);
}

test('a person creates a user, finds them on page 2, edits, deactivates, filters and deletes them', async () => {
  const page = await openRoster(11);
  await page.goto('/');
  await page.getByRole('link', { name: 'New user' }).click();
  await page.getByLabel('Username').fill('zoe.quinn');
  await page.getByLabel('Email').fill('zoe@example.org');
  await page.getByLabel('Full name').fill('Zoë Quinn');
  await page.getByRole('button', { name: 'Create user' }).click();
  await expectText(page, 'User zoe.quinn created!');

  await page.getByRole('link', { name: 'All users' }).click();
  expect(await page.getByRole('main').textContent()).not.toContain('created!');
  await page.getByRole('link', { name: 'Next' }).click();
  await expectText(page, 'Showing 11–12 of 12');
  await page.getByRole('link', { name: 'Zoë Quinn' }).click();

  await page.getByRole('link', { name: 'Edit' }).click();
  await page.getByLabel('Email').fill('ada.abbott@example.com');
  await page.getByLabel('Username').fill('zoe quinn');
  await page.getByRole('button', { name: 'Save changes' }).click();
  await expectText(page, 'There are 2 problems');
  await expectText(page, 'That email already belongs to ada.abbott.');
  expect(await page.title()).toMatch(/^Error: /);
  await page.locator('.summary:focus').waitFor();
  await page.getByRole('link', { name: 'That email already belongs to ada.abbott.' }).click();
  await page.locator('#email:focus').waitFor();
  await page.getByLabel('Email').fill('zoe.quinn@example.org');
  await page.getByLabel('Username').fill('zoe');
  await page.getByRole('button', { name: 'Save changes' }).click();
  await expectText(page, 'User zoe updated!');

  await page.getByRole('button', { name: 'Deactivate' }).click();
  await expectText(page, 'Inactive');
  await page.getByRole('link', { name: 'All users' }).click();
  expect(new URL(page.url()).search).toBe('?page=2');
  await page.getByLabel('Status').selectOption('Inactive');
  await page.getByRole('button', { name: 'Search' }).click();
  await page.getByRole('link', { name: 'Zoë Quinn' }).click();
  await page.getByRole('link', { name: 'Delete…' }).click();
  await page.getByRole('button', { name: 'Delete user' }).click();
  await expectText(page, 'User zoe deleted!');
  expect(new URL(page.url()).search).toBe('?status=inactive');
  expect(await page.getByRole('link', { name: 'Zoë Quinn' }).count()).toBe(0);
});

test('a person searches, pages through who was found, looks at one and comes back', async () => {
  const page = await openRoster(400);
  await page.goto('/users');
  await page.getByLabel('Search').fill('garc');
  await page.keyboard.press('Enter');
  await expectText(page, ' “garc” Clear all');
  expect(await page.locator('mark').first().textContent()).toMatch(/^garc/i);
  await page.getByLabel('Search').fill('example AN');
  await page.getByRole('button', { name: 'Search' }).click();
  await expectText(page, ' “example” and “AN” Clear all');
  await page.getByRole('link', { name: 'Next' }).click();
  await expectText(page, 'Showing 11–');
  const shown = await page.locator('tbody').textContent();
  const name = page.locator('tbody .user a').first();
  await name.click();
  await page.getByRole('link', { name: 'Back to the list' }).click();
  await expect.poll(() => page.locator('tbody').textContent()).toBe(shown);
  expect(await page.getByLabel('Search').inputValue()).toBe('example AN');
  await page.getByLabel('Status').selectOption('Inactive');
  await page.getByRole('button', { name: 'Search' }).click();
  await expectText(page, ' “example” and “AN” Inactive Clear all');
  await page.getByRole('link', { name: '“example” and “AN”' }).click();
  expect(new URL(page.url()).search).toBe('?status=inactive');
  await page.getByRole('link', { name: 'Clear all' }).click();
  expect(new URL(page.url()).search).toBe('');
});

test('on a wide screen the filters are open, on a phone they open by a click or a key, also where some are applied', async () => {
  const wide = await openRoster(3);
  await wide.goto('/users');
  expect(await wide.getByLabel('Created from').isVisible()).toBe(true);
  const phone = await openRoster(3, { width: 320, height: 640 });
  await phone.goto('/users');
  expect(await phone.getByLabel('Created from').isVisible()).toBe(false);
  await pressUntilFocused(phone, '.filters summary');
  await phone.keyboard.press('Enter');
  await phone.getByLabel('Created from').fill('2019-01-01');
  await phone.getByRole('button', { name: 'Search' }).click();
  await expectText(phone, 'Filters (1)');
  await expectText(phone, ' Created from 1 Jan 2019 Clear all');
  expect(await phone.getByLabel('Created from').inputValue()).toBe('2019-01-01');
  expect(await phone.getByLabel('Created from').isVisible()).toBe(false);
});

test('two people who edit the same user see both versions, and the later one chooses', async () => {
  const page = await openRoster(1);
  const other = await page.context().newPage();
  await page.goto('/users/1/edit');
  await other.goto('/users/1/edit');
  await other.getByLabel('Full name').fill('Ada A. Abbott');
  await other.getByRole('button', { name: 'Save changes' }).click();
  await page.getByLabel('Full name').fill('Ada Abbott-Lee');
  await page.getByRole('button', { name: 'Save changes' }).click();
  await expectText(page, 'Saved already');
  expect(await page.getByRole('radio', { name: /There now\s+Ada A\. Abbott/ }).isChecked()).toBe(false);
  expect(await page.getByRole('radio', { name: /Yours\s+Ada Abbott-Lee/ }).isChecked()).toBe(true);
  await page.getByRole('button', { name: 'Save my choices' }).click();
  await expectText(page, 'User ada.abbott updated!');
  expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Ada Abbott-Lee');
});

test('what has been done has the focus on the next page, and what is wrong has it before that', async () => {
  const page = await openRoster(3);
  await page.goto('/users/new');
  await page.getByLabel('Username').fill('zoe');
  await page.getByLabel('Email').fill('ada.abbott@example.com');
  await page.getByRole('button', { name: 'Create user' }).click();
  await page.locator('.summary:focus').waitFor();
  await page.getByLabel('Email').fill('zoe@example.org');
  await page.getByRole('button', { name: 'Create user' }).click();
  await page.locator('#flash:focus').waitFor();
  expect(await page.evaluate('document.activeElement.textContent')).toBe('User zoe created!');
  expect(await page.title()).toBe('User zoe created! · zoe · Roster');
  // The next thing after it undoes it, and then comes what the page begins with.
  await page.keyboard.press('Tab');
  expect(await page.locator('button:focus').textContent()).toBe('Undo');
  await page.keyboard.press('Tab');
  expect(await page.locator('a:focus').textContent()).toBe('All users');
  await page.goto('/users?sort=shoe_size');
  await page.locator('.notice:focus').filter({ hasText: 'was ignored' }).waitFor();
});

test('the list is sorted, filtered by date and paged by links and one form', async () => {
  const page = await openRoster(30);
  await page.goto('/users');
  await page.getByRole('link', { name: 'User', exact: true }).click();
  await page.getByRole('link', { name: 'User', exact: true }).click();
  expect(await page.locator('th[aria-sort]').getAttribute('aria-sort')).toBe('descending');
  await page.getByLabel('Created from').fill('2019-01-07');
  await page.getByRole('button', { name: 'Search' }).click();
  await expectText(page, ' Created from 7 Jan 2019 Clear all');
  expect(await page.locator('th[aria-sort]').getAttribute('aria-sort')).toBe('descending');
  await page.getByRole('link', { name: '25', exact: true }).click();
  await expectText(page, 'Showing 1–25 of 30');
  await page.getByRole('link', { name: 'Clear all' }).click();
  expect(new URL(page.url()).search).toBe('?sort=-name&per_page=25');
});

test('the next page is fetched before it is asked for, without using up the flash message', async () => {
  const app = await startApp();
  await seedUsers(app.db, 12);
  const context = await browser.newContext({ baseURL: await listen(app), reducedMotion: 'reduce' });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  await page.goto('/users');
  await addUser(app.db, { username: 'zoe' });
  // The message waits, as when another window has just deleted somebody.
  const value = seal(app.secretKey, 'flash', { sentence: 'User zoe deleted!' });
  await context.addCookies([{ name: cookieName('flash'), value, url: page.url() }]);
  const fetched = page.waitForEvent('requestfinished', (request) => isPrefetch(request));
  await page.getByRole('link', { name: 'Next' }).hover();
  expect(new URL((await fetched).url()).search).toBe('?page=2&after=id.10');
  await page.goto('/users/new');
  await expectText(page, 'User zoe deleted!');
});

// This Chromium keeps no page whole for the way back, as those of people do; a page made anew is filled with what was
// typed, but for the fields about others, with `autocomplete="off"`.
test('what was typed is still there on the way back from an error', async () => {
  const app = await startApp();
  const context = await browser.newContext({
    baseURL: await listen(app),
    javaScriptEnabled: false,
    reducedMotion: 'reduce',
  });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  await page.goto(`/setup/${app.setupToken}`);
  await page.getByLabel('Email').fill('zoe@example.org');
  const pasted = 'Z'.repeat(1_100_000);
  await page.getByLabel('Full name').fill(pasted);
  await page.getByRole('button', { name: 'Become administrator' }).click();
  await expectText(
    page,
    'A form may be 64 KiB at most. Nothing was changed; what you typed is one step back.',
  );
  await page.goBack();
  expect(await page.getByLabel('Email').inputValue()).toBe('zoe@example.org');
  expect((await page.getByLabel('Full name').inputValue()) === pasted).toBe(true);
});

describe('on a phone', () => {
  test('a user can be created and found', async () => {
    const page = await openRoster(3, { width: 320, height: 640 });
    await page.goto('/users/new');
    await page.getByLabel('Username').fill('zoe');
    await page.getByLabel('Email').fill('zoe@example.org');
    await page.getByRole('button', { name: 'Create user' }).click();
    await page.getByRole('link', { name: 'All users' }).click();
    await page.getByText('Filters', { exact: true }).click();
    await page.getByLabel('Order').selectOption('-id');
    await page.getByRole('button', { name: 'Search' }).click();
    expect(await page.locator('tbody tr').first().textContent()).toContain('zoe@example.org');
  });
});

test('the whole journey goes by keyboard alone', async () => {
  const page = await openRoster(11);
  await page.goto('/users');
  await page.keyboard.press('Tab');
  expect(await page.locator('a:focus').textContent()).toBe('Skip to content');
  await page.keyboard.press('Enter');
  await pressUntilFocused(page, 'a[href^="/users/new"]');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'New user' }).waitFor();

  await pressUntilFocused(page, '#username');
  await page.keyboard.type('zoe quinn');
  await page.keyboard.press('Tab');
  await page.keyboard.type('zoe@example.org');
  await page.keyboard.press('Enter');
  await expectText(page, 'There is a problem');
  await pressUntilFocused(page, '.summary a');
  await page.keyboard.press('Enter');
  await page.locator('#username:focus').waitFor();
  await page.keyboard.press('Control+A');
  await page.keyboard.type('zoe');
  await page.keyboard.press('Enter');
  await expectText(page, 'User zoe created!');

  await pressUntilFocused(page, 'a[href$="/edit"]');
  await page.keyboard.press('Enter');
  await pressUntilFocused(page, '#is_active');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await expectText(page, 'User zoe updated!');
  await expectText(page, 'Inactive');

  await pressUntilFocused(page, 'a.danger');
  await page.keyboard.press('Enter');
  await pressUntilFocused(page, 'button.danger');
  await page.keyboard.press('Enter');
  await expectText(page, 'User zoe deleted!');
});

function isPrefetch(request: Request): boolean {
  return /prefetch/.test(request.headers()['sec-purpose'] ?? '');
}
