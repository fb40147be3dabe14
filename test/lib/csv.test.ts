import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromCell, toCell } from '../../src/lib/csv.ts';

test.each([
  ['=1+1', "'=1+1"],
  ['+49', "'+49"],
  ['-', "'-"],
  ['@here', "'@here"],
  ['\tx', "'\tx"],
  ['＝1', "'＝1"],
  ["'t Hooft", "''t Hooft"],
  ["'=1", "''=1"],
  ['Ada', 'Ada'],
  ['a=b', 'a=b'],
])('%j leaves as %j, which no spreadsheet runs, and comes back', (value, cell) => {
  expect(toCell(value)).toBe(cell);
  expect(fromCell(cell)).toBe(value);
});

test.each([["'t Hooft"], ["'"], ['Ada'], ['=1']])('%j in a file from elsewhere stays what it is', (cell) => {
  expect(fromCell(cell)).toBe(cell);
});

test('whatever leaves comes back, and begins with nothing that a spreadsheet runs', () => {
  const text = fc.string({
    unit: fc.oneof(fc.constantFrom(..."'=+-@\t\r\n＝x"), fc.string({ unit: 'grapheme' })),
  });
  fc.assert(
    fc.property(text, (value) => {
      expect(fromCell(toCell(value))).toBe(value);
      expect(toCell(value)).not.toMatch(/^[=+\-@\t\r\n＝]/);
    }),
  );
});
