import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  clean,
  codePoints,
  foldDigits,
  forbiddenCharacter,
  quotable,
  textKey,
  trim,
} from '../../src/lib/text.ts';
import { runs } from '../runs.ts';

describe('the key by which names are compared', () => {
  test.each([
    ['Alice', 'aLICE'],
    ['straße', 'STRASSE'],
    ['STRAẞE', 'strasse'],
    ['Å', 'A\u030A'],
    ['ＡＢＣ', 'abc'],
    ['ﬁona', 'Fiona'],
    ['ΣΊΣΥΦΟΣ', 'σίσυφος'],
    ['ΟΔΟΣ', 'οδοσ'],
    ['İstanbul', 'i\u0307stanbul'],
    ['ǅ', 'ǆ'],
    ['K', 'k'],
  ])('is the same for %s and %s', (one, other) => {
    expect(textKey(one)).toBe(textKey(other));
  });

  test('differs for names that differ', () => {
    expect(new Set(['alice', 'alicе', 'al1ce', 'álice'].map(textKey)).size).toBe(4);
  });

  test('is the same for every character in either case, and a key is its own key', () => {
    for (let point = 0; point <= 0x10ffff; point++) {
      const character = String.fromCodePoint(point);
      if (/\p{Cs}/u.test(character)) continue;
      const key = textKey(character);
      const others = [character.toLowerCase(), character.toUpperCase(), key].map(textKey);
      if (others.some((other) => other !== key))
        expect.fail(`U+${point.toString(16)} has keys ${key} and ${others}`);
    }
  });

  test('is its own key for whole texts too', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (text) => {
        expect(textKey(textKey(text))).toBe(textKey(text));
        expect(textKey(clean(text))).toBe(textKey(text));
      }),
      runs(5000),
    );
  });
});

test('text is stored composed and without space around it, its case as typed', () => {
  expect(clean('  A\u030Asa \u00A0')).toBe('Åsa');
});

// Where each character were looked at from each other, this would take minutes.
test('however much shows as nothing, it is taken off', () => {
  for (const unseen of ['\u200B', '\u200D', ' '])
    expect(trim(`${unseen.repeat(100_000)}a${unseen.repeat(100_000)}b`)).toMatch(/^a.*b$/s);
});

/** The digits of every numbering system, as the data of locales have them. */
function digitsOfTheWorld(): Map<string, string> {
  const formats = Intl.supportedValuesOf('numberingSystem').map(
    (system) => new Intl.NumberFormat(`en-u-nu-${system}`, { useGrouping: false }),
  );
  const pairs = formats.flatMap((format) =>
    Array.from('0123456789', (digit): [string, string] => [format.format(Number(digit)), digit]),
  );
  return new Map(pairs.filter(([shown]) => /^\p{Nd}$/u.test(shown)));
}

test('every decimal digit there is becomes its ASCII digit, and nothing else changes', () => {
  const digits = digitsOfTheWorld();
  expect(digits.size).toBeGreaterThanOrEqual(770);
  for (let point = 0; point <= 0x10ffff; point++) {
    const character = String.fromCodePoint(point);
    const isDigit = /\p{Nd}/u.test(character);
    const expected = isDigit ? (digits.get(character) ?? character.normalize('NFKC')) : character;
    if (foldDigits(character) !== expected)
      expect.fail(`U+${point.toString(16)} becomes ${foldDigits(character)}, not ${expected}`);
  }
  expect(foldDigits('a١٢ ３𝟜½²x')).toBe('a12 34½²x');
});

test('length is counted in code points', () => {
  expect(codePoints('a😀é')).toBe(3);
});

test('text from outside is quoted short, and without what hides or reorders', () => {
  expect(quotable('alice')).toBe('alice');
  expect(quotable('a\0b\u202Ec')).toBe('a\uFFFDb\uFFFDc');
  expect(quotable(`${'a'.repeat(59)}😀😀`)).toBe(`${'a'.repeat(59)}😀…`);
});

describe('text that no field takes', () => {
  test.each([
    ['a\0b', /NUL/],
    ['a\uD800b', /broken/],
    ['a\uFFFDb', /broken/],
    ['a\u202Eb', /reverses/],
    ['a\u2066b', /reverses/],
    ['a\tb', /control/],
    ['a\nb', /control/],
    ['a\u0085b', /control/],
    ['a\u2028b', /control/],
  ])('%j is named for what it is', (text, problem) => {
    expect(forbiddenCharacter(text)).toMatch(problem);
  });

  test.each(['Nuñez', 'می‌خواهم', 'क्‍ष', 'שרה\u200F', '王小明', '👩‍👩‍👧', 'O’Brien'])('%s is fine', (text) => {
    expect(forbiddenCharacter(text)).toBeUndefined();
  });
});
