/** What a file takes of memory has to do with its longest row, and nothing with its size. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { LIMITS } from '../../../src/imports/uploads.ts';
import { type Content, repeated } from '../corpus.ts';
import { written } from '../files.ts';

const SCRIPT = join(import.meta.dirname, '../read-file.ts');
const MEGABYTE = 2 ** 20;
const HEADER = 'username,email,full_name\n';

async function peakOf(content: Content): Promise<{ count: number; problem: string; peak: number }> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--max-old-space-size=48',
    '--max-semi-space-size=4',
    SCRIPT,
    written(content),
  ]);
  return JSON.parse(stdout);
}

// In a heap of 48 MB that holds none of them.
test.each<[string, () => Iterable<string>, boolean]>([
  ['rows as of an export', () => repeated('ann,ann@example.org,Ann\n', 20 * MEGABYTE, HEADER), false],
  ['rows that are ragged', () => repeated('ann,x\n', MEGABYTE, HEADER), false],
  ['long rows', () => repeated(`a,b,${'é'.repeat(45_000)}\n`, 50 * MEGABYTE, HEADER), false],
  ['rows of very many cells', () => repeated(`a,b${',x'.repeat(40_000)}\n`, 8 * MEGABYTE, HEADER), false],
  ['blank lines', () => repeated('\n', 5 * MEGABYTE, `${HEADER}ann,a@example.org,Ann\n`), false],
  ['one cell of 400 MB', () => repeated('x', 400 * MEGABYTE, HEADER), true],
  [
    'a quote that is never closed',
    () => repeated('ann,a@example.org,Ann\n', 400 * MEGABYTE, `${HEADER}"`),
    true,
  ],
  ['a bomb of quotes', () => repeated('"', 400 * MEGABYTE, HEADER), true],
  ['a bomb of commas', () => repeated(',', 400 * MEGABYTE, HEADER), true],
])('%s: the memory that it takes is bounded', async (_, content, isRefused) => {
  const { count, problem, peak } = await peakOf(content);
  expect(problem !== '').toBe(isRefused);
  expect(count > 0).toBe(!isRefused);
  expect(peak).toBeLessThan(220);
});

// As `test:long` has all runs of a property.
test.runIf(process.env.PROPERTY_RUNS === 'all')(
  'a file as large as is taken is read to its end',
  async () => {
    const row = `ann,ann@example.org,${'x'.repeat(4_000)}\n`;
    const { count, problem, peak } = await peakOf(() => repeated(row, LIMITS.bytes, HEADER));
    expect(problem).toBe('');
    expect(count * row.length).toBeGreaterThanOrEqual(LIMITS.bytes);
    expect(peak).toBeLessThan(220);
  },
);
