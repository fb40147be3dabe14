/** Where things stand on a page beside each other, by measure. */
import type { Page } from 'playwright-core';
import { expect, onTestFinished, test } from 'vitest';
import { seedUsers } from '../../src/cli/seed.ts';
import { addPerson, codeAt, PASSWORD, signedIn } from '../people.ts';
import { addUser, listen, startApp } from '../support.ts';
import { sharedChromium } from './chromium.ts';

const chromium = sharedChromium();

/** Of an administrator: of ann, who has a second factor, or of bo, who has none; or of anybody where there is no administrator. */
async function openWindow(username?: 'ann' | 'bo', width = 1280): Promise<Page> {
  const app = await startApp();
  const baseURL = await listen(app);
  const viewport = { width, height: 800 };
  const context = await chromium().newContext({ baseURL, reducedMotion: 'reduce', viewport });
  onTestFinished(() => context.close());
  if (username) {
    await seedUsers(app.db, 10);
    await addUser(app.db, { username: 'mia' });
    const user = await addPerson(app.db, username, 'admin', { hasCode: username === 'ann' });
    const [name = '', value = ''] = (await signedIn(app, user)).cookie.split('=');
    await context.addCookies([{ name, value, url: baseURL }]);
    await addUser(app.db, { username: 'long', full_name: 'Konstantinopolitanska '.repeat(5).trim() });
    await addUser(app.db, { username: 'longer', full_name: 'k'.repeat(100) });
  }
  return context.newPage();
}

/** Of all that are seen of it, in the order of the page. */
const boxesOf = (page: Page, selector: string) =>
  page.evaluate<{ left: number; right: number; top: number; bottom: number; height: number }[]>(
    `[...document.querySelectorAll('${selector}')].filter((one) => one.checkVisibility()).map((one) => one.getBoundingClientRect().toJSON())`,
  );

async function boxOf(page: Page, selector: string) {
  const [box, ...others] = await boxesOf(page, selector);
  if (box === undefined || others.length > 0) throw new Error(`${others.length} others are ${selector}.`);
  return box;
}

const middleOf = ({ top, bottom }: { top: number; bottom: number }) => (top + bottom) / 2;

