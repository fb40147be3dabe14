import fc from 'fast-check';
import { expect, test } from 'vitest';
import { clustersOf, fold, foldCluster } from '../../src/search/folding.ts';
import { runs } from '../runs.ts';

test.each([
  ['Müller', 'muller'],
  ['Łódź', 'lodz'],
  ['straße', 'strasse'],
  ['STRAẞE', 'strasse'],
  ['Ærøskøbing', 'aeroskobing'],
  ['Œuvre', 'oeuvre'],
  ['ﬁne', 'fine'],
  ['İstanbul', 'istanbul'],
  ['ısı', 'isi'],
  ['Đặng', 'dang'],
  ['Þórður', 'thordur'],
  ['Nguyễn', 'nguyen'],
  ['ǅ', 'dz'],
  ['Σίσυφος', 'σισυφοσ'],
  ['Ёлкин', 'елкин'],
  ['مُحَمَّد', 'محمد'],
  ['O’Brien', "o'brien"],
  ['Jean–Luc', 'jean-luc'],
  ['ａｄａ', 'ada'],
  ['a\u00ADda\u200D', 'ada'],
])('%s is searched as %s', (text, folded) => {
  expect(fold(text)).toBe(folded);
  expect(fold(text.normalize('NFD').normalize('NFC'))).toBe(folded);
});

test('what a script writes its vowels with stays: 김, が and हिन्दी', () => {
  for (const text of ['김', 'が', 'हिन्दी']) expect(fold(text)).toBe(text);
});

test('folded text is folded already, whatever the character, and case makes no difference', () => {
  for (let code = 0; code < 0x30000; code++) {
    if (code >= 0xd800 && code < 0xe000) continue;
    const character = String.fromCodePoint(code).normalize('NFC');
    const folded = fold(character);
    if (fold(folded) !== folded) expect(fold(folded), code.toString(16)).toBe(folded);
    for (const cased of [character.toUpperCase(), character.toLowerCase()]) {
      if (fold(cased.normalize('NFC')) !== folded) expect(fold(cased), code.toString(16)).toBe(folded);
    }
  }
});

test('of any text what is plain is folded together as each letter is by itself', () => {
  const letter = fc.constantFrom(
    ...'aB`-. éÉßÅŁｶカ漢가אİςΣ',
    'ﾞ',
    '\u0301',
    '\u0308',
    '\u200D',
    '\uD800',
    '😀',
  );
  const text = fc.array(fc.oneof(letter, fc.string({ unit: 'binary' })), { maxLength: 12 });
  fc.assert(
    fc.property(text, (letters) => {
      const name = letters.join('');
      expect(fold(name)).toBe(clustersOf(name).map(foldCluster).join('').normalize('NFC'));
    }),
    runs(2_000),
  );
});
