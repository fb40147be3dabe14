import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bloomFilter, mayContain } from '../../src/auth/bloom.ts';
import { formsOf, isCommonPassword } from '../../src/auth/common-passwords.ts';

/** Texts that nobody has chosen, the same ones each time. */
function randomTexts(count: number): string[] {
  return Array.from({ length: count }, (_, index) =>
    createHash('sha256').update(`${index}`).digest('base64').slice(0, 20),
  );
}

test('a filter has all that was added, and next to nothing else', () => {
  const texts = randomTexts(30_000);
  const filter = bloomFilter(new Set(texts.slice(0, 10_000)));
  expect(texts.slice(0, 10_000).every((text) => mayContain(filter, text))).toBe(true);
  expect(texts.slice(10_000).filter((text) => mayContain(filter, text)).length).toBeLessThanOrEqual(2);
});

test('of thirty thousand random passwords, at most a few are taken for well-known ones', () => {
  expect(randomTexts(30_000).filter(isCommonPassword).length).toBeLessThanOrEqual(2);
});

test.each([
  ['Letmein-2024!', ['letmein2024', 'letmein']],
  ['123 Password 456', ['123password456', '123password', 'password']],
  ['I love you, forever', ['iloveyouforever']],
  ['P@ssw0rd!!', ['p@ssw0rd', 'p@ssw0rd']],
  ['ＤＲＡＧＯＮ１２３', ['dragon123', 'dragon']],
  ['123456789012345', ['123456789012345']],
  ['!?!?!?!?!?!?!?!', []],
])('%s is looked up as %j', (password, forms) => {
  expect(formsOf(password)).toEqual([...new Set(forms)]);
});

test('the filter is made again from lists of passwords', () => {
  const folder = mkdtempSync(join(tmpdir(), 'roster-lists-'));
  try {
    const [first, second] = [join(folder, 'first.txt'), join(folder, 'second.txt')];
    writeFileSync(first, 'Dragon123\r\nI love you, forever\r\n');
    writeFileSync(second, '123456789012345\n1234567\nabc\n');
    const script = join(import.meta.dirname, '../../src/auth/make-common-passwords.ts');
    const filter = execFileSync(process.execPath, [script, first, second], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const has = (text: string) => mayContain(filter, text);
    expect(['dragon', 'iloveyouforever', '123456789012345'].filter(has)).toHaveLength(3);
    expect(['dragon123', '1234567', 'abc'].filter(has)).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
