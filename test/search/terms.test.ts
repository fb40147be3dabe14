import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cleanSearch, markMatches, needleOf, piecesOf, searchTextOf } from '../../src/search/terms.ts';

const ADA = { username: 'ada.lovelace', email: 'ada@example.org', full_name: 'Ada  Lovelace-Straßer' };

/** Whether a search finds Ada. */
function finds(search: string): boolean {
  return piecesOf(cleanSearch(search)).every((piece) => searchTextOf(ADA).includes(needleOf(piece)));
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
    expect(piecesOf('ab "c" øx abc ß')).toEqual([
      { text: 'ab', typed: 'ab', isStart: true },
      { text: 'c', typed: 'c', isStart: true },
      { text: 'ox', typed: 'øx', isStart: true },
      { text: 'abc', typed: 'abc', isStart: false },
      { text: 'ss', typed: 'ß', isStart: true },
    ]);
  });

  test('keeps what is in quotes together, and takes an open quote to the end', () => {
    expect(piecesOf('"da lo" x"ad a').map(({ text }) => text)).toEqual(['da lo', 'x', 'ad a']);
    expect(piecesOf('“da lo” «ad a»').map(({ text }) => text)).toEqual(['da lo', 'ad a']);
  });

  test('is cleaned of what says nothing', () => {
    expect(cleanSearch('  ada \t\n\0 love\u2003lace ')).toBe('ada love lace');
    expect(piecesOf(cleanSearch('"" " " \u200D'))).toEqual([]);
    expect(piecesOf('ada ADA Ada').length).toBe(1);
    expect(cleanSearch('é'.repeat(1_000))).toBe('é'.repeat(256));
  });

  test('never contains what separates fields', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (typed) => {
        for (const { text } of piecesOf(cleanSearch(typed))) expect(text).not.toMatch(/[\n\0]/);
      }),
    );
  });
});

describe('marking', () => {
  const marked = (field: string, search: string) =>
    markMatches(field, piecesOf(search))
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
        const pieces = piecesOf(cleanSearch(search));
        const parts = markMatches(field, pieces);
        expect(parts.map(({ part }) => part).join('')).toBe(field);
        const user = { username: field, email: '', full_name: null };
        const isFound = pieces.some((piece) => searchTextOf(user).includes(needleOf(piece)));
        expect(parts.some(({ isMatch }) => isMatch)).toBe(isFound);
      }),
      { numRuns: 2_000 },
    );
  });
});
