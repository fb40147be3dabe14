import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { hashOf, isToken, newKey, newToken, open, seal, tokenIn } from '../../src/auth/tokens.ts';

const KEY = randomBytes(32);

test('a token has 256 bits, and what is kept of it does not tell it', () => {
  const tokens = new Set(Array.from({ length: 100 }, newToken));
  expect(tokens.size).toBe(100);
  for (const token of tokens) {
    expect(token).toMatch(/^[\w-]{43}$/);
    expect(hashOf(token)).toMatch(/^[\w-]{43}$/);
    expect(hashOf(token)).not.toBe(token);
  }
});

test('keys of forms that are shown one after the other begin alike, and are random all the same', () => {
  const [first, second, later] = [
    newKey(1_800_000_000_000),
    newKey(1_800_000_000_000),
    newKey(1_900_000_000_000),
  ];
  expect([first, second, later].every(isToken)).toBe(true);
  expect(second.slice(0, 8)).toBe(first.slice(0, 8));
  expect(later.slice(0, 8)).not.toBe(first.slice(0, 8));
  expect(new Set(Array.from({ length: 100 }, () => newKey(0).slice(8))).size).toBe(100);
});

const TOKEN = 'AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_AbCdE';
const UNDERLINED = `${TOKEN.slice(0, 41)}-_`;

test.each([
  ...[
    '',
    '.',
    ')',
    '>',
    '…',
    ')',
    '_',
    '__',
    '-',
    '*',
    ',',
    '!”',
    "'",
    '>.',
    '). ',
    '.pdf',
    ') and then',
    '\u200B',
  ],
  ...['\uFEFF', '\u00AD', '\u200E.', ' ', '\n', '。', '」'],
])('a link is good with %j behind it', (end) => {
  for (const token of [TOKEN, UNDERLINED]) expect(tokenIn(token + end)).toBe(token);
});

test('a link is good with something before it, or with unseen characters in it', () => {
  expect(tokenIn(`<${TOKEN}>`)).toBe(TOKEN);
  expect(tokenIn(`\u200B${TOKEN.slice(0, 9)}\u00AD${TOKEN.slice(9)}`)).toBe(TOKEN);
});

test.each([
  '',
  '.',
  TOKEN.slice(1),
  TOKEN.slice(0, 20),
  `${TOKEN}x`,
  `${TOKEN}_x`,
  `x${TOKEN}`,
  TOKEN + TOKEN,
])('%j is no whole token', (text) => {
  for (const typed of [text, `${text}.`])
    expect(() => tokenIn(typed)).toThrow('This is not the whole link. Copy all of it');
});

test('what was sealed is opened as it was, and shows nothing of itself', () => {
  const value = { userId: 7, fields: { full_name: 'Zoë "<b>" 👩‍👩‍👧' } };
  const sealed = seal(KEY, 'draft', value);
  expect(open(KEY, 'draft', sealed)).toEqual(value);
  expect(sealed).toMatch(/^[\w-]+$/);
  expect(Buffer.from(sealed, 'base64url').toString('latin1')).not.toContain('full_name');
  expect(seal(KEY, 'draft', value)).not.toBe(sealed);
});

test('what was changed in any place, or sealed for something else or with another key, is nothing', () => {
  const sealed = seal(KEY, 'draft', { userId: 7 });
  const bytes = Buffer.from(sealed, 'base64url');
  for (const at of bytes.keys()) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 1;
    expect(open(KEY, 'draft', changed.toString('base64url'))).toBeUndefined();
  }
  expect(open(KEY, 'ticket', sealed)).toBeUndefined();
  expect(open(randomBytes(32), 'draft', sealed)).toBeUndefined();
  for (const text of ['', 'x', sealed.slice(0, 30), sealed.slice(0, -1), 'ü'.repeat(50)])
    expect(open(KEY, 'draft', text)).toBeUndefined();
});
