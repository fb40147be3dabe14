/** Coming in, and being kept out, in Chromium without scripts. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { Secret, TOTP } from 'otpauth';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { hasAdministrator } from '../../src/auth/administrators.ts';
import { hashOf } from '../../src/auth/tokens.ts';
import { addPerson, codeAt, HOUR, movableClock, PASSWORD, signedIn } from '../people.ts';
import { addUser, listen, startApp } from '../support.ts';
import { launchChromium } from './chromium.ts';
import { expectText } from './expect-text.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

const NEW = 'a bicycle in the library';

async function start() {
  const clock = movableClock(Date.now());
  const app = await startApp({}, undefined, clock);
  return { app, clock, address: await listen(app) };
}

async function openBrowser(baseURL: string, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({
    baseURL,
    javaScriptEnabled: false,
    reducedMotion: 'reduce',
    ...options,
  });
  onTestFinished(() => context.close());
  return context.newPage();
}

async function signIn(page: Page, username: string, password = PASSWORD): Promise<void> {
  await page.getByLabel('Username or email').fill(username);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

async function choosePassword(page: Page, password: string): Promise<void> {
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByLabel('Repeat the password').fill(password);
}

async function startSignedIn(username: string, address: string): Promise<Page> {
  const page = await openBrowser(address);
  await page.goto('/sign-in');
  await signIn(page, username);
  await expectText(page, 'Users');
  return page;
}

/** The status of the next answer to an address, as the server gives it. */
async function answerOf(app: FastifyInstance, path: string): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  app.server.on('request', ({ url }, response) => {
    if (url === path) response.once('finish', () => resolve(response.statusCode));
  });
  return promise;
}

test('the first administrator comes by the link from the log, gives a role and access, and the invited one signs in', async () => {
  const { app, address } = await start();
  const page = await openBrowser(address);
  await page.goto('/users');
  await expectText(page, 'There is no administrator yet');
  await page.goto(`/setup/${app.setupToken}`);
  await page.getByLabel('Username').fill('ann');
  await page.getByLabel('Email').fill('ann@example.org');
  await page.getByLabel('Password', { exact: true }).fill('short');
  await page.getByRole('button', { name: 'Become administrator' }).click();
  await expectText(page, 'The password is too short: 5 characters, at least 15.');
  expect(await page.getByLabel('Username').inputValue()).toBe('ann');
  await choosePassword(page, PASSWORD);
  await page.getByRole('button', { name: 'Become administrator' }).click();
  await expectText(page, 'You are the administrator.');
  expect(await hasAdministrator(app.db)).toBe(true);
  await expectText(page, 'Users 1');

  await page.getByRole('link', { name: 'New user' }).click();
  await page.getByLabel('Username').fill('ed');
  await page.getByLabel('Email').fill('ed@example.org');
  await page.getByLabel('Editor').check();
  await page.getByRole('button', { name: 'Create user' }).click();
  await expectText(page, 'User ed created!');
  await page.getByRole('button', { name: 'Create access link' }).click();
  await expectText(page, 'ed can get in with this link');
  const link = (await page.locator('.secret').textContent()) ?? '';

  const other = await openBrowser(address);
  await other.goto(link);
  await expectText(other, 'You then sign in as ed.');
  await choosePassword(other, NEW);
  await other.getByRole('button', { name: 'Save password' }).click();
  await expectText(other, 'Your password is set. Sign in as ed.');
  await signIn(other, 'ed@example.org', NEW);
  await expectText(other, 'Users 2');
  expect(await other.getByRole('link', { name: 'Roles' }).count()).toBe(0);
  await other.goto(link);
  await expectText(other, 'This link has been used');
});

