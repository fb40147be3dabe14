import { test } from 'vitest';
import { seedUsers } from '../src/seed/seed.ts';
import { launchChromium } from './browser/chromium.ts';
import { addUser, listen, startApp } from './support.ts';

test('shots', async () => {
  const app = await startApp();
  await addUser(app.db, {
    username: 'jürgen',
    email: 'muller@example.org',
    full_name: 'Jürgen Müller-Straßer',
  });
  await seedUsers(app.db, 12345);
  const address = await listen(app);
  const browser = await launchChromium();
  for (const [scheme, width] of [
    ['light', 768],
    ['dark', 320],
    ['light', 1440],
    ['light', 320],
    ['dark', 1440],
  ] as const) {
    const context = await browser.newContext({
      baseURL: address,
      colorScheme: scheme,
      viewport: { width, height: 900 },
      reducedMotion: 'reduce',
      javaScriptEnabled: false,
    });
    const page = await context.newPage();
    for (const [name, url] of [
      ['plain', '/users'],
      ['q', '/users?q=muller+strasse'],
      ['none', '/users?q=muller+zzz&status=active'],
      ['dates', '/users?q=an+"a+g"&created_after=2019-01-01&sort=email'],
    ] as const) {
      await page.goto(url);
      await page.screenshot({ path: `/tmp/shot-${name}-${scheme}-${width}.png`, fullPage: false });
    }
  }
  await browser.close();
});
