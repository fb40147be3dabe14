import decodeQr from 'qr/decode.js';
import { expect, test } from 'vitest';
import { codeAddress, codeOf, newCodeSecret, newRecoveryCodes, qrCode, stepOf } from '../../src/auth/totp.ts';

/** "12345678901234567890", the secret of the test vectors of RFC 6238, appendix B, in base 32. */
const SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';

test.each([
  [59, '287082'],
  [1111111109, '081804'],
  [1111111111, '050471'],
  [1234567890, '005924'],
  [2000000000, '279037'],
  [20000000000, '353130'],
])('at %i s the code is the one of RFC 6238', (seconds, code) => {
  const step = Math.floor(seconds / 30);
  expect(stepOf(code, SECRET, seconds * 1000)).toBe(step);
  expect(stepOf(` ${code.slice(0, 3)} ${code.slice(3)} `, SECRET, seconds * 1000)).toBe(step);
});

test('a clock may be a step off, either way, and no further', () => {
  const at = (seconds: number) => stepOf('050471', SECRET, seconds * 1000);
  const step = Math.floor(1111111111 / 30);
  expect([at(1111111110 - 30), at(1111111110), at(1111111110 + 59)]).toEqual([step, step, step]);
  expect([at(1111111110 - 31), at(1111111110 + 60)]).toEqual([undefined, undefined]);
});

test.each(['', '05047', '0504711', 'abcdef', '-50471', '5.0471', '1e5'])('%j is no code', (code) => {
  expect(stepOf(code, SECRET, 1111111111 * 1000)).toBeUndefined();
});

test.each([
  ['Arabic digits', '٠٥٠٤٧١'],
  ['Persian digits', '۰۵۰۴۷۱'],
  ['Devanagari digits', '०५०४७१'],
  ['full-width digits', '０５０４７１'],
  ['digits of two scripts', '٠٥٠471'],
  ['a dash', '050-471'],
  ['a dash of a printer', '050–471'],
  ['a minus sign', '050−471'],
  ['the dash of a Japanese keyboard', '０５０ー４７１'],
  ['a no-break space', '050\u00A0471'],
  ['a zero-width space', '050471\u200B'],
  ['a byte-order mark', '\uFEFF050471'],
  ['a soft hyphen', '050\u00AD471'],
  ['a mark of direction', '\u200E050471\u200F'],
  ['isolates', '\u2068050471\u2069'],
  ['a variation selector', '0\uFE0E50471'],
  ['the end of a sentence', '050 471.'],
])('a code with %s is the same code', (_, typed) => {
  expect(stepOf(typed, SECRET, 1111111111 * 1000)).toBe(Math.floor(1111111111 / 30));
});

test.each([
  ['050471', 'digits', '050471'],
  ['٠٥٠-٤٧١', 'digits', '050471'],
  ['k7wq-m2ad-9xpr', 'recovery', 'k7wq-m2ad-9xpr'],
  ['K7WQM2AD9XPR', 'recovery', 'k7wq-m2ad-9xpr'],
  ['Ｋ７ＷＱ－Ｍ２ＡＤ－９ＸＰＲ', 'recovery', 'k7wq-m2ad-9xpr'],
  ['k7wq–m2ad—9xpr\u200B', 'recovery', 'k7wq-m2ad-9xpr'],
  ['k٧wq−m٢ad‑٩xpr', 'recovery', 'k7wq-m2ad-9xpr'],
  ['223344556677', 'recovery', '2233-4455-6677'],
  ['', 'neither', ''],
  ['05047', 'neither', ''],
  ['0504711', 'neither', ''],
  ['k7wq-m2ad-9xp', 'neither', ''],
  ['k7wq-m2ad-9xpr2', 'neither', ''],
  ['k7wq-m2ad-9xp1', 'neither', ''],
  [`050471${' '.repeat(100)}x`, 'digits', '050471'],
])('%j is %s', (typed, kind, code) => {
  expect(codeOf(typed)).toEqual({ kind, code });
});

test('a secret has 160 bits, and is another one each time', () => {
  expect(newCodeSecret()).toMatch(/^[A-Z2-7]{32}$/);
  expect(newCodeSecret()).not.toBe(newCodeSecret());
});

test('what the QR code says is what an app takes up', () => {
  const address = codeAddress(SECRET, 'zoë & co');
  const { size, path } = qrCode(address);
  // Drawn as a telephone sees it, four dots to a module.
  const scale = 4;
  const side = size * scale;
  const data = new Uint8ClampedArray(side * side * 4).fill(255);
  for (const [, x, y] of path.matchAll(/M(\d+) (\d+)h1v1h-1z/g)) {
    for (let dot = 0; dot < scale * scale; dot++) {
      const [column, row] = [Number(x) * scale + (dot % scale), Number(y) * scale + Math.floor(dot / scale)];
      data.fill(0, (row * side + column) * 4, (row * side + column) * 4 + 3);
    }
  }
  expect(decodeQr({ width: side, height: side, data })).toBe(address);
  const url = new URL(address);
  expect(url.protocol + decodeURIComponent(url.pathname)).toMatch(/^otpauth:.*Roster:zoë & co$/);
  expect(url.searchParams.get('secret')).toBe(SECRET);
});

test('recovery codes are ten, differ, and are known however they are typed', () => {
  const codes = newRecoveryCodes();
  expect(new Set(codes).size).toBe(10);
  for (const code of codes) {
    expect(code).toMatch(/^[a-hjkmnp-z2-9]{4}-[a-hjkmnp-z2-9]{4}-[a-hjkmnp-z2-9]{4}$/);
    expect(codeOf(` ${code.toUpperCase().replaceAll('-', ' ')} `)).toEqual({ kind: 'recovery', code });
  }
});