test('an administrator invites someone by the keyboard on a telephone, by which the link that lets them in is selected, as it is by one press', async () => {
  const { app, address } = await start();
  await addPerson(app.db, 'ann', 'admin');
  await addUser(app.db, { username: 'ada' });
  const page = await openBrowser(address, { viewport: { width: 320, height: 640 } });
  await page.goto('/sign-in?next=/users');
  await signIn(page, 'ann');
  await expectText(page, 'Users 2');
  await page.getByRole('link', { name: 'Invite', exact: true }).press('Enter');
  await expectText(page, 'They are in the directory at once.');
  await page.getByLabel('Full name').press('Tab');
  await page.keyboard.type('nobody');
  await page.keyboard.press('Enter');
  await expectText(page, 'Enter an email address like name@example.org.');
  await page.getByLabel('Email').fill('ada@example.com');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await expectText(page, 'ada2 can get in with this link');
  await expectText(page, 'Editor');
  const shownAt = page.url();
  await page.locator('p.secret').click({ position: { x: 40, y: 30 } });
  const pressed = await page.evaluate<string>('getSelection().toString().trim()');
  const secret = page.getByLabel('Access link');
  expect(pressed).toBe(await secret.inputValue());
  const isReached = () => page.evaluate<boolean>('document.activeElement.readOnly === true');
  for (let presses = 0; presses < 20 && !(await isReached()); presses++) await page.keyboard.press('Tab');
  await page.keyboard.press('Control+a');
  const link = await page.evaluate<string>('getSelection().toString()');
  expect(link).toBe(await secret.inputValue());
  await page.getByRole('link', { name: 'Change it' }).click();
  await page.getByLabel('Username').fill('ada.byron');
  await page.getByRole('button', { name: 'Save changes' }).click();
  await expectText(page, 'User ada.byron updated!');
  await page.goBack();
  await page.goBack();
  await expectText(page, 'ada.byron can get in with this link');
  expect(page.url()).toBe(shownAt);

  const other = await openBrowser(address);
  await other.goto(link);
  await expectText(other, 'You then sign in as ada.byron.');
  await choosePassword(other, NEW);
  await other.getByRole('button', { name: 'Save password' }).click();
  await signIn(other, 'ada@example.com', NEW);
  await expectText(other, 'Users 3');
});

test('a person sets up a second factor, signs out, and comes back with a code, to where they were going', async () => {
  const { app, clock, address } = await start();
  await addPerson(app.db, 'ann', 'admin');
  const page = await startSignedIn('ann', address);
  await page.getByRole('link', { name: 'ann', exact: true }).first().click();
  await page.getByRole('link', { name: 'Set it up' }).click();
  const secret = ((await page.locator('.secret').textContent()) ?? '').replaceAll(' ', '');
  const code = () => new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: clock() });
  expect(await page.locator('svg.qr').isVisible()).toBe(true);
  await page.getByLabel('Code from the app').fill('000000');
  await page.getByLabel('Your password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Turn on' }).click();
  await expectText(page, 'That is not the code that is shown now');
  await page.getByLabel('Code from the app').fill(code());
  await page.getByLabel('Your password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Turn on' }).click();
  await expectText(page, 'Keep these recovery codes');
  expect(await page.locator('.codes li').count()).toBe(10);
  await page.emulateMedia({ media: 'print' });
  // As it is seen: what is printed has whose they are, where and when, and nothing else.
  expect((await page.locator('body').innerText()).split('\n').filter(Boolean)).toEqual([
    'Recovery codes for ann',
    expect.stringMatching(/^Roster at .+, \d/),
    ...(await page.locator('.codes li').allTextContents()),
  ]);
  await page.emulateMedia({ media: 'screen' });
  const recovery = (await page.locator('.codes li').first().textContent()) ?? '';
  await page.getByRole('link', { name: 'I have kept them' }).click();
  await expectText(page, '10 recovery codes are left');
  await page.getByRole('button', { name: 'Sign out', exact: true }).click();
  await expectText(page, 'You are signed out.');

  clock.move(30_000);
  await page.goto('/users/1/edit');
  await signIn(page, 'ann');
  await expectText(page, 'Enter your code');
  await page.getByLabel('Code', { exact: true }).fill('123');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expectText(page, 'That is not a code: enter six digits, or one of your recovery codes.');
  await page.getByLabel('Code', { exact: true }).fill('000000');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expectText(page, 'That code is wrong, or it has been used.');
  await page.getByLabel('Code', { exact: true }).fill(code());
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expectText(page, 'Edit ann');
  expect(new URL(page.url()).pathname).toBe('/users/1/edit');

  const other = await openBrowser(address);
  await other.goto('/');
  await signIn(other, 'ann');
  await other.getByLabel('Code', { exact: true }).fill('k7wq-m2ad-9xpr');
  await other.getByRole('button', { name: 'Sign in' }).click();
  await expectText(other, 'That code is wrong, or it has been used.');
  await other.getByText('Use a recovery code').click();
  await other.getByLabel('Recovery code').fill('k7wq-m2ad-9xpr');
  await other.getByRole('button', { name: 'Use this recovery code' }).click();
  await expectText(other, 'That code is wrong, or it has been used.');
  // It stays unfolded, and Enter sends it as the button does.
  await other.getByLabel('Recovery code').fill(recovery.toUpperCase());
  await other.getByLabel('Recovery code').press('Enter');
  await expectText(other, 'You are signed in; 9 recovery codes are left.');
});

