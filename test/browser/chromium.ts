/** A real Chromium from npm, without a download. */
import chromiumBinary from '@sparticuz/chromium';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';

// Not the package's own `args`: they hold `--single-process` and `--disable-web-security`.
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  // In the place of Playwright's list. With a frame of its own in the browser for each document, one takes half as long again.
  '--disable-features=RenderDocument,PaintHolding,HttpsUpgrades,MediaRouter,OptimizationHints',
];

export async function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: await chromiumBinary.executablePath(), args: ARGUMENTS });
}

/** A Chromium that the tests of a file share. */
export function sharedChromium(): () => Browser {
  let browser: Browser | undefined;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());
  return () => {
    if (browser === undefined) throw new Error('Chromium is there in tests alone.');
    return browser;
  };
}
