/** What templates call. */
import { expect, test } from 'vitest';
import { helpersFor } from '../../src/http/templates.ts';

const helpers = helpersFor(undefined);

test.each([
  ['Ada Lovelace', 'AL'],
  ['ada de la cruz', 'AC'],
  ['Émile', 'É'],
  ['Łukasz Żak', 'ŁŻ'],
  ['’Abd al-Rahman', 'AR'],
  ['Γιώργος Παππάς', 'ΓΠ'],
  ['山田 太郎', '山'],
  ['김 민준', '김'],
  ['नीलम शर्मा', 'नी'],
  ['שרה כהן', 'ש'],
  ['Дмитрий 2', 'Д'],
  ['007', '0'],
  ['!?', ''],
])('the letters of %j are %j', (full_name, letters) => {
  const user = { full_name, username: 'someone' };
  expect(helpers.initials(user as Parameters<typeof helpers.initials>[0])).toBe(letters);
});
