/** Names as a browser shows them. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import { transact } from '../../src/db/transact.ts';
import { deleteUser } from '../../src/users/commands.ts';
import { check, csv } from '../imports/bringing.ts';
import { addPerson, signedIn } from '../people.ts';
import { listen, startApp } from '../support.ts';
import { launchChromium } from './chromium.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

/** The names on a page, and those of them that no box clips to their own lines. */
const NAMES = `(() => {
  const boxOf = (element) => getComputedStyle(element).display === 'inline' ? boxOf(element.parentElement) : element;
  const names = [...document.querySelectorAll('body bdi')];
  const isClipped = (name) => ['clip', 'hidden'].includes(getComputedStyle(boxOf(name.parentElement)).overflowY);
  return { all: names.length, unclipped: names.filter((name) => !isClipped(name)).map((name) => name.outerHTML) };
})()`;

test.each([320, 1280])(
  'however many marks a name has, it covers its own lines alone, at %i px',
  async (width) => {
    const app = await startApp();
    // As there may be some from before such names were refused.
    const username = `zoe${'\u0300\u0301'.repeat(30)}`;
    const zoe = await addPerson(app.db, username, 'admin', { email: 'zoe@example.org', full_name: username });
    const ann = await addPerson(app.db, 'ann', 'admin');
    const headers = await signedIn(app, ann);
    const imported = await check(app, csv(['email', 'full_name', 'role'], [zoe.email, 'Zoe', 'viewer']));
    const baseURL = await listen(app);
    const context = await browser.newContext({ baseURL, viewport: { width, height: 800 } });
    onTestFinished(() => context.close());
    const [name = '', value = ''] = headers.cookie.split('=');
    await context.addCookies([{ name, value, url: baseURL }]);
    const page = await context.newPage();
    const ownPage = `/users/${zoe.id}`;
    const bulk = `/bulk?do=deactivate&tick.${ann.id}=on&tick.${zoe.id}=on`;
    const look = async (...addresses: string[]) => {
      for (const address of addresses) {
        await page.goto(address);
        expect(await page.evaluate(NAMES), address).toEqual({ all: expect.any(Number), unclipped: [] });
        expect(await page.locator('main bdi').filter({ hasText: 'zoe' }).count(), address).toBeGreaterThan(0);
      }
    };
    await look('/users', '/users?q=zoe', ownPage, `${ownPage}/edit`, `${ownPage}/delete`, bulk);
    await look('/history', '/history/1', `/imports/${imported}`);
    const save = async (label: string, typed: string) => {
      await page.goto(`${ownPage}/edit`);
      await page.getByLabel(label).fill(typed);
      await page.getByRole('button', { name: 'Save changes' }).click();
      expect(await page.evaluate(NAMES)).toEqual({ all: expect.any(Number), unclipped: [] });
    };
    await save('Full name', `Zoe ${width}`);
    expect(await page.locator('#flash').innerText()).toBe(`User ${username} updated!`);
    await save('Email', 'ann@example.org');
    expect(await page.locator('.summary').innerText()).toContain('already belongs to ann');
    await look('/history/3');
    await transact(app.db, (trx) => deleteUser(trx, commandLine, zoe.id, 2));
    await look(ownPage, `${ownPage}/erase`, '/history/4');
  },
);