test('Enter in the field of an act on the second factor does that act, and no other', async () => {
  const { app, clock, address } = await start();
  await addPerson(app.db, 'ann', 'admin');
  const bob = await addPerson(app.db, 'bob', 'editor', {
    hasCode: true,
    recoveryHashes: [hashOf('dddd-eeee-ffff')],
  });
  const page = await openBrowser(address);
  const [name = '', value = ''] = (await signedIn(app, bob)).cookie.split('=');
  await page.context().addCookies([{ name, value, url: address }]);
  await page.goto('/account');
  await page.getByText('Make new recovery codes…').click();
  await page.getByLabel('Your password, for new recovery codes').fill(PASSWORD);
  await page.getByLabel('Your code, for new recovery codes').fill('dddd-eeee-ffff');
  await page.getByLabel('Your code, for new recovery codes').press('Enter');
  await expectText(page, 'Keep these recovery codes');
  await page.goto('/account');
  await page.getByText('Turn off…').click();
  await page.getByLabel('Your password, to turn it off').fill('wrong');
  await page.getByLabel('Your password, to turn it off').press('Enter');
  await expectText(page, 'There are 2 problems That is not your password. That is not a code:');
  await page.getByLabel('Your password, to turn it off').fill(PASSWORD);
  await page.getByLabel('Your code, to turn it off').fill(codeAt(clock()));
  await page.getByLabel('Your code, to turn it off').press('Enter');
  await expectText(page, 'Not set. With one, your password alone is not enough to sign in.');
});

test('a session that ends in the middle of a form loses nothing of it', async () => {
  const { app, clock, address } = await start();
  await addPerson(app.db, 'ann', 'admin');
  await addUser(app.db, { username: 'max', full_name: 'Max' });
  const page = await startSignedIn('ann', address);
  await page.goto('/users/2/edit');
  await page.getByLabel('Full name').fill('Maximilian');
  clock.move(13 * HOUR);
  await page.getByRole('button', { name: 'Save changes' }).click();
  await expectText(page, 'Your session has ended, and nothing has been saved yet.');
  expect(await page.getByLabel('Username or email').inputValue()).toBe('ann');
  await signIn(page, 'ann', 'a wrong password of mine');
  await expectText(page, 'Username or password is wrong.');
  await signIn(page, 'ann');
  await expectText(page, 'this is what you sent before.');
  expect(await page.getByLabel('Full name').inputValue()).toBe('Maximilian');
  await page.getByRole('button', { name: 'Save changes' }).click();
  await expectText(page, 'User max updated!');
  expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Maximilian');
});

