/** Users from a file in Chromium without a script: with mistakes, corrected, brought again, undone, and out again. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { addPerson } from '../people.ts';
import { addUser, listen, startApp, temporaryFolder } from '../support.ts';
import { sharedChromium } from './chromium.ts';
import { openSignedIn } from './signed-in.ts';

const chromium = sharedChromium();

async function start(width: number) {
  const app = await startApp();
  await addPerson(app.db, 'ann', 'admin');
  await addUser(app.db, { username: 'bob', full_name: 'Bob' });
  const page = await openSignedIn(chromium(), 'ann', {
    baseURL: await listen(app),
    viewport: { width, height: 800 },
  });
  return { app, page };
}

async function bring(page: Page, text: string): Promise<void> {
  const path = join(temporaryFolder(), 'users.csv');
  writeFileSync(path, text);
  await page.getByLabel('File').setInputFiles(path);
  await page.getByRole('button', { name: 'Check the file' }).click();
}

async function download(page: Page, press: () => Promise<void>): Promise<string> {
  const downloading = page.waitForEvent('download');
  await press();
  return readFileSync(await (await downloading).path(), 'utf8');
}

const counts = (page: Page) => page.locator('.counts').innerText();

test.each([1280, 320])(
  'a list with mistakes is imported, its refused rows corrected and brought again, undone, and exported, at %i px',
  async (width) => {
    const { page } = await start(width);
    await page.getByRole('link', { name: 'Import', exact: true }).click();
    await bring(page, 'Login;E-Mail;Name\nbob;;Robert\ncem;cem@example.org;Cem\ndora;dora;Dora\n');
    await page.getByRole('heading', { name: 'Check the import' }).waitFor();
    expect((await counts(page)).match(/\d+/g)).toEqual(['1', '1', '0', '1']);
    await page.getByText('“dora”: enter an email address like name@example.org.').waitFor();
    const refused = await download(page, () =>
      page.getByRole('link', { name: 'Download the refused rows' }).click(),
    );
    await page.getByRole('button', { name: 'Apply 2 rows' }).click();
    await page.locator('#flash:focus', { hasText: '1 user created, 1 user changed!' }).waitFor();

    await page.getByRole('link', { name: 'Users' }).first().click();
    await page.getByRole('link', { name: 'Import', exact: true }).click();
    await bring(page, refused.replace('dora;dora;', 'dora;dora@example.org;'));
    expect((await counts(page)).match(/\d+/g)).toEqual(['1', '0', '0', '0']);
    await page.getByRole('button', { name: 'Apply 1 row' }).click();
    await page.locator('#flash:focus', { hasText: '1 user created!' }).waitFor();
    const flash = page.locator('.flash');
    await flash.getByRole('button', { name: 'Undo' }).click();
    await page.locator('#flash:focus', { hasText: 'User dora deleted!' }).waitFor();

    await page.goto('/users');
    await page.getByRole('link', { name: 'Export' }).click();
    const exported = await download(page, () => page.getByRole('button', { name: 'Export' }).click());
    expect(exported.match(/^\w+(?=,.*@)/gm)).toEqual(['ann', 'bob', 'cem']);
    expect(exported).toContain('bob,bob@example.org,Robert,active,member');

    await page.goto('/import');
    await bring(page, exported);
    await page.getByText('0 changes. Roster has all of it already.').waitFor();
  },
);

test('without a mouse: the file is chosen, columns are said to be others, and all of it is applied', async () => {
  const { page } = await start(1280);
  await page.goto('/import');
  const press = async (selector: string, key = 'Enter') => {
    for (let presses = 0; presses < 60; presses++) {
      if ((await page.locator(`${selector}:focus`).count()) > 0) return page.keyboard.press(key);
      await page.keyboard.press('Tab');
    }
    throw new Error(`The Tab key does not lead to ${selector}.`);
  };
  const choosing = page.waitForEvent('filechooser');
  await press('[type=file]');
  const buffer = Buffer.from('username,email,Rufname\nzoe,zoe@example.org,Zoë\n');
  await (await choosing).setFiles({ name: 'users.csv', mimeType: 'text/csv', buffer });
  await press('button:text("Check the file")');
  await page.getByRole('heading', { name: 'Check the import' }).waitFor();
  await press('summary');
  expect(await page.getByRole('button', { name: 'Apply' }).isVisible()).toBe(false);
  await press('#column-2', 'u');
  await page.locator('#column-2').selectOption('Full name');
  await press('button:text("Read it again")');
  await page.getByText('Zoë', { exact: true }).waitFor();
  await press('button:text("Apply 1 row")');
  await page.locator('#flash:focus', { hasText: '1 user created!' }).waitFor();
});

test('a file that is dropped onto its field is brought', async () => {
  const { page } = await start(1280);
  await page.goto('/import');
  const path = join(temporaryFolder(), 'dropped.csv');
  writeFileSync(path, 'username,email\nzoe,zoe@example.org\n');
  const { x = 0, y = 0, width = 0, height = 0 } = (await page.getByLabel('File').boundingBox()) ?? {};
  const devTools = await page.context().newCDPSession(page);
  const data = { items: [], files: [path], dragOperationsMask: 1 };
  // Beside the button, near the edge.
  const at = { x: x + width - 20, y: y + height - 20, data };
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
    await devTools.send('Input.dispatchDragEvent', { type, ...at });
  await page.getByRole('button', { name: 'Check the file' }).click();
  await page.getByRole('heading', { name: 'dropped.csv' }).waitFor();
});

test('whoever brings too much sees why, though the rest of it is not read', async () => {
  const { app, page } = await start(1280);
  for (let count = 0; count < 3; count++) {
    await page.goto('/import');
    await bring(page, 'username,email\nzoe,zoe@example.org\n');
    await page.getByRole('heading', { name: 'Check the import' }).waitFor();
  }
  await page.goto('/import');
  await bring(page, `username,email\n${'x'.repeat(30 * 1024 * 1024)}`);
  await page.locator('.summary:focus', { hasText: 'Three files wait here already.' }).waitFor();
  expect(await app.db.selectFrom('imports').select('id').execute()).toHaveLength(3);
});
