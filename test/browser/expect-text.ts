import type { Page } from 'playwright-core';

/** Waits for the page that says something, to a person: however its text is split into elements. */
export async function expectText(page: Page, text: string): Promise<void> {
  await page.getByRole('main').filter({ hasText: text }).waitFor();
  // What comes after it may still be on its way.
  await page.waitForLoadState();
}
