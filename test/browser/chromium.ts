/** A real Chromium from npm, without a download. */
import chromiumBinary from '@sparticuz/chromium';
import { type Browser, chromium } from 'playwright-core';

// Not the package's own `args`: they hold `--single-process` and `--disable-web-security`.
const ARGUMENTS = ['--no-sandbox', '--disable-gpu', '--disable-background-networking'];

export async function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: await chromiumBinary.executablePath(), args: ARGUMENTS });
}
