import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { searchTextOf } from '../../src/db/derived-columns.ts';
import { highlight } from '../../src/search/highlighting.ts';
import { cleanSearch, parseSearch, textToFind } from '../../src/search/terms.ts';

const ADA = { username: 'ada.lovelace', email: 'ada@example.org', full_name: 'Ada  Lovelace-Straßer' };

/** Whether a search finds Ada. */
function finds(search: string): boolean {
  return parseSearch(cleanSearch(search)).every((term) => searchTextOf(ADA).includes(textToFind(term)));
}

describe('a search', () => {
  test.each([
    'ada',
    'LOVE',
    'strasse',
    'lace ada',
    '"a.love"',
    'ad',
    'A',
    'ad lov" str',
    '“lovelace-s”',
    'example.org',
  ])('finds any part of a field, however it is written: %s', (search) => expect(finds(search)).toBe(true));

  test.each(['adam', 'lo', 'e', '"ada love"', 'ada grace', '"lovelace ada@"', 'org ada.example'])(
    'does not find %s',
    (search) => expect(finds(search)).toBe(false),
  );

  test('of one or two characters is for the start of a field, also in quotes', () => {
    expect(parseSearch('ab "c" øx abc ß')).toEqual([
      { text: 'ab', typed: 'ab', isPrefix: true },
      { text: 'c', typed: 'c', isPrefix: true },
      { text: 'ox', typed: 'øx', isPrefix: true },
      { text: 'abc', typed: 'abc', isPrefix: false },
      { text: 'ss', typed: 'ß', isPrefix: true },
    ]);
  });

  test('keeps what is in quotes together, and takes an open quote to the end', () => {
    expect(parseSearch('"da lo" x"ad a').map(({ text }) => text)).toEqual(['da lo', 'x', 'ad a']);
    expect(parseSearch('“da lo” «ad a»').map(({ text }) => text)).toEqual(['da lo', 'ad a']);
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
        for (const { text } of parseSearch(cleanSearch(typed))) expect(text).not.toMatch(/[\n\0]/);
      }),
    );
  });
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
    ['한국어', '국어', '한국어'],
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
        const user = { username: field, email: '', full_name: null };
        const isFound = terms.some((term) => searchTextOf(user).includes(textToFind(term)));
        expect(parts.some(({ isMatch }) => isMatch)).toBe(isFound);
      }),
      { numRuns: 2_000 },
    );
  });
});
