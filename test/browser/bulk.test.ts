/** Many at once in Chromium without a script: ticked on the list, confirmed, done, undone. */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { seedUsers } from '../../src/cli/seed.ts';
import { addPerson } from '../people.ts';
import { addUser, listen, startApp } from '../support.ts';
import { sharedChromium } from './chromium.ts';
import { openSignedIn } from './signed-in.ts';

const chromium = sharedChromium();

async function start(width: number): Promise<Page> {
  const app = await startApp();
  await addPerson(app.db, 'ann', 'admin');
  for (const username of ['max', 'mia', 'moe']) await addUser(app.db, { username });
  await seedUsers(app.db, 300);
  return openSignedIn(chromium(), 'ann', { baseURL: await listen(app), viewport: { width, height: 800 } });
}

const bar = (page: Page) => page.locator('.bulk');

async function choose(page: Page, act: string): Promise<void> {
  await page.getByLabel('What to do with those ticked').selectOption(act);
  await page.getByRole('button', { name: 'Go on…' }).click();
}

test.each([1280, 320])('who is ticked is deactivated, and that is undone, at %i px', async (width) => {
  const page = await start(width);
  expect(await bar(page).isVisible()).toBe(false);
  await page.getByRole('checkbox', { name: 'max', exact: true }).check();
  await page.getByRole('checkbox', { name: 'moe', exact: true }).check();
  // What a counter says is no text of the page.
  expect(await page.evaluate("getComputedStyle(document.querySelector('.some'), '::before').content")).toBe(
    'counter(ticked) " "',
  );
  const counted = await page.evaluate(
    "[...document.querySelectorAll('input[type=checkbox]')].map((box) => box.checked + ' ' + getComputedStyle(box).counterIncrement)",
  );
  expect(new Set(counted as string[])).toEqual(new Set(['true ticked 1', 'false none']));
  await choose(page, 'Deactivate');
  await page.getByRole('heading', { level: 1, name: 'Deactivate 2 users?' }).waitFor();
  await page.getByRole('button', { name: 'Deactivate 2 users' }).click();
  await page.locator('#flash:focus', { hasText: '2 users deactivated!' }).waitFor();
  expect(
    await page
      .locator('tr', { hasText: 'Inactive' })
      .filter({ hasText: /max|moe/ })
      .count(),
  ).toBe(2);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.locator('#flash:focus', { hasText: 'Undone for 2 users!' }).waitFor();
});

test.each([1280, 320])(
  'all who match are given a role, and their page says when it is done, at %i px',
  async (width) => {
    const page = await start(width);
    await page.goto('/users?role=member&sort=-id');
    await page.getByRole('checkbox', { name: 'All 303 that match' }).check();
    expect(await bar(page).innerText()).toContain('All 303 that match');
    await choose(page, 'Change role');
    await page.getByRole('button', { name: 'Change the role of 303 users' }).click();
    await page.locator('.summary:focus', { hasText: 'Choose one of the roles.' }).waitFor();
    await page.getByRole('radio', { name: 'Viewer' }).check();
    await page.getByRole('button', { name: 'Change the role of 303 users' }).click();
    // It asks for itself again until it is done.
    await page.getByText('Done for 303 of 303 users.').waitFor();
    await page.goto('/users?role=viewer');
    await page.getByText('Showing 1–10 of 303').waitFor();
  },
);

test('by the keyboard alone: ticked by Space, unticked, and what there is to do comes after the rows', async () => {
  const page = await start(1280);
  await page.getByRole('checkbox', { name: 'max', exact: true }).focus();
  await page.keyboard.press('Space');
  const order: string[] = [];
  for (let presses = 0; presses < 40 && order.at(-1) !== 'Go on…'; presses++) {
    await page.keyboard.press('Tab');
    order.push(
      await page.evaluate<string>(
        "document.activeElement.getAttribute('name') ?? document.activeElement.innerText",
      ),
    );
  }
  expect(order.slice(-3)).toEqual(['Untick', 'do', 'Go on…']);
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Enter');
  expect(await page.locator(':checked:not(option)').count()).toBe(0);
  expect(await bar(page).isVisible()).toBe(false);
});

test('a browser asks what is to be done before it goes on, and whoever has it all the same is told', async () => {
  const page = await start(1280);
  await page.getByRole('checkbox', { name: 'max', exact: true }).check();
  await page.getByRole('button', { name: 'Go on…' }).click();
  expect(await page.locator('select:invalid').count()).toBe(1);
  await page.goto('/bulk?from=q%3Dm');
  await page.locator('#flash', { hasText: 'Nothing was ticked.' }).waitFor();
  expect(new URL(page.url()).search).toBe('?q=m');
});

test('a tick stays on its page: nobody is ticked on the next one', async () => {
  const page = await start(1280);
  await page.getByRole('checkbox', { name: 'max', exact: true }).check();
  await page.getByRole('link', { name: 'Next' }).first().click();
  await page.getByText('Showing 11–20 of 304').waitFor();
  expect(await page.locator(':checked:not(option)').count()).toBe(0);
  expect(await bar(page).isVisible()).toBe(false);
});
