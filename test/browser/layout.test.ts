/** The list as a browser lays it out, by measure: at every width, with the longest names and the most pages. */
import type { BrowserContextOptions, Page } from 'playwright-core';
import { expect, onTestFinished, test } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import { seedUsers } from '../../src/cli/seed.ts';
import { transact } from '../../src/db/transact.ts';
import { beginRun, endRun } from '../../src/maintenance/queries.ts';
import { changeUser } from '../../src/users/commands.ts';
import { addPerson, signedIn } from '../people.ts';
import { addUser, giveRole, listen, sharedDatabase, startApp } from '../support.ts';
import { edgeProblems, hidingProblems, motionProblems } from './adapted.ts';
import { sharedChromium } from './chromium.ts';
import { layoutProblems, targetAt, WIDTHS } from './measure.ts';

const browser = sharedChromium();

/** 10,002 users: 101 viewers, six editors of the longest and widest names, one administrator. */
const directory = sharedDatabase(async (db) => {
  await seedUsers(db, 9_994);
  await giveRole(db, 'viewer', (id) => id <= 101);
  const email = `${'m'.repeat(64)}@${'w'.repeat(60)}.example.org`;
  await addUser(db, { username: 'w'.repeat(64), email, full_name: 'W'.repeat(200), role: 'editor' });
  const full_name = 'Wilhelmina Konstantinopolitanska '.repeat(6).trim();
  await addUser(db, { username: 'long.words', full_name, role: 'editor', is_active: false });
  // Each of them is cut off in the narrowest table.
  for (const username of ['jo.zimmermannova', 'maximiliana.mohm'])
    await addUser(db, { username, full_name: 'Jo Zimmermannova', role: 'editor', is_active: false });
  // Few letters, and wide ones.
  const wide = `${'m'.repeat(22)}@${'w'.repeat(18)}.org`;
  await addUser(db, {
    username: 'mwmwmwmwmwmwm',
    email: wide,
    full_name: 'Mo',
    role: 'editor',
    is_active: false,
  });
  const han = { username: '李小龍李小龍李小龍李', email: 'li@example.org', full_name: '李小龍' };
  await addUser(db, { ...han, role: 'editor', is_active: false });
  await addUser(db, {
    username: 'wilhelmina.k',
    email: 'wilhelmina.konstantinopolitanska-oberhausen@students.example.org',
  });
  await addPerson(db, 'ann', 'admin');
  // More than their page shows of it, and a notice on the list.
  for (let version = 0; version < 10; version++)
    await transact(db, (trx) =>
      changeUser(trx, commandLine, OFTEN_ID, { is_active: version % 2 === 0 }, Date.now()),
    );
  const finding = { outcome: 'bad', problem: '1 found.' } as const;
  await transact(db, async (trx) => endRun(trx, await beginRun(trx, 'check', 1), finding, 2));
});

/** Of those whose names are long, whose email is, and who was changed often. */
const [LONG_ID, OFTEN_ID, EMAIL_ID] = [9_995, 9_996, 10_001];

/** What is measured, by the number of pages and of rows. */
const LISTS: [address: string, pages: number, rows: number][] = [
  ['/users?per_page=1&page=5001', 10_002, 1],
  ['/users?role=viewer&per_page=1&page=50', 101, 1],
  ['/users?role=viewer&per_page=16&page=4', 7, 16],
  ['/users?sort=-id', 1001, 10],
  ['/users?sort=name&page=500', 1001, 10],
  [`/users?role=editor&status=active&created_after=2019-01-01&q=${'w'.repeat(64)}`, 1, 1],
  ['/users?role=editor', 1, 6],
  ['/users?role=editor&q=zimmermannova', 1, 2],
  ['/users?role=admin', 1, 1],
  ['/users?role=admin&status=inactive', 0, 0],
];

/** What can be pressed, but for what is read as well: names, what was done, the chips and headings of the list. */
const PRESSED =
  'button, input, select, summary, nav, .button, .top, a:not(.users a, .chips a, .details a, .timeline a, .rows p a)';

