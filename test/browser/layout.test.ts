/** The list as a browser lays it out, by measure: at every width, with the longest names and the most pages. */
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { seedUsers } from '../../src/cli/seed.ts';
import { addPerson, signedIn } from '../people.ts';
import { addUser, giveRole, listen, sharedDatabase, startApp } from '../support.ts';
import { launchChromium } from './chromium.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

const WIDTHS = [320, 390, 768, 1024, 1280, 1920];

/** 10,002 users: 101 viewers, two editors of the longest names, one administrator. */
const directory = sharedDatabase(async (db) => {
  await seedUsers(db, 9_999);
  await giveRole(db, 'viewer', (id) => id <= 101);
  const email = `${'m'.repeat(64)}@${'w'.repeat(60)}.example.org`;
  await addUser(db, { username: 'w'.repeat(64), email, full_name: 'W'.repeat(200), role: 'editor' });
  const full_name = 'Wilhelmina Konstantinopolitanska '.repeat(6).trim();
  await addUser(db, { username: 'long.words', full_name, role: 'editor', is_active: false });
  await addPerson(db, 'ann', 'admin');
});

/** What is measured, by the number of pages and of rows. */
const LISTS: [address: string, pages: number, rows: number][] = [
  ['/users?per_page=1&page=5001', 10_002, 1],
  ['/users?role=viewer&per_page=1&page=50', 101, 1],
  ['/users?role=viewer&per_page=16&page=4', 7, 16],
  ['/users?sort=-id', 1001, 10],
  ['/users?sort=name&page=500', 1001, 10],
  [`/users?role=editor&status=active&created_after=2019-01-01&q=${'w'.repeat(64)}`, 1, 1],
  ['/users?role=editor', 1, 2],
  ['/users?role=admin', 1, 1],
  ['/users?role=admin&status=inactive', 0, 0],
];

/** What is wrong with the layout of a page; what is pressed is `target` px high and wide, or a part of a row. */
const PROBLEMS = `(target) => {
  const problems = [];
  const isSeen = (element) =>
    element.checkVisibility({ contentVisibilityAuto: true }) && !element.closest('.visually-hidden, .skip') &&
    element.getBoundingClientRect().width > 1 && getComputedStyle(element).clipPath === 'none';
  const all = (selector) => [...document.querySelectorAll(selector)].filter(isSeen);
  const name = (element) => element.localName + ' ' + (element.textContent || element.name).trim().slice(0, 20);
  const { clientWidth, scrollWidth } = document.documentElement;
  if (scrollWidth > clientWidth) problems.push('scrolls sideways: ' + scrollWidth);

  const parts = all('h1, .total, .applied p, a, button, input, select, summary, th, .badge, .username, .email span, time')
    .map((element) => ({ element, box: element.getBoundingClientRect() }));
  for (const [index, one] of parts.entries()) {
    if (one.box.left < 0 || one.box.right > clientWidth) problems.push(name(one.element) + ' is outside');
    for (const other of parts.slice(index + 1)) {
      if (one.element.contains(other.element) || other.element.contains(one.element)) continue;
      const across = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left);
      const down = Math.min(one.box.bottom, other.box.bottom) - Math.max(one.box.top, other.box.top);
      if (across > 1 && down > 1) problems.push(name(one.element) + ' overlaps ' + name(other.element));
    }
  }

  for (const element of all('a, button, input, select, summary')) {
    const { width, height } = (element.closest('tbody tr') ?? element).getBoundingClientRect();
    if (Math.min(width, height) < target - 0.5) problems.push(name(element) + ' is ' + width + ' x ' + height);
  }
  if (clientWidth >= 768)
    for (const row of all('tr'))
      if (row.offsetHeight > 90) problems.push(name(row) + ' is ' + row.offsetHeight + ' high');

  const line = all('.pager a, .pager summary, .pager input, .pager button').map((element) => element.getBoundingClientRect());
  const height = Math.max(...line.map(({ bottom }) => bottom)) - Math.min(...line.map(({ top }) => top));
  if (height > 45) problems.push('the pager is ' + height + ' high');
  for (const element of all('.pager summary'))
    if (element.scrollWidth > element.clientWidth || element.offsetHeight > 45) problems.push(name(element) + ' is cut');
  return problems;
}`;