test('who guesses is slowed down, is told for how long, and gets in after that', async () => {
  const { app, clock, address } = await start();
  await addPerson(app.db, 'ann', 'admin');
  const page = await openBrowser(address);
  await page.goto('/users?q=x');
  for (let failures = 0; failures < 5; failures++) await signIn(page, 'ann', 'not the password');
  await expectText(page, 'Too many attempts. Wait 1 second, then try again.');
  expect(await page.title()).toMatch(/^Error: /);
  await signIn(page, 'ann');
  await expectText(page, 'Too many attempts.');
  clock.move(1000);
  await signIn(page, 'ann');
  await expectText(page, 'Nobody matches');
});

test('a person signs out every other browser, and by the back button a signed-out one shows nothing', async () => {
  const { app, address } = await start();
  await addPerson(app.db, 'ann', 'admin');
  await addUser(app.db, { username: 'max', full_name: 'Max Mustermann' });
  const [here, there] = [await startSignedIn('ann', address), await startSignedIn('ann', address)];
  await here.goto('/account');
  expect(await here.locator('.rows li').count()).toBe(2);
  await here.getByRole('button', { name: 'End the other one' }).click();
  await expectText(here, 'Every other browser is signed out.');
  await there.goto('/users/2');
  await expectText(there, 'Sign in');
  await here.goto('/users/2');
  await expectText(here, 'Max Mustermann');
  await here.goto('/users/new');
  await here.getByLabel('Email').fill('half@example.org');
  await here.getByLabel('Inactive').check();
  await here.goto('/users');
  await here.goBack();
  // Of what is about others, a browser gives back more only with the whole page, which this one does not keep.
  expect(await here.getByLabel('Inactive').isChecked(), 'what was half filled in').toBe(true);
  await here.goto('/users/2');
  await here.getByRole('banner').getByRole('link', { name: 'ann' }).click();
  await here.getByRole('button', { name: 'Sign out', exact: true }).click();
  await expectText(here, 'You are signed out.');
  for (let times = 0; times < 3; times++) {
    await here.goBack();
    expect(await here.content()).not.toMatch(/Max|half@example/);
  }
});

test('a page of another origin changes nothing, whoever is signed in', async () => {
  const { app, address } = await start();
  const ann = await addPerson(app.db, 'ann', 'admin');
  const page = await openBrowser(address, { javaScriptEnabled: true });
  await page.goto('/sign-in');
  await signIn(page, 'ann');
  await expectText(page, 'Users');
  const evil = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end(`<!doctype html><main>Win a prize
      <form method="post" action="${address}/users/${ann.id}"><input name="full_name" value="Eve"><button>Go</button></form>
      <form method="post" action="${address}/sign-in"><input name="username" value="eve"><button>Go</button></form></main>`);
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void evil.close());
  await once(evil, 'listening');
  const { port } = evil.address() as AddressInfo;
  // A neighbour, whose requests carry the cookie, and a stranger, whose do not.
  for (const host of ['127.0.0.1', 'localhost']) {
    for (const form of [0, 1]) {
      await page.goto(`http://${host}:${port}/`);
      const answered = page.waitForResponse((response) => response.url().startsWith(address));
      await page.getByRole('button', { name: 'Go' }).nth(form).click();
      expect((await answered).status(), `${host} ${form}`).toBe(403);
      await expectText(page, 'This form was sent from another site');
    }
    await page.goto(`http://${host}:${port}/`);
    const sent = answerOf(app, `/users/${ann.id}/delete`);
    const script = `fetch('${address}/users/${ann.id}/delete', { method: 'POST', mode: 'no-cors', credentials: 'include' })`;
    // What it answers is kept from that page, too.
    await page.evaluate(script).catch(() => {});
    expect(await sent, host).toBe(403);
  }
  const users = await app.db.selectFrom('users').select(['username', 'full_name']).execute();
  expect(users).toEqual([{ username: 'ann', full_name: null }]);
});