test('what takes off all that a list is limited to is never alone on its line, and the ways out come after the chips', async () => {
  const page = await openWindow('ann');
  for (const width of [320, 390, 768, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    for (const filter of ['status=active', 'status=active&role=member&created_after=2019-01-01&q=a']) {
      await page.goto(`/users?${filter}`);
      const said = `${width} px, ${filter}`;
      const chips = await boxesOf(page, '.chips a');
      const all = await boxOf(page, '.applied > a');
      const ways = await boxOf(page, '.applied > div');
      const others = [...chips, ways].filter((one) => Math.abs(middleOf(one) - middleOf(all)) < 3);
      expect(others, said).not.toEqual([]);
      const shown = await boxOf(page, '.applied > p');
      for (const { top, bottom, height } of chips) {
        expect(height, said).toBeLessThan(50);
        expect(bottom, said).toBeLessThanOrEqual(ways.bottom + 8);
        if (width < 704) expect(top, said).toBeGreaterThanOrEqual(shown.bottom);
      }
    }
  }
});

test('what a role may is said in one line where there is room for the form', async () => {
  const page = await openWindow('ann');
  for (const width of [768, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    for (const address of ['/users/new', '/invite', '/bulk?do=role&all=on', '/users/11']) {
      await page.goto(address);
      const fold = page.getByText('Let them in');
      if (await fold.isVisible()) await fold.click();
      const lines = await boxesOf(page, '.options:has([name="role"]) span');
      expect(lines.length, address).toBeGreaterThan(2);
      for (const { height } of lines) expect(height, `${address}, ${width} px`).toBeLessThan(30);
    }
  }
});

test('recovery codes are five lines of two, also on a telephone', async () => {
  const page = await openWindow('ann', 390);
  await page.goto('/account');
  await page.getByText('Make new recovery codes…').click();
  await page.getByLabel('Your password, for new recovery codes').fill(PASSWORD);
  await page.getByLabel('Your code, for new recovery codes').fill(codeAt(Date.now()));
  await page.getByRole('button', { name: 'Make new recovery codes' }).click();
  await page.locator('.codes').waitFor();
  for (const [width, lines] of [
    [320, 10],
    [390, 5],
    [1280, 5],
  ] as const) {
    await page.setViewportSize({ width, height: 800 });
    const boxes = await boxesOf(page, '.codes li');
    expect(new Set(boxes.map(({ top }) => top)).size, `${width} px`).toBe(lines);
    for (const { height } of boxes) expect(height, `${width} px`).toBeLessThan(50);
  }
});

test('on a phone a name has the whole width, below the picture and what can be done', async () => {
  const page = await openWindow('ann', 320);
  for (const id of [11, 13, 14]) {
    await page.goto(`/users/${id}`);
    const [picture, name, edit] = [
      await boxOf(page, '.person .avatar'),
      await boxOf(page, '.person h1'),
      await boxOf(page, '.person .actions'),
    ];
    const heading = await boxOf(page, '.person');
    expect(name.top >= picture.bottom, `${id}`).toBe(true);
    expect([name.left, name.right], `${id}`).toEqual([heading.left, heading.right]);
    expect([edit.top, edit.right], `${id}`).toEqual([picture.top, heading.right]);
  }
});

test('how many are ticked is said in one line with what unticks them, also on the narrowest screen', async () => {
  const page = await openWindow('ann');
  for (const width of [320, 390, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    await page.goto('/users');
    for (const tick of await page.locator('td input').all()) await tick.check();
    const said = await boxOf(page, '.bulk .some');
    expect(said.height, `${width} px`).toBeLessThan(30);
    const untick = await boxOf(page, '.bulk .cancel');
    expect(Math.abs(middleOf(said) - middleOf(untick)), `${width} px`).toBeLessThan(3);
  }
});

test('on a phone filters leave no hole, and the days from and to which stand beside each other', async () => {
  const page = await openWindow('ann', 320);
  for (const [address, from, to] of [
    ['/users', '[name="created_after"]', '[name="created_before"]'],
    ['/history', '[name="from"]', '[name="to"]'],
  ] as const) {
    await page.goto(address);
    await page.locator('.filters summary').click();
    const { left, right } = await boxOf(page, '.more > div');
    const labels = await boxesOf(page, '.more label');
    expect(labels.length, address).toBeGreaterThan(3);
    for (const label of labels) {
      const row = labels.filter(({ top }) => top === label.top);
      expect([row[0]?.left, row.at(-1)?.right], address).toEqual([left, right]);
    }
    expect((await boxOf(page, from)).top, address).toBe((await boxOf(page, to)).top);
  }
});

test('who did something is told from what they did, where both are links', async () => {
  const page = await openWindow('ann');
  await page.goto('/users/11');
  await page.getByRole('button', { name: 'Deactivate' }).click();
  for (const [address, place] of [
    ['/users/11', '.timeline li:first-child'],
    ['/history', '.history tr:nth-child(2)'],
  ] as const) {
    await page.goto(address);
    const looks = await page.evaluate<string[]>(
      `[...document.querySelectorAll('${place} a')].map((link) => getComputedStyle(link)).map(({ fontWeight, textDecorationLine }) => fontWeight + ' ' + textDecorationLine)`,
    );
    const expected = {
      '/users/11': ['600 none', '400 underline'],
      '/history': ['600 none', '400 underline', '600 none'],
    };
    expect(looks, address).toEqual(expected[address]);
  }
});

test('the picture of a key has an edge, in one line with what stands above and below it', async () => {
  const page = await openWindow('bo');
  await page.goto('/account/code');
  expect((await boxOf(page, '.qr')).left).toBe((await boxOf(page, '#code')).left);
  expect(await page.evaluate("getComputedStyle(document.querySelector('.qr')).borderTopStyle")).toBe('solid');
});

test('the ways to begin stand beside each other or below, and begin where their cards do', async () => {
  const page = await openWindow();
  await page.goto('/users');
  for (const [width, rows] of [
    [390, 3],
    [640, 3],
    [768, 3],
    [1024, 1],
    [1280, 1],
  ] as const) {
    await page.setViewportSize({ width, height: 800 });
    const cards = await boxesOf(page, '.ways > .card');
    const headings = await boxesOf(page, '.ways h3');
    expect(new Set(cards.map(({ top }) => top)).size, `${width} px`).toBe(rows);
    for (const [index, { top }] of headings.entries())
      expect(top - (cards[index]?.top ?? 0), `${width} px`).toBeLessThan(26);
  }
});