async function openWindow(options: BrowserContextOptions = {}): Promise<Page> {
  const db = await directory();
  const app = await startApp({}, db);
  const ann = await db
    .selectFrom('users')
    .selectAll()
    .where('username', '=', 'ann')
    .executeTakeFirstOrThrow();
  const { cookie } = await signedIn(app, ann);
  const baseURL = await listen(app);
  const context = await browser.newContext({ baseURL, reducedMotion: 'reduce', ...options });
  onTestFinished(() => context.close());
  const [name = '', value = ''] = cookie.split('=');
  await context.addCookies([{ name, value, url: baseURL }]);
  return context.newPage();
}

async function problemsOf(page: Page, width: number, target: number): Promise<string[]> {
  await page.setViewportSize({ width, height: 800 });
  return page.evaluate(`(${PROBLEMS})(${target})`);
}

test('nothing scrolls sideways, overlaps, wraps or is too small to be pressed, however much there is', async () => {
  const page = await openWindow();
  for (const [address, pages, rows] of LISTS) {
    await page.goto(address);
    expect(await page.locator('tbody tr').count(), address).toBe(rows);
    const numbers = await page.locator('.number').allTextContents();
    if (pages > 1) expect(numbers.at(-1), address).toBe(pages.toLocaleString('en'));
    else expect(numbers, address).toEqual([]);
    for (const width of WIDTHS)
      expect(await problemsOf(page, width, width < 704 ? 44 : 24), `${address}, ${width} px`).toEqual([]);
  }
});

test('a finger finds 44 px at every width', async () => {
  const page = await openWindow({ hasTouch: true, isMobile: true });
  for (const address of ['/users?per_page=1&page=5001&sort=name', '/users?role=viewer&q=an&status=active']) {
    await page.goto(address);
    for (const width of [390, 768, 1024, 1280])
      expect(await problemsOf(page, width, 44), `${address}, ${width} px`).toEqual([]);
  }
});

test('a whole row leads to its user, below headings that stay in sight', async () => {
  const page = await openWindow({ viewport: { width: 1280, height: 600 } });
  await page.goto('/users?per_page=50');
  await page.evaluate('scrollTo(0, 1000)');
  expect(await page.locator('th').first().boundingBox()).toMatchObject({ y: 0 });
  for (const cell of ['.role', '.created', '.user']) {
    await page.goto('/users');
    const box = await page.locator(`tbody tr:nth-child(3) ${cell}`).boundingBox();
    await page.mouse.click((box?.x ?? 0) + (box?.width ?? 0) - 4, (box?.y ?? 0) + 4);
    await page.waitForURL(/\/users\/3$/);
  }
});

test('on a phone the filters stay folded, the list begins soon, and a card says what its date is', async () => {
  const page = await openWindow({ viewport: { width: 390, height: 800 } });
  await page.goto('/users?role=viewer&status=active&created_after=2019-01-01');
  expect(await page.locator('.filters summary').textContent()).toBe('Filters (3)');
  expect(await page.getByLabel('Role').isVisible()).toBe(false);
  expect((await page.locator('.users').boundingBox())?.y).toBeLessThan(500);
  const before = (cell: string) =>
    page.evaluate(`getComputedStyle(document.querySelector('${cell}'), '::before').content`);
  expect(await before('td.created')).toBe('"Created "');
  expect(await before('td.email')).toBe('"Email: "');
  expect(await before('td.role')).toBe('"Role and status: "');
});

test('on paper the list is a table, without what can be pressed', async () => {
  const page = await openWindow({ viewport: { width: 390, height: 800 } });
  await page.goto('/users?role=viewer&page=4');
  await page.emulateMedia({ media: 'print' });
  expect(await page.locator('th').first().isVisible()).toBe(true);
  expect(await page.evaluate("getComputedStyle(document.querySelector('tbody tr')).display")).toBe(
    'table-row',
  );
  expect(await page.getByText('Showing 31–40 of 101').isVisible()).toBe(true);
  for (const hidden of ['button', 'input', 'select', 'summary', 'nav', '.button', '.top'])
    expect(await page.locator(hidden).filter({ visible: true }).count(), hidden).toBe(0);
});