/** A row of a table is never high, and the pager is one line. */
const LIST = `(() => {
  const seen = (selector) => [...document.querySelectorAll(selector)].filter((element) => element.checkVisibility());
  const isTable = innerWidth >= 704;
  const rows = seen('tr').filter((row) => isTable && row.offsetHeight > 90).map((row) => row.offsetHeight + ' high');
  const line = seen('.pager a, .pager summary, .pager input, .pager button').map((one) => one.getBoundingClientRect());
  const height = Math.max(...line.map(({ bottom }) => bottom)) - Math.min(...line.map(({ top }) => top));
  const isCut = (one) => one.scrollWidth > one.clientWidth + 1 || one.scrollHeight > one.clientHeight + 1;
  const untold = seen('td.user a, .username, .email span').filter((one) => isTable && isCut(one) && !one.title);
  const cut = seen('.pager summary').filter((one) => one.scrollWidth > one.clientWidth || one.offsetHeight > 45);
  return [...rows, ...(height > 45 ? ['the pager is ' + height + ' high'] : []), ...cut.map(() => 'the pager is cut'),
    ...untold.map((one) => one.textContent + ' is cut off')];
})()`;

/** On how many lines a word of the email stands that is meant by this test. */
const linesOfWord = (word: string) => `(() => {
  const email = [...document.querySelectorAll('.email span, dd a')].find((one) => one.textContent.startsWith('wilhelmina.'));
  const walker = document.createTreeWalker(email, NodeFilter.SHOW_TEXT);
  const places = [];
  while (walker.nextNode())
    for (let at = 0; at < walker.currentNode.length; at++) places.push([walker.currentNode, at]);
  const from = email.textContent.indexOf('${word}');
  const tops = places.slice(from, from + ${word.length}).map(([node, at]) => {
    const range = document.createRange();
    range.setStart(node, at);
    range.setEnd(node, at + 1);
    return Math.round(range.getBoundingClientRect().bottom / 9);
  });
  return new Set(tops).size;
})()`;

/** Of each rule by which pages fade, whether it holds. */
const FADES = `(() => {
  const holds = (rule) => !(rule instanceof CSSMediaRule) || matchMedia(rule.conditionText).matches;
  const fades = (rules, isOn) => [...rules].flatMap((rule) =>
    rule instanceof CSSViewTransitionRule ? [isOn] : fades(rule.cssRules ?? [], isOn && holds(rule)));
  return [...document.styleSheets].flatMap((sheet) => fades(sheet.cssRules, true));
})()`;

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
  const context = await browser().newContext({ baseURL, reducedMotion: 'reduce', ...options });
  onTestFinished(() => context.close());
  const [name = '', value = ''] = cookie.split('=');
  await context.addCookies([{ name, value, url: baseURL }]);
  return context.newPage();
}

async function problemsOf(page: Page, width: number, target: number): Promise<string[]> {
  await page.setViewportSize({ width, height: 800 });
  return [...(await layoutProblems(page, target)), ...(await page.evaluate<string[]>(LIST))];
}

test('nothing scrolls sideways, overlaps, wraps or is too small to be pressed, however much there is', async () => {
  const page = await openWindow();
  for (const [address, pages, rows] of LISTS) {
    await page.goto(address);
    expect(await page.locator('tbody tr').count(), address).toBe(rows);
    const numbers = await page.locator('.pager > nav > a:not([class], [rel])').allTextContents();
    if (pages > 1) expect(numbers.at(-1), address).toBe(pages.toLocaleString('en'));
    else expect(numbers, address).toEqual([]);
    // The narrowest table, too.
    for (const width of [...WIDTHS, 704])
      expect(await problemsOf(page, width, targetAt(width)), `${address}, ${width} px`).toEqual([]);
    await page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true");
    for (const width of WIDTHS.filter((width) => width < 704)) {
      await page.setViewportSize({ width, height: 800 });
      expect(await layoutProblems(page, targetAt(width)), `${address}, ${width} px, unfolded`).toEqual([]);
    }
  }
});

