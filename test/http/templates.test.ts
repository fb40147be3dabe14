/** What templates call, and that they escape. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
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

test.each([
  ['ann@example.org', ['ann', '@', 'example.org']],
  ['mohammed.andersson@staff.example.com', ['mohammed.andersson', '@', 'staff.example.com']],
  ['maximiliana.konstantinova@a.org', ['maximiliana', '.', 'konstantinova', '@', 'a', '.', 'org']],
  ['william.mommsen@www.example.com', ['william.mommsen', '@', 'www.example.com']],
  ['emma.wmw.mommsen@wwwmmm.example', ['emma', '.', 'wmw', '.', 'mommsen', '@', 'wwwmmm', '.', 'example']],
])('%s breaks where it says something new, and no more often than it has to', (email, parts) => {
  expect(helpers.breaksOf(email)).toEqual(parts);
  // What is marked of it breaks as the whole does.
  expect(helpers.breaksOf(email.slice(3), helpers.isLongEmail(email)).join('')).toBe(email.slice(3));
});

test.each([
  [1, true, 'The only one'],
  [1_234, true, 'All 1,234 that match'],
  [1_234, false, 'All that match'],
])('of %i who match it is said, where that is all of them: %s', (total, isExact, said) => {
  expect(helpers.allThatMatch({ total, isExact } as Parameters<typeof helpers.allThatMatch>[0])).toBe(said);
});

test.each([
  [-90, 'just now'],
  [0, 'just now'],
  [1, 'just now'],
  [2, '2 minutes ago'],
  [59, '59 minutes ago'],
  [60, '1 hour ago'],
  [47 * 60, 'yesterday'],
  [48 * 60, '2 days ago'],
  [31 * 24 * 60, '1 May 2026'],
])('%i minutes before is in words, for all of a minute: %s', (minutes, words) => {
  const at = Date.UTC(2026, 5, 1, 12) - minutes * 60_000;
  for (const now of [0, 1, 59_999]) {
    for (const value of [at, at + 59_999])
      expect(helpersFor(undefined, () => Date.UTC(2026, 5, 1, 12) + now).ago(value)).toBe(words);
  }
});

test('what a view shows is escaped, but for other views', () => {
  const views = readdirSync('views', { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.eta'),
  );
  const raw = views.flatMap(
    (name) => readFileSync(join('views', name), 'utf8').match(/<%~\s*[\w.]+\(?/g) ?? [],
  );
  expect(new Set(raw.map((shown) => shown.replace(/<%~\s*/, '')))).toEqual(new Set(['include(', 'it.body']));
});
