import { once } from 'node:events';
import { expect, test } from 'vitest';
import { newToken } from '../../src/auth/tokens.ts';
import { withoutTokens } from '../../src/lib/redaction.ts';
import { run } from '../roster.ts';
import { readyUrl } from '../support.ts';

const TOKEN = newToken();

function encoded(text: string): string {
  return text.replaceAll(/./g, (character) => `%${character.charCodeAt(0).toString(16)}`);
}

/** A token as it is, and in the ways that lead to the same page, or to it from a link. */
const WAYS = {
  'as it is': TOKEN,
  'with a first letter that is encoded': encoded(TOKEN.slice(0, 1)) + TOKEN.slice(1),
  'with one in the middle': TOKEN.slice(0, 20) + encoded(TOKEN.slice(20, 21)).toUpperCase() + TOKEN.slice(21),
  'encoded whole': encoded(TOKEN),
  'encoded twice': encodeURIComponent(encoded(TOKEN)),
  'encoded twice, whole': encoded(encoded(TOKEN)),
  'encoded three times, in part': encodeURIComponent(encoded(encoded(TOKEN.slice(0, 5)))) + TOKEN.slice(5),
  'with something unseen in it': `${TOKEN.slice(0, 20)}%E2%80%8B${TOKEN.slice(20)}`,
  'with something unseen in it, encoded twice': `${TOKEN.slice(0, 20)}%25C2%25AD${TOKEN.slice(20)}`,
  'with more behind it': `${TOKEN}).`,
};

test.each(Object.entries(WAYS))('a token %s is no part of what is logged', (_way, written) => {
  expect(withoutTokens(`/setup/${written}`)).toMatch(/^\/setup\/…(\)\.)?$/);
  expect(withoutTokens(`/invitations/${written}?x=1`)).toMatch(/^\/invitations\/…(\)\.)?\?x=1$/);
  expect(withoutTokens(`/sign-in?next=/invitations/${written}`)).not.toContain(TOKEN.slice(8, 16));
  const next = withoutTokens(`/sign-in?next=${encodeURIComponent(`/setup/${written}`)}`);
  expect(next).toMatch(/^\/sign-in\?next=\/setup\/…/);
  expect(withoutTokens(`/setup/${TOKEN}?next=${encodeURIComponent(`/setup/${written}`)}`)).toMatch(
    /^\/setup\/…\?next=\/setup\/…/,
  );
});

test.each([
  '/users?q=%22a%20b%22&page=2',
  '/users/%zz%',
  '/users/by-username/%E0%A4%A',
  `/${encoded('/').repeat(100)}`,
  `/sign-in?next=${encodeURIComponent('/users/7/edit?from=page%3D2%26status%3Dactive')}`,
])('an address without one (%s) is logged as it is', (address) => {
  expect(withoutTokens(address)).toBe(address);
});

test('the log of a running Roster has none, even of an address that is none', async () => {
  const roster = run([], { PORT: '0', DATABASE_URL: await readyUrl(), LOG_LEVEL: 'info' });
  let out = '';
  roster.stdout.setEncoding('utf8').on('data', (data) => {
    out += data;
  });
  while (!out.includes('/setup/')) await once(roster.stdout, 'data');
  const [, address = ''] = /Roster is at (\S+)/.exec(out) ?? [];
  for (const path of [`/setup/${encoded(TOKEN)}`, `/setup/${TOKEN}/%zz`]) await fetch(address + path);
  roster.kill('SIGTERM');
  await once(roster, 'close');
  expect(out).toContain('"/setup/…"');
  expect(out).toContain('"/setup/…/%zz"');
  expect(out).not.toContain(TOKEN);
  expect(out).not.toContain(encoded(TOKEN));
});