test('a long email breaks at its signs, and never inside a word that fits', async () => {
  const page = await openWindow();
  await page.setViewportSize({ width: 768, height: 800 });
  for (const address of [
    '/users?q=oberhausen',
    '/users?q=konstantin',
    '/users?sort=-id',
    `/users/${EMAIL_ID}`,
  ]) {
    await page.goto(address);
    const words = ['wilhelmina.', 'konstantinopolitanska-', 'oberhausen@', 'students.'];
    for (const word of words) expect(await page.evaluate(linesOfWord(word)), `${address}, ${word}`).toBe(1);
  }
});

test('on the narrowest screens badges leave room for the name beside them', async () => {
  const page = await openWindow({ viewport: { width: 320, height: 800 } });
  await page.goto('/bulk?do=delete&all=on&from=q%3Dzimmermannova');
  await page.locator('.rows .badge.inactive').first().waitFor();
  const lines =
    "[...document.querySelectorAll('.rows .hint bdi')].map((name) => name.getClientRects().length)";
  expect(await page.evaluate(lines)).toEqual([1, 1]);
});

test('on the narrowest screens it is heard that the number of a page is one', async () => {
  const page = await openWindow({ viewport: { width: 320, height: 800 } });
  await page.goto('/users?role=viewer&per_page=16&page=3');
  expect(await page.locator('.jump summary').ariaSnapshot()).toContain('Page 3 of 7');
});

test('a finger finds 44 px at every width', async () => {
  const page = await openWindow({ hasTouch: true, isMobile: true });
  for (const address of ['/users?per_page=1&page=5001&sort=name', '/users?role=viewer&q=an&status=active']) {
    await page.goto(address);
    for (const width of [390, 768, 1024, 1280])
      expect(await problemsOf(page, width, 44), `${address}, ${width} px`).toEqual([]);
  }
});

test('what can be done to those ticked stays in sight, in nobody’s way', async () => {
  const page = await openWindow();
  for (const [address, tick] of [
    ['/users?role=viewer&per_page=16&page=4', 'td input'],
    ['/users?sort=name&page=500', 'th input'],
  ] as const) {
    await page.goto(address);
    expect(await page.locator('.bulk').isVisible()).toBe(false);
    await page.locator(tick).first().check();
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 800 });
      await page.evaluate('scrollTo(0, 0)');
      const { y = 0, height = 0 } = (await page.locator('.bulk').boundingBox()) ?? {};
      expect(height, `${width} px`).toBeGreaterThan(0);
      expect(y + height, `${width} px`).toBeLessThanOrEqual(800);
      // With room for all of the list it lies over nobody.
      await page.setViewportSize({ width, height: 4000 });
      expect(await layoutProblems(page, targetAt(width)), `${address}, ${width} px`).toEqual([]);
    }
    for (const [width, height] of [
      [320, 256],
      [853, 480],
      [390, 800],
    ] as const) {
      await page.setViewportSize({ width, height });
      expect(await hidingProblems(page), `${address}, ${width} px`).toEqual([]);
    }
  }
});

test('what has the focus is hidden behind nothing, and has a ring also where colours are forced, as has all that can be used an edge', async () => {
  const page = await openWindow();
  for (const address of ['/users?per_page=16&page=3&sort=name', `/users?role=editor&q=${'w'.repeat(64)}`]) {
    await page.goto(address);
    await page.keyboard.press('Tab');
    // 1280 px of width, magnified to 400 % and to 150 %.
    for (const [width, height] of [
      [320, 256],
      [853, 480],
    ] as const) {
      await page.setViewportSize({ width, height });
      await page.emulateMedia({ forcedColors: 'none' });
      expect(await hidingProblems(page), `${address}, ${width} px`).toEqual([]);
      await page.emulateMedia({ forcedColors: 'active' });
      expect(await edgeProblems(page), `${address}, ${width} px`).toEqual([]);
    }
  }
});

test('pages fade into each other, unless somebody wants less of what moves', async () => {
  const page = await openWindow();
  await page.goto('/users');
  expect(await page.evaluate(FADES)).toEqual([false]);
  expect(await motionProblems(page)).toEqual([]);
  await page.emulateMedia({ reducedMotion: 'no-preference' });
  expect(await page.evaluate(FADES)).toEqual([true]);
});

