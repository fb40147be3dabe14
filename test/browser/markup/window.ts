/** A window of a browser whose every page is looked over. */
import type { Browser, Page } from 'playwright-core';
import { onTestFinished } from 'vitest';
import { OBSERVER } from './observer.ts';

export type Window = {
  page: Page;
  /** All that happened, and that was seen, which should not. */
  found: Set<string>;
  /** Whatever happens from now on is said to be there. */
  goOn(to: string): void;
  note(what: string): void;
};

/** How pages are taken: as they ask for, and as if nothing but their making protected anybody. */
export const MODES = [
  { name: 'with the policy of its pages', bypassCSP: false },
  { name: 'without any policy', bypassCSP: true },
] as const;

export async function openWindow(browser: Browser, baseURL: string, bypassCSP: boolean): Promise<Window> {
  // To draw the pages would take half the time; of a transition between two of them a script may hear that it was broken off.
  const viewport = { width: 200, height: 100 };
  const context = await browser.newContext({ baseURL, bypassCSP, viewport, reducedMotion: 'reduce' });
  onTestFinished(() => context.close());
  const found = new Set<string>();
  let at = '';
  const note = (what: string) => void found.add(`${at}: ${what}`);
  await context.exposeFunction('pwned', (mark: unknown) => note(`ran ${mark}`));
  await context.exposeFunction('noticed', note);
  await context.addInitScript(OBSERVER);
  const page = await context.newPage();
  listen(page, baseURL, note);
  const goOn = (to: string) => {
    at = to;
  };
  return { page, found, goOn, note };
}

function listen(page: Page, baseURL: string, note: (what: string) => void): void {
  page.on('dialog', (dialog) => {
    note(`ran a dialog: ${dialog.message()}`);
    dialog.dismiss().catch(() => {});
  });
  page.on('request', (request) => {
    if (URL.parse(request.url())?.origin !== baseURL) note(`request for ${request.url().slice(0, 80)}`);
  });
  page.on('response', (response) => {
    if (response.status() >= 500) note(`status ${response.status()}`);
    if ('x-pwned' in response.headers()) note('a header of theirs');
  });
  page.on('console', (message) => {
    if (/content.security.policy/i.test(message.text())) note(`violation: ${message.text().slice(0, 200)}`);
  });
  page.on('pageerror', (error) => note(`an error of a script: ${error.message}`));
  page.on('frameattached', (frame) => {
    if (frame.parentFrame() !== page.mainFrame()) note('a frame');
  });
  page.on('popup', () => note('another window'));
  page.on('download', () => note('a download'));
}
