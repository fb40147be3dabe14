import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { codePoints } from '../../src/lib/text.ts';
import { highlight } from '../../src/search/highlighting.ts';
import { searchTextOf, sortKeyOf } from '../../src/search/search-text.ts';
import { cleanSearch, hasTerm, parseSearch, textsToFind } from '../../src/search/terms.ts';
import { runs } from '../runs.ts';
import { NAMES } from './names.ts';

const ADA = { username: 'ada.lovelace', email: 'ada@example.org', full_name: 'Ada  Lovelace-Straßer' };

/** Whether a search finds someone. */
function finds(search: string, fields: Parameters<typeof searchTextOf>[0] = ADA): boolean {
  const terms = parseSearch(cleanSearch(search));
  return terms.length > 0 && terms.every((term) => hasTerm(searchTextOf(fields), term));
}

describe('a search', () => {
  test.each([
    'ada',
    'LOVE',
    'strasse',
    'lace ada',
    '"a.love"',
    '"ada lovelace"',
    'Lovelace-Strasser, Ada',
    'Ada <ada@example.org>',
    'lovelacestrasser',
    'ad',
    'lo',
    'A',
    'ad lov" str',
    '“lovelace-s”',
    'example.org',
  ])('finds any part of a field, however it is written: %s', (search) => expect(finds(search)).toBe(true));

  test.each([
    'adam',
    'ov',
    'x',
    '"lovelace ada"',
    'ada grace',
    'lovelaceada',
    '"lovelace ada@"',
    'org ada.example',
  ])('does not find %s', (search) => expect(finds(search)).toBe(false));

  test('of one or two characters alone is for the start of a word, also in quotes', () => {
    expect(parseSearch('ab "c" øx ß')).toEqual([
      { text: 'ab', typed: 'ab', at: 'word start' },
      { text: 'c', typed: 'c', at: 'word start' },
      { text: 'ox', typed: 'øx', at: 'word start' },
      { text: 'ss', typed: 'ß', at: 'word start' },
    ]);
    expect(parseSearch('ab abc').map(({ at }) => at)).toEqual(['anywhere', 'anywhere']);
  });

  test.each(['a', 'an', 'ß', '太', '𐌰', '𐌰𐌱'])('of %s alone asks the index for three characters', (typed) => {
    for (const text of parseSearch(typed).flatMap(textsToFind)) expect(codePoints(text)).toBe(3);
  });

  test.each(NAMES)('finds %s by %s', (full_name, typed) => {
    const user = { username: 'u', email: 'ada@example.com', full_name };
    expect(finds(typed, user)).toBe(true);
    expect(highlight(full_name, parseSearch(typed)).some(({ isMatch }) => isMatch)).toBe(true);
  });

  test('finds an international domain by either of its forms', () => {
    const user = { username: 'u', email: 'u@xn--bcher-kva.example', full_name: null };
    for (const typed of ['bücher.example', 'bucher', 'xn--bcher', 'u@xn--bcher-kva.example'])
      expect(finds(typed, user), typed).toBe(true);
  });

  test('keeps what is in quotes together, and takes an open quote to the end', () => {
    expect(parseSearch('"da lo" x"ad a').map(({ text }) => text)).toEqual(['da\n\nlo', 'x', 'ad\n\na']);
    expect(parseSearch('“da lo” «ad a»').map(({ text }) => text)).toEqual(['da\n\nlo', 'ad\n\na']);
  });

  test('is cleaned of what says nothing', () => {
    expect(cleanSearch('  ada \t\n\0 love\u2003lace ')).toBe('ada love lace');
    expect(parseSearch(cleanSearch('"" " " \u200D'))).toEqual([]);
    expect(parseSearch('ada ADA Ada').length).toBe(1);
    expect(cleanSearch('é'.repeat(1_000))).toBe('é'.repeat(256));
  });

  test('never contains what separates fields', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (typed) => {
        for (const { text } of parseSearch(cleanSearch(typed))) expect(text).not.toMatch(/[\r\v\0]/);
      }),
    );
  });
});

test('marks stand in pairs, so that the second alone tells where a word starts', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
      const searched = searchTextOf({ username: text, email: text, full_name: `a\n${text}` });
      expect(searched).toMatch(/^(\n\n(?!\n)|[^\n])*$/);
    }),
    runs(2_000),
  );
});

describe('marking', () => {
  const marked = (field: string, search: string) =>
    highlight(field, parseSearch(search))
      .map(({ part, isMatch }) => (isMatch ? `[${part}]` : part))
      .join('');

  test.each([
    ['Ada Lovelace', 'love', 'Ada [Love]lace'],
    ['Ada Adams', 'ada', '[Ada] [Ada]ms'],
    ['Müller-Straßer', 'muller strasse', '[Müller]-[Straße]r'],
    ['Straßer', 'ras', 'St[raß]er'],
    ['Łódź', 'od', 'Łódź'],
    ['Łódź', 'lo', '[Łó]dź'],
    ['banana', 'anana ban', '[banana]'],
    ['Ærø', 'aer', '[Ær]ø'],
    ['한국어', '국어', '한[국어]'],
    ['Ada  Lovelace', '"ada love"', '[Ada  Love]lace'],
    ['Charles de Gaulle', 'de', 'Charles [de] Gaulle'],
    ['Anna Müller', 'mueller', 'Anna [Müller]'],
    ['Yu-Ju Li', 'ju yu', '[Yu]-[Ju] Li'],
    ['Jan van den Berg', 'vandenberg', 'Jan [van den Berg]'],
    ['Ada Lovelace', 'alo', 'Ada Lovelace'],
    ['Ada', 'grace', 'Ada'],
    ['', 'ada', ''],
  ])('%s searched for %s is %s', (field, search, result) => expect(marked(field, search)).toBe(result));

  test('leaves the field as it is, and marks something wherever a word is found', () => {
    const text = fc.string({ unit: fc.constantFrom(...'aAbBßßÆæøéÉ한 .-ﬁ'), maxLength: 12 });
    fc.assert(
      fc.property(text, text, (field, search) => {
        const terms = parseSearch(cleanSearch(search));
        const parts = highlight(field, terms);
        expect(parts.map(({ part }) => part).join('')).toBe(field);
        const text = searchTextOf({ username: field });
        const isFound = terms.some((term) => hasTerm(text, term));
        expect(parts.some(({ isMatch }) => isMatch)).toBe(isFound);
      }),
      runs(2_000),
    );
  });
});

test('a key to sort by is its own key, wherever a long name is cut', () => {
  const expectOwnKey = (name: string) => {
    expect(sortKeyOf(sortKeyOf(name))).toBe(sortKeyOf(name));
  };
  expectOwnKey(`${'a'.repeat(63)} b`);
  const letters = fc.constantFrom(...'aÉß ,.(ｶﾞが한ﷺनि\u0301');
  for (const unit of [letters, 'binary'] as const)
    fc.assert(fc.property(fc.string({ unit, maxLength: 90 }), expectOwnKey), runs(2_000));
});
