/** The first hour: from an empty Roster to its administrator, and to a colleague who comes and goes, without a script. */
import { Secret, TOTP } from 'otpauth';
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
    // Past the last one it is the browser's own.
    const [text = ''] = await page.locator(':focus').allTextContents();
    if (text.trim().startsWith(name)) return page.keyboard.press('Enter');
  }
  throw new Error(`The Tab key does not lead to “${name}”.`);
}

const byMouse = (page: Page, start: string) => {
  const name = new RegExp(`^${start}`);
  const links = page.getByRole('link', { name }).or(page.locator('summary', { hasText: start }));
  return page.getByRole('button', { name }).or(links).first().click();
};

test.each([
  ['by mouse', 1280, byMouse],
  ['by keyboard, on a narrow window', 320, pressByKey],
] as const)(
  'someone looks around, becomes administrator and lets somebody in, who is then kept out, %s',
  async (_how, width, press) => {
    const app = await startApp();
    const baseURL = await listen(app);
    const openBrowser = async () => {
      const viewport = { width, height: 800 };
      const context = await chromium().newContext({
        baseURL,
        javaScriptEnabled: false,
        reducedMotion: 'reduce',
        viewport,
      });
      onTestFinished(() => context.close());
      return context.newPage();
    };
    const page = await openBrowser();
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

    await press(page, 'Invite');
    await expectText(page, 'Left empty, it is what stands before the @ of the email.');
    await page.getByLabel('Full name').fill('Bob Bee');
    await page.getByLabel('Email').fill('bob@example.org');
    await page.keyboard.press('Enter');
    await expectText(page, 'Bob Bee can get in with this link');
    const link = await page.locator('.secret').textContent();
    await press(page, 'Done');
    await expectText(page, 'What you can do');

    const other = await openBrowser();
    await other.goto(link ?? '');
    await other.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await other.getByLabel('Repeat the password').fill(PASSWORD);
    await other.keyboard.press('Enter');
    await other.getByLabel('Username or email').fill('bob@example.org');
    await other.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await other.keyboard.press('Enter');
    await expectText(other, 'Showing 1–2 of 2');

    await other.locator('.me').press('Enter');
    await expectText(other, 'Where you are signed in');
    await press(other, 'Set it up');
    await expectText(other, 'Scan this with an app');
    const secret = (await other.locator('.secret').textContent()) ?? '';
    const code = new TOTP({ secret: Secret.fromBase32(secret.replaceAll(' ', '')) }).generate();
    await other.getByLabel('Code from the app').fill(code);
    await other.getByLabel('Your password').fill(PASSWORD);
    await other.keyboard.press('Enter');
    await expectText(other, 'Keep these recovery codes');
    const recovery = (await other.locator('.codes li').first().textContent()) ?? '';
    await press(other, 'I have kept them');
    await expectText(other, 'Where you are signed in');
    await press(other, 'Change name or email');
    await expectText(other, 'Needed only if you change your email.');
    await other.getByLabel('Full name').fill('Robert Bee');
    await other.keyboard.press('Enter');
    await expectText(other, 'Your name and email are saved.');

    await page.reload();
    await expectText(page, 'Robert Bee');
    await press(page, 'End');
    await expectText(page, 'bob is signed out of that browser.');
    await other.goto('/users');
    await other.getByLabel('Username or email').fill('bob');
    await other.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await other.keyboard.press('Enter');
    await expectText(other, 'The six digits that your app shows now.');
    await press(other, 'Without your telephone?');
    await other.getByLabel('Recovery code').fill(recovery);
    await other.keyboard.press('Enter');
    await expectText(other, 'You are signed in; 9 recovery codes are left.');

    await press(page, 'Deactivate');
    await expectText(page, 'User bob updated!');
    await other.goto('/users');
    await expectText(other, 'Your account has been deactivated. An administrator can activate it again.');
  },
);
