import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Page } from '../../src/lib/pagination.ts';
import { runs } from '../runs.ts';

/** A page of a list whose items are their own ordinals. */
function pageOf(page: number, perPage: number, total: number): Page<number> {
  const first = (page - 1) * perPage;
  const items = Array.from(
    { length: Math.max(0, Math.min(perPage, total - first)) },
    (_, index) => first + index + 1,
  );
  return new Page(items, page, perPage, total);
}

describe('a page', () => {
  test('in the middle knows its neighbours and the ordinals of its rows', () => {
    const page = pageOf(3, 10, 1204);
    expect(page).toMatchObject({ page: 3, perPage: 10, total: 1204, pages: 121, first: 21, last: 30 });
    expect(page).toMatchObject({ hasPrev: true, prevNum: 2, hasNext: true, nextNum: 4 });
  });

  test('that is the first has none before it', () => {
    expect(pageOf(1, 10, 150)).toMatchObject({
      hasPrev: false,
      prevNum: null,
      hasNext: true,
      nextNum: 2,
      pages: 15,
    });
  });

  test('that is the last shows what is left and has none after it', () => {
    expect(pageOf(15, 10, 147)).toMatchObject({
      first: 141,
      last: 147,
      hasNext: false,
      nextNum: null,
      prevNum: 14,
    });
  });

  test('of an empty list shows rows 0 to 0 of 0 pages', () => {
    const page = pageOf(1, 10, 0);
    expect(page).toMatchObject({ pages: 0, first: 0, last: 0, hasPrev: false, hasNext: false });
    expect([...page.iterPages()]).toEqual([]);
  });
});

describe('the page numbers to link to', () => {
  // Flask-SQLAlchemy 3.1's own results for 500 items, 20 a page, and for 150 items, 10 a page.
  test.each([
    [1, 20, 500, [1, 2, 3, 4, 5, null, 24, 25]],
    [10, 20, 500, [1, 2, null, 8, 9, 10, 11, 12, 13, 14, null, 24, 25]],
    [1, 10, 150, [1, 2, 3, 4, 5, null, 14, 15]],
    [8, 10, 150, [1, 2, null, 6, 7, 8, 9, 10, 11, 12, null, 14, 15]],
    [15, 10, 150, [1, 2, null, 13, 14, 15]],
    [1, 10, 10, [1]],
    [2, 10, 30, [1, 2, 3]],
  ])('on page %i at %i a page of %i', (page, perPage, total, expected) => {
    expect([...pageOf(page, perPage, total).iterPages()]).toEqual(expected);
  });

  test('can be more or fewer', () => {
    const page = pageOf(8, 10, 150);
    const none = { leftEdge: 0, leftCurrent: 0, rightCurrent: 0, rightEdge: 0 };
    expect([...page.iterPages(none)]).toEqual([null, 8, null]);
    expect([...page.iterPages({ leftEdge: 1, leftCurrent: 6, rightCurrent: 6, rightEdge: 1 })]).toEqual(
      Array.from({ length: 15 }, (_, index) => index + 1),
    );
  });

  test('are in order, without repeats, within the list, and show the current page and both ends', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5000 }),
        fc.integer({ min: 1, max: 100 }),
        fc.nat(),
        (total, perPage, at) => {
          const pages = Math.ceil(total / perPage);
          const page = pageOf(1 + (at % pages), perPage, total);
          const numbers = [...page.iterPages()].filter((number) => number !== null);
          expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
          expect(numbers).toEqual(expect.arrayContaining([1, page.page, pages]));
          expect(numbers.at(-1)).toBe(pages);
        },
      ),
      runs(2000),
    );
  });
});
