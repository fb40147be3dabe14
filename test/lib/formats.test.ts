/** What is written by hand for speed is what Intl would write. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { and, bytesOf, date, number, time } from '../../src/lib/formats.ts';
import { runs } from '../runs.ts';

test('a date is written as in British English, whatever the day', () => {
  const byIntl = new Intl.DateTimeFormat('en-GB', {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    timeZone: 'UTC',
  });
  expect(date.format(Date.UTC(2026, 8, 7, 23, 59))).toBe('7 Sept 2026');
  fc.assert(
    fc.property(fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) }), (at) => {
      expect(date.format(at)).toBe(byIntl.format(at));
    }),
    runs(2000),
  );
});

test('a time is written as in British English, to the minute', () => {
  const byIntl = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' });
  expect(time(Date.UTC(2026, 8, 7, 4, 5, 59))).toBe('7 September 2026, 04:05 UTC');
  fc.assert(
    fc.property(fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) }), (at) => {
      expect(time(at)).toBe(`${byIntl.format(at).replace(' at ', ', ')} UTC`);
    }),
    runs(2000),
  );
});

test('a number has its thousands apart, whole or not', () => {
  const byIntl = new Intl.NumberFormat('en');
  expect([0, 999, 1_000, 1_234_567, -1_000].map(number.format)).toEqual([
    '0',
    '999',
    '1,000',
    '1,234,567',
    '-1,000',
  ]);
  fc.assert(
    fc.property(
      fc.oneof(
        fc.maxSafeInteger(),
        fc.double({ noNaN: true }).filter((value) => value !== 0),
      ),
      (value) => {
        expect(number.format(value)).toBe(byIntl.format(value));
      },
    ),
    runs(2000),
  );
});

test('names are joined as Intl joins them', () => {
  const byIntl = new Intl.ListFormat('en');
  fc.assert(
    fc.property(fc.array(fc.string(), { maxLength: 5 }), (names) => {
      expect(and.format(names)).toBe(byIntl.format(names));
    }),
    runs(2000),
  );
});

test('bytes are rounded as Intl rounds them', () => {
  const byIntl = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });
  const units = ['bytes', 'KB', 'MB', 'GB', 'TB'];
  fc.assert(
    fc.property(fc.maxSafeNat(), (count) => {
      const [shown, unit = ''] = bytesOf(count).split(' ');
      expect(shown).toBe(byIntl.format(count / 1_000 ** units.indexOf(unit)));
    }),
    runs(2000),
  );
});

test.each([
  [0, '0 bytes'],
  [999, '999 bytes'],
  [1_000, '1 KB'],
  [999_499, '999 KB'],
  [999_999, '1 MB'],
  [1_234_567_890, '1.23 GB'],
  [5_000_000_000_000_000, '5,000 TB'],
])('%i bytes are told as %s', (count, told) => {
  expect(bytesOf(count)).toBe(told);
});
