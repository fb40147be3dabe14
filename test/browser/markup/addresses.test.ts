/** Addresses: the list and its search, and pages that are not there: a browser with its scripts on takes whatever people write for text. */
import { expect, test } from 'vitest';
import { sharedChromium } from '../chromium.ts';
import { PAYLOADS } from '../payloads.ts';
import { addSession, noteCalls, query, quoted, segment, startWithPayloads } from './stored.ts';
import { startVisit } from './visitor.ts';

const browser = sharedChromium();
const ran = noteCalls();

const NAMES = 'q status role sort page per_page created_after created_before from after before'.split(' ');

test('whatever stands in an address', { timeout: 300_000 }, async () => {
  const { app, admin, stored } = await startWithPayloads();
  const { cookies } = await addSession(app, admin);
  const { visit, end } = await startVisit(browser(), app, cookies);
  for (const { text } of PAYLOADS) {
    const short = text.slice(0, 300);
    const parameters = Object.fromEntries([...NAMES, short].map((name) => [name, short]));
    await visit(`/users?${query(parameters)}`, { shows: [quoted(text)] });
    await visit(`/users?${query({ q: short, page: '7' })}`);
    const history = Object.fromEntries(
      ['user', 'by', 'kind', 'from', 'to', 'older'].map((name) => [name, short]),
    );
    await visit(`/history?${query(history)}`);
    await visit(`/users/1?${query({ at: short, earlier: short })}`);
    const isTaken = stored.some(({ user }) => user.username === text);
    await visit(`/users/by-username/${segment(text)}`, isTaken ? {} : { shows: [quoted(text)] });
    await visit(`/users/${segment(text)}`, { shows: [quoted(text)] });
    await visit(`/${segment(text)}?${query({ [short]: short })}`, { shows: ['Page not found'] });
  }
  expect(await end()).toEqual([]);
  expect(ran).toEqual([]);
  expect(Object.hasOwn(Object.prototype, 'pwned')).toBe(false);
});
