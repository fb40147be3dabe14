/** From an empty Roster to its administrator, without a script. */
import type { Page } from 'playwright-core';
import { expect, onTestFinished, test } from 'vitest';
import { hasAdministrator } from '../../src/auth/administrators.ts';
import { PASSWORD } from '../people.ts';
import { listen, startApp } from '../support.ts';
import { sharedChromium } from './chromium.ts';

const chromium = sharedChromium();

async function expectText(page: Page, text: string): Promise<void> {
  await page.getByRole('main').filter({ hasText: text }).waitFor({ timeout: 10_000 });
}

/** Moves on to what is called so, and presses it. */
async function pressByKey(page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < 80; presses++) {
    await page.keyboard.press('Tab');
    if ((await page.locator(':focus').textContent())?.trim() === name) return page.keyboard.press('Enter');
  }
  throw new Error(`The Tab key does not lead to “${name}”.`);
}

const byMouse = (page: Page, name: string) =>
  page.getByRole('button', { name }).or(page.getByRole('link', { name })).first().click();

test.each([
  ['by mouse', 1280, byMouse],
  ['by keyboard, on a narrow window', 320, pressByKey],
] as const)(
  'someone looks around, becomes administrator and sees what is left, %s',
  async (_how, width, press) => {
    const app = await startApp();
    const context = await chromium().newContext({
      baseURL: await listen(app),
      javaScriptEnabled: false,
      reducedMotion: 'reduce',
      viewport: { width, height: 800 },
    });
    onTestFinished(() => context.close());
    const page = await context.newPage();
    await page.goto('/');
    await expectText(page, 'Welcome to Roster');
    await press(page, 'Add made-up people');
    await expectText(page, '100 made-up people added.');
    await press(page, 'Take them out again');
    await expectText(page, '100 made-up people taken out.');
    await expectText(page, 'Welcome to Roster');

    // Elsewhere the page says where the link stands.
    if (process.platform === 'linux') await press(page, 'Become administrator');
    else await page.goto(`/setup/${app.setupToken}`);
    await page.getByLabel('Username').fill('ann');
    await page.getByLabel('Email').fill('ann@example.org');
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.getByLabel('Repeat the password').fill(PASSWORD);
    await page.keyboard.press('Enter');
    await expectText(page, 'User ann is the administrator. Sign in.');
    expect(await hasAdministrator(app.db)).toBe(true);
    await page.getByLabel('Username or email').fill('ann');
    await page.getByLabel('Password').fill(PASSWORD);
    await page.keyboard.press('Enter');

    await expectText(page, 'What is left to do');
    await expectText(page, 'Let others reach Roster');
    expect(await page.getByRole('link', { name: 'Invite someone' }).getAttribute('href')).toBe('/invite');
    await press(page, 'Hide');
    await expectText(page, 'Showing 1 of 1');
    expect(await page.getByText('What is left to do').count()).toBe(0);
  },
);
