/** Every page as a browser lays it out, by measure, and as axe and a checker of HTML find it; the list once more in `layout.test.ts`. */
import type { FastifyInstance } from 'fastify';
import type { CDPSession, Page } from 'playwright-core';
import { describe, expect, onTestFinished, test } from 'vitest';
import { findUserByUsername } from '../../src/users/queries.ts';
import { signedIn } from '../people.ts';
import { listen, sharedApp, startApp } from '../support.ts';
import { edgeProblems, hidingProblems, motionProblems } from './adapted.ts';
import { sharedChromium } from './chromium.ts';
import { layoutProblems, targetAt, WIDTHS } from './measure.ts';
import { addEveryone, FIRST, PAGES, type Visit } from './pages.ts';
import { mistakesIn, noteAnswers, violationsOn } from './standards.ts';

const chromium = sharedChromium();
const directory = sharedApp({}, addEveryone);
let address: Promise<string> | undefined;

async function openPage(app: FastifyInstance, baseURL: string, username?: string): Promise<Page> {
  // axe is a script, which the pages' own policy would rightly keep out.
  const context = await chromium().newContext({ baseURL, bypassCSP: true, reducedMotion: 'reduce' });
  onTestFinished(() => context.close());
  const user = username && (await findUserByUsername(app.db, username));
  if (user) {
    const [name = '', value = ''] = (await signedIn(app, user)).cookie.split('=');
    await context.addCookies([{ name, value, url: baseURL }]);
  }
  const page = await context.newPage();
  noteAnswers(page);
  return page;
}

const AXE_WIDTHS = [320, 1280];

/** Looks at a page in every way without loading it again; what was found, by how it was looked at. */
async function problemsOn(page: Page, devTools: CDPSession): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {};
  const note = (way: string, problems: string[]) => {
    if (problems.length > 0) found[way] = problems;
  };
  // Takes less time than `setViewportSize`.
  const resize = (width: number, height = 800) =>
    devTools.send('Emulation.setDeviceMetricsOverride', {
      width,
      height,
      deviceScaleFactor: 1,
      mobile: false,
    });
  note('as HTML', await mistakesIn(page));
  for (const width of WIDTHS) {
    await resize(width);
    note(`${width} px`, await layoutProblems(page, targetAt(width)));
    if (!AXE_WIDTHS.includes(width)) continue;
    note(`by axe, ${width} px`, await violationsOn(page, devTools));
    await page.emulateMedia({ colorScheme: 'dark' });
    note(`by axe, ${width} px, dark`, await violationsOn(page, devTools, true));
    await page.emulateMedia({ colorScheme: 'light' });
  }
  await devTools.send('Emulation.setTouchEmulationEnabled', { enabled: true });
  for (const width of [1280, 768]) {
    await resize(width);
    note(`${width} px, by finger`, await layoutProblems(page, targetAt(width, true)));
  }
  await devTools.send('Emulation.setTouchEmulationEnabled', { enabled: false });
  await resize(320);
  await devTools.send('Page.setFontSizes', { fontSizes: { standard: 32 } });
  note('with letters twice as large', await layoutProblems(page, targetAt(320)));
  await devTools.send('Page.setFontSizes', { fontSizes: { standard: 16 } });
  // 1280 px of width, magnified to 400 %.
  await resize(320, 256);
  note('at 400 %', await hidingProblems(page));
  // The ring is for those who use keys.
  await page.keyboard.press('Tab');
  await page.emulateMedia({ forcedColors: 'active' });
  note('in forced colours', await edgeProblems(page));
  await page.emulateMedia({ forcedColors: 'none' });
  note('with reduced motion', await motionProblems(page));
  return found;
}

async function measureAll(
  app: FastifyInstance,
  baseURL: string,
  visits: Record<string, Visit>,
  username?: string,
) {
  const page = await openPage(app, baseURL, username);
  const devTools = await page.context().newCDPSession(page);
  for (const [name, visit] of Object.entries(visits)) {
    await visit(page, app);
    // One that reloads itself would do so while it is measured, or amid the way to the next.
    await page.evaluate('window.stop()');
    expect.soft(await problemsOn(page, devTools), name).toEqual({});
  }
}

const LONG_ENOUGH = { timeout: 300_000 };

describe('nothing scrolls sideways, overlaps, is hidden, too small to be pressed, without an edge or against a standard', () => {
  test.each(Object.keys(PAGES))('on the pages of %s', LONG_ENOUGH, async (asker) => {
    const app = await directory();
    address ??= listen(app);
    await measureAll(app, await address, PAGES[asker] ?? {}, asker);
  });

  test('before there is anybody', async () => {
    const app = await startApp();
    await measureAll(app, await listen(app), FIRST);
  });
});
