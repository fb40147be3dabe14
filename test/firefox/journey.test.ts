/** The whole journey in Firefox: by mouse, by keyboard alone, and by measure. The pages have no script, and forbid any. */
import type { Page } from 'puppeteer-core';
import { expect, test } from 'vitest';
import { seedUsers } from '../../src/cli/seed.ts';
import { layoutProblems, targetAt } from '../browser/measure.ts';
import { addPerson, PASSWORD } from '../people.ts';
import { isLacking } from '../requirements.ts';
import { addUser, listen, startApp } from '../support.ts';
import { FIREFOX, openFirefox } from './firefox.ts';

if (FIREFOX === undefined) console.warn('There is no Firefox here: Debian’s package firefox-esr brings it.');
const inFirefox = test.skipIf(isLacking(FIREFOX !== undefined));

/** A Roster with 30 made-up users and an administrator, who has signed in. */
async function start(): Promise<{ page: Page; address: string }> {
  const app = await startApp();
  await seedUsers(app.db, 30);
  await addUser(app.db, { username: 'w'.repeat(64), full_name: 'W'.repeat(200) });
  await addPerson(app.db, 'ann', 'admin');
  const [page, address] = [await openFirefox(), await listen(app)];
  await page.goto(`${address}/sign-in`);
  await page.type('#username', 'ann');
  await page.type('#password', PASSWORD);
  await press(page, 'button');
  return { page, address };
}

/** Presses what leads to another page. */
async function press(page: Page, selector: string): Promise<void> {
  await Promise.all([page.waitForNavigation(), page.click(selector)]);
}

async function retype(page: Page, selector: string, text: string): Promise<void> {
  await page.click(selector, { count: 3 });
  await page.type(selector, text);
}

const textOf = (page: Page, selector = 'main'): Promise<string> =>
  page.$eval(selector, (element) => (element.textContent ?? '').replaceAll(/\s+/g, ' ').trim());
const valuesOf = (page: Page) =>
  page.$$eval('.field > input', (inputs) => inputs.map((input) => (input as { value: string }).value));
const focused = (page: Page) =>
  page.evaluate('document.activeElement.className || document.activeElement.id');

async function expectSound(page: Page, name: string): Promise<void> {
  for (const width of [1280, 390]) {
    await page.setViewport({ width, height: 800 });
    expect(await layoutProblems(page, targetAt(width)), `${name}, ${width} px`).toEqual([]);
  }
  await page.setViewport({ width: 1280, height: 800 });
}

inFirefox('a person signs in, finds, creates, edits and deletes', async () => {
  const { page, address } = await start();
  await expectSound(page, 'the list');
  await press(page, '[rel=next]');
  expect(await textOf(page, '.applied p')).toBe('Showing 11–20 of 32');
  await press(page, '[rel=prev]');
  expect(await textOf(page, '.applied p')).toBe('Showing 1–10 of 32');
  await page.type('[name=q]', 'www');
  await press(page, '.filters button');
  await expectSound(page, 'a search');
  const row = await (await page.$('tbody tr td.created'))?.boundingBox();
  await Promise.all([page.waitForNavigation(), page.mouse.click((row?.x ?? 0) + 9, (row?.y ?? 0) + 9)]);
  expect(await textOf(page, 'h1')).toBe('W'.repeat(200));
  await expectSound(page, 'a user');

  await page.goto(`${address}/users/new`);
  await page.type('#username', 'zoe quinn');
  await page.type('#email', 'zoe@bücher.example');
  await page.type('#full_name', 'Zoë Quinn');
  await press(page, 'button.primary');
  expect(await textOf(page, '.summary')).toContain('There is a problem');
  expect(await focused(page)).toBe('summary');
  expect(await valuesOf(page)).toEqual(['zoe quinn', 'zoe@bücher.example', 'Zoë Quinn']);
  await expectSound(page, 'a form with a mistake');
  await retype(page, '#username', 'zoe');
  await press(page, 'button.primary');
  expect(await textOf(page)).toMatch(/User zoe created!.*zoe@bücher\.example/);

  await press(page, 'a[href$="/edit"]');
  await retype(page, '#full_name', 'Zoe');
  await press(page, 'button.primary');
  expect(await textOf(page)).toContain('User zoe updated!');
  await press(page, 'a.danger');
  await expectSound(page, 'the question before deleting');
  await press(page, 'button.danger');
  expect(await textOf(page)).toContain('User zoe deleted!');
});

inFirefox('a user is created and edited by keyboard alone', async () => {
  const { page, address } = await start();
  const tabTo = async (selector: string) => {
    for (let presses = 0; presses < 80; presses++) {
      if ((await page.$(`${selector}:focus`)) !== null) return;
      await page.keyboard.press('Tab');
    }
    throw new Error(`The Tab key does not lead to ${selector}.`);
  };
  const enter = () => Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
  await page.goto(`${address}/users`);
  await tabTo('a[href^="/users/new"]');
  await enter();
  await tabTo('#username');
  await page.keyboard.type('zoe quinn');
  await tabTo('#email');
  await page.keyboard.type('zoe@example.org');
  await enter();
  await tabTo('.summary a');
  await page.keyboard.press('Enter');
  expect(await focused(page)).toBe('username');
  await page.keyboard.press('End');
  for (const _ of ' quinn') await page.keyboard.press('Backspace');
  await enter();
  expect(await textOf(page)).toContain('User zoe created!');
  await tabTo('a[href$="/edit"]');
  await enter();
  await tabTo('#is_active');
  await page.keyboard.press('ArrowDown');
  await enter();
  expect(await textOf(page)).toMatch(/User zoe updated!.*Inactive/);
});
