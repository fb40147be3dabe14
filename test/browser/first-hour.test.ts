/** The first hour: from an empty Roster to its administrator, and to a colleague who comes and goes, without a script. */
import { Secret, TOTP } from 'otpauth';
import type { Page } from 'playwright-core';
import { expect, onTestFinished, test } from 'vitest';
import { hasAdministrator } from '../../src/auth/administrators.ts';
import { PASSWORD } from '../people.ts';
import { listen, startApp } from '../support.ts';
import { sharedChromium } from './chromium.ts';
import { expectText } from './expect-text.ts';

const chromium = sharedChromium();

/** How somebody finds what is called so, and presses it or writes there. */
type Hand = {
  press(page: Page, name: string): Promise<void>;
  follow(page: Page, link: string): Promise<void>;
  write(page: Page, label: string, text: string): Promise<void>;
};

/** What has the focus, as it is called. */
const FOCUSED = `(() => {
  const named = (document.activeElement.labels?.[0] ?? document.activeElement).cloneNode(true);
  for (const hidden of named.querySelectorAll('[aria-hidden]')) hidden.remove();
  return named.textContent.trim();
})()`;

async function tabTo(page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < 80; presses++) {
    if ((await page.evaluate<string>(FOCUSED)).startsWith(name)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`The Tab key does not lead to “${name}”.`);
}

/** The one of all that is called so in full, or begins so. */
const field = (page: Page, label: string) => page.getByLabel(new RegExp(`^${label}( \\(optional\\))?$`));

const byKeyboard: Hand = {
  async press(page, name) {
    await tabTo(page, name);
    await page.keyboard.press('Enter');
  },
  async follow(page, link) {
    const isLink = () => page.evaluate<boolean>("document.activeElement.matches('a')");
    for (let times = 0; times < 2; times++) {
      await tabTo(page, link);
      if (await isLink()) break;
      await page.keyboard.press('Tab');
    }
    expect(await isLink()).toBe(true);
    await page.keyboard.press('Enter');
  },
  async write(page, label, text) {
    await field(page, label).waitFor();
    await tabTo(page, label);
    await page.keyboard.press('ControlOrMeta+a');
    await page.keyboard.type(text);
  },
};

const byMouse: Hand = {
  press(page, start) {
    const name = new RegExp(`^${start}`);
    const links = page.getByRole('link', { name }).or(page.locator('summary', { hasText: start }));
    return page.getByRole('button', { name }).or(links).first().click();
  },
  follow(page, name) {
    return page.getByRole('link', { name }).click();
  },
  async write(page, label, text) {
    await field(page, label).click();
    await field(page, label).fill(text);
  },
};

test.each([
  ['by mouse', 1280, byMouse],
  ['by mouse, in a narrow window', 320, byMouse],
  ['by keyboard', 1280, byKeyboard],
  ['by keyboard, in a narrow window', 320, byKeyboard],
])(
  'someone looks around, becomes administrator and lets somebody in, who is then kept out, %s',
  async (_how, width, { press, follow, write }) => {
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
    await write(page, 'Username', 'ann');
    await write(page, 'Email', 'ann@example.org');
    await write(page, 'Password', PASSWORD);
    await write(page, 'Repeat the password', PASSWORD);
    await press(page, 'Become administrator');
    await expectText(page, 'You are the administrator.');
    expect(await hasAdministrator(app.db)).toBe(true);
    await expectText(page, 'What is left to do');
    await expectText(page, 'Let others reach Roster');
    expect(await page.getByRole('link', { name: 'Invite someone' }).getAttribute('href')).toBe('/invite');
    await press(page, 'Hide');
    await expectText(page, 'Showing 1 of 1');
    expect(await page.getByText('What is left to do').count()).toBe(0);

    await press(page, 'Invite');
    await expectText(page, 'Left empty, it is what stands before the @ of the email.');
    await write(page, 'Full name', 'Bob Bee');
    await write(page, 'Email', 'bob@example.org');
    await press(page, 'Invite');
    await expectText(page, 'Bob Bee can get in with this link');
    const link = await page.locator('.secret').textContent();
    await press(page, 'Done');
    await expectText(page, 'Showing 1–2 of 2');
    // Before it stands the tick that is called the same.
    await follow(page, 'Bob Bee');
    await expectText(page, 'What you can do');

    const other = await openBrowser();
    await other.goto(link ?? '');
    await write(other, 'Password', PASSWORD);
    await write(other, 'Repeat the password', PASSWORD);
    await press(other, 'Save password');
    await expectText(other, 'Your password is set. Sign in as bob.');
    await other.keyboard.type(PASSWORD);
    await press(other, 'Sign in');
    await expectText(other, 'Showing 1–2 of 2');

    await press(other, 'bob');
    await expectText(other, 'Where you are signed in');
    await press(other, 'Set it up');
    await expectText(other, 'Scan this with an app');
    const secret = (await other.locator('.secret').textContent()) ?? '';
    const code = new TOTP({ secret: Secret.fromBase32(secret.replaceAll(' ', '')) }).generate();
    await write(other, 'Code from the app', code);
    await write(other, 'Your password', PASSWORD);
    await press(other, 'Turn on');
    await expectText(other, 'Keep these recovery codes');
    const recovery = (await other.locator('.codes li').first().textContent()) ?? '';
    await press(other, 'I have kept them');
    await expectText(other, 'Where you are signed in');
    await press(other, 'Change name or email');
    await expectText(other, 'Needed only if you change your email.');
    await write(other, 'Full name', 'Robert Bee');
    await press(other, 'Save changes');
    await expectText(other, 'Your name and email are saved.');

    await page.reload();
    await expectText(page, 'Robert Bee');
    await press(page, 'End');
    await expectText(page, 'bob is signed out of that browser.');
    await other.goto('/users');
    await write(other, 'Username or email', 'bob');
    await write(other, 'Password', PASSWORD);
    await press(other, 'Sign in');
    await expectText(other, 'The six digits that your app shows now.');
    await press(other, 'Without your telephone?');
    await write(other, 'Recovery code', recovery);
    await press(other, 'Use this recovery code');
    await expectText(other, 'You are signed in; 9 recovery codes are left.');

    await press(page, 'Deactivate');
    await expectText(page, 'User bob deactivated!');
    await other.goto('/users');
    await expectText(other, 'Your account has been deactivated. An administrator can activate it again.');
  },
);