test('a whole row leads to its user, below headings that stay in sight', async () => {
  const page = await openWindow({ viewport: { width: 1280, height: 600 } });
  await page.goto('/users?per_page=50');
  await page.evaluate('scrollTo(0, 1000)');
  expect(await page.locator('th').first().boundingBox()).toMatchObject({ y: 0 });
  for (const cell of ['.role', '.created', '.user']) {
    await page.goto('/users');
    const found = page.locator(`tbody tr:nth-child(3) ${cell}`);
    // What is left to do for the first administrator may stand above.
    await found.scrollIntoViewIfNeeded();
    const box = await found.boundingBox();
    await page.mouse.click((box?.x ?? 0) + (box?.width ?? 0) - 4, (box?.y ?? 0) + 4);
    await page.waitForURL(/\/users\/3$/);
  }
});

test('on a phone the filters stay folded, the list begins soon, and a card says what its date is', async () => {
  const page = await openWindow({ viewport: { width: 390, height: 800 } });
  await page.goto('/users?role=viewer&status=active&created_after=2019-01-01');
  expect(await page.locator('.filters summary').textContent()).toBe('Filters (3)');
  expect(await page.getByLabel('Role').isVisible()).toBe(false);
  const top = async () => (await page.locator('.users').boundingBox())?.y;
  expect(await top()).toBeLessThan(500);
  const before = (cell: string) =>
    page.evaluate(`getComputedStyle(document.querySelector('${cell}'), '::before').content`);
  expect(await before('td.created')).toBe('"Created "');
  expect(await before('td.email')).toBe('"Email: "');
  expect(await before('td.role')).toBe('"Role and status: "');
  // With what is left to do, folded, above it.
  await page.goto('/users');
  expect(await page.getByText('What is left to do').isVisible()).toBe(true);
  expect(await top()).toBeLessThan(560);
});

test('on paper the list is a table, without what can be pressed', async () => {
  const page = await openWindow({ viewport: { width: 390, height: 800 } });
  await page.emulateMedia({ media: 'print' });
  await page.goto('/users?role=viewer&page=4');
  const seen = (selector: string) =>
    page.evaluate(
      `[...document.querySelectorAll('${selector}')].filter((one) => one.checkVisibility()).length`,
    );
  expect(await page.evaluate("getComputedStyle(document.querySelector('tbody tr')).display")).toBe(
    'table-row',
  );
  expect([await seen('th'), await seen('.applied p'), await seen('tbody td')]).toEqual([4, 1, 40]);
  expect(await page.locator('.applied p').innerText()).toBe('Showing 31–40 of 101');
  expect(await seen(PRESSED)).toBe(0);
  await page.goto('/users');
  expect([await seen('.notice'), await seen(PRESSED)]).toEqual([1, 0]);
});

test('on paper a user is what is known of them, without what can be pressed', async () => {
  const page = await openWindow();
  await page.emulateMedia({ media: 'print' });
  for (const [id, earlier] of [
    [EMAIL_ID, 0],
    [LONG_ID, 0],
    [OFTEN_ID, 1],
  ]) {
    await page.goto(`/users/${id}`);
    expect(await page.locator('.details dd:visible').count(), `${id}`).toBeGreaterThan(6);
    expect(await page.getByText('Earlier', { exact: true }).count(), `${id}`).toBe(earlier);
    expect(await page.locator(PRESSED).filter({ visible: true }).allTextContents(), `${id}`).toEqual([]);
  }
});

test('on paper a question says of whom it is, without what can be pressed', async () => {
  const page = await openWindow();
  await page.emulateMedia({ media: 'print' });
  await page.goto(`/bulk?do=role&tick.${LONG_ID}=on&tick.${OFTEN_ID}=on`);
  expect(await page.locator('.rows li:visible').count()).toBe(2);
  expect(await page.locator(PRESSED).filter({ visible: true }).allTextContents()).toEqual([]);
});
