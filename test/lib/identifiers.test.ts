import { describe, expect, test } from 'vitest';
import { isOneScript } from '../../src/lib/identifiers.ts';

describe('letters of one script', () => {
  test.each([
    'alice',
    'Zoë.99',
    'мария',
    'さくらサクラ桜',
    'abc桜さ',
    '김민수',
    'abc김',
    'العربية',
    'นภา',
    '2026',
  ])('%s may be', (text) => {
    expect(isOneScript(text)).toBe(true);
  });

  test.each(['pаypal', 'αlice', 'abcд', 'さ김', 'кириллицаλ', 'ᏣᎳᎩ'])('%s may not be', (text) => {
    expect(isOneScript(text)).toBe(false);
  });
});
