/** Users, the account and the first start: a browser with its scripts on takes whatever people write for text. */
import { expect, test } from 'vitest';
import { commandLine } from '../../../src/auth/actor.ts';
import { insertSession } from '../../../src/auth/sessions.ts';
import { newToken } from '../../../src/auth/tokens.ts';
import { transact } from '../../../src/db/transact.ts';
import { changeUser } from '../../../src/users/commands.ts';
import { addPerson, PASSWORD } from '../../people.ts';
import { listen, startApp } from '../../support.ts';
import { sharedChromium } from '../chromium.ts';
import { PAYLOADS } from '../payloads.ts';
import { addSession, LONG_AGO, named, noteCalls, query, segment, startWithPayloads } from './stored.ts';
import { startVisit } from './visitor.ts';

const browser = sharedChromium();
const ran = noteCalls();

test('everyone who is stored, wherever they show', { timeout: 300_000 }, async () => {
  const { app, admin, stored } = await startWithPayloads();
  const { cookies } = await addSession(app, admin);
  const { visit, end } = await startVisit(browser(), app, cookies);
  for (let from = 0; from < stored.length + 1; from += 100) {
    const page = String(from / 100 + 1);
    const there = stored.slice(Math.max(0, from - 1), from + 99).map(({ text }) => text);
    await visit(`/users?${query({ per_page: '100', page })}`, { shows: there });
    await visit(`/users?${query({ per_page: '100', page, sort: '-username', q: 'u' })}`);
  }
  for (const { text, user } of stored) {
    const from = `?${query({ from: query({ q: text, status: text }) })}`;
    for (const path of ['', '/edit', '/delete'])
      await visit(`/users/${user.id}${path}${from}`, { shows: [text] });
    const key = newToken();
    await visit(`/users/${user.id}/invitation${from}`, { fields: { key } });
    await visit(`/users/${user.id}/invitation${from}&key=${key}`, {
      shows: [user.full_name ?? user.username],
    });
  }
  const [changed] = stored;
  for (const { text } of stored.slice(1)) {
    const id = changed?.user.id ?? 0;
    await transact(app.db, (trx) => changeUser(trx, commandLine, id, { full_name: text }, Date.now()));
  }
  await visit('/history');
  await visit(`/users/${changed?.user.id}`);
  expect(await end()).toEqual([]);
  expect(ran).toEqual([]);
});

test('the form for the first administrator', { timeout: 300_000 }, async () => {
  const app = await startApp();
  await listen(app);
  const { visit, end } = await startVisit(browser(), app);
  await visit(`/setup/${app.setupToken}`);
  for (const { text } of PAYLOADS) {
    const fields = { username: text, email: text, full_name: text, new_password: text };
    await visit(`/setup/${app.setupToken}`, { fields, shows: [text] });
  }
  await visit(`/setup/${segment(named(-4))}`, { shows: ['Not found'] });
  expect(await end()).toEqual([]);
  expect(ran).toEqual([]);
});

test('one’s own account, from browsers and addresses of any name; and a draft as it really comes to be', async () => {
  const app = await startApp();
  await listen(app);
  const owner = await addPerson(app.db, 'owner', 'admin');
  const texts = PAYLOADS.map(({ text }) => text.replaceAll('\0', '').toWellFormed());
  const { cookies } = await addSession(app, owner, Date.now() - LONG_AGO);
  const { pages, visit, end } = await startVisit(browser(), app, cookies);
  await visit('/sign-in');
  const text = named(-5);
  const fields = { username: text, email: text, full_name: text };
  await visit(`/users?${query({ from: query({ q: text }) })}`, { fields, isOpened: true });
  for (const page of pages) {
    await page.fill('[name=password]', PASSWORD);
    await page.fill('[name=username]', 'owner');
    await Promise.all([page.waitForNavigation(), page.click('main [type=submit]')]);
    expect(new URL(page.url()).pathname).toBe('/users/new');
  }
  const { pathname, search } = new URL(String(pages[0]?.url()));
  await visit(pathname + search, { shows: [text, 'this is what you sent'], isOpened: true });
  // No more than the page shows of them.
  for (let from = 0; from < texts.length; from += 90) {
    const shown = texts.slice(from, from + 90);
    await transact(app.db, async (trx) => {
      for (const text of shown) {
        const session = { token: newToken(), user_id: owner.id, address: text, browser: text };
        await insertSession(trx, session, app.clock());
      }
    });
    await visit('/account', { shows: shown });
  }
  await visit('/account/password', { fields: { [text]: text }, shows: ['That is not your password.'] });
  expect(await end()).toEqual([]);
  expect(ran).toEqual([]);
});
