/** What is measured, as text, and how little is kept of it. */

import { globSync, readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { Counter } from '../../../src/operations/metrics/counter.ts';
import { SIGN_INS, THROTTLED } from '../../../src/operations/metrics/events.ts';
import { by, counter, gauge, toText } from '../../../src/operations/metrics/families.ts';
import { Histogram, histogram } from '../../../src/operations/metrics/histogram.ts';

/** Without what nobody holds any more. */
function heapUsed(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  return process.memoryUsage().heapUsed;
}

test('each is told with what it is, its labels escaped; what is not known is left out', () => {
  const text = toText([
    gauge('roster_users', 'Users there are.', by('status', { active: 2, inactive: 0 })),
    gauge('roster_backup_size_bytes', 'What it takes up.', undefined),
    counter('roster_odd_total', 'Odd.', [{ value: 1e21, labels: { a: 'back\\slash', b: '"quoted"\nline' } }]),
  ]);
  expect(text).toBe(
    [
      '# HELP roster_users Users there are.',
      '# TYPE roster_users gauge',
      'roster_users{status="active"} 2',
      'roster_users{status="inactive"} 0',
      '# HELP roster_odd_total Odd.',
      '# TYPE roster_odd_total counter',
      'roster_odd_total{a="back\\\\slash",b="\\"quoted\\"\\nline"} 1e+21',
      '',
    ].join('\n'),
  );
});

test('a bucket has all that are below its bound, and that are it', () => {
  const one = new Histogram([0.1, 1]);
  for (const value of [0.05, 0.1, 0.5, 7]) one.observe(value);
  expect(
    toText([histogram('t', 'Time.', one.samples({ kind: 'a' }))])
      .split('\n')
      .slice(2),
  ).toEqual([
    't_bucket{kind="a",le="0.1"} 2',
    't_bucket{kind="a",le="1"} 3',
    't_bucket{kind="a",le="+Inf"} 4',
    't_sum{kind="a"} 7.65',
    't_count{kind="a"} 4',
    '',
  ]);
});

test('beyond so many combinations the rest counts as one, and nothing is lost', () => {
  const counts = new Counter(['route', 'status'], 3);
  for (let number = 0; number < 10; number++) counts.add([`/${number}`, '2xx']);
  counts.add(['/1', '2xx'], 5);
  expect(counts.samples()).toEqual([
    { labels: { route: '/0', status: '2xx' }, value: 1 },
    { labels: { route: '/1', status: '2xx' }, value: 6 },
    { labels: { route: '/2', status: '2xx' }, value: 1 },
    { labels: { route: 'other', status: 'other' }, value: 7 },
  ]);
});

test('a million that are all different take no more memory than a few', () => {
  const counts = new Counter(['route', 'status'], 100);
  const fill = (from: number, to: number) => {
    for (let number = from; number < to; number++) counts.add([`/${number}/${'x'.repeat(100)}`, '4xx']);
  };
  fill(0, 10_000);
  const before = counts.samples().length;
  const used = heapUsed();
  fill(10_000, 1_000_000);
  expect(counts.samples().length).toBe(before);
  // Each of them alone would be 100 bytes.
  expect(heapUsed() - used).toBeLessThan(5_000_000);
});

test('every outcome of a sign-in that is noted anywhere is counted', () => {
  const code = globSync('src/{auth,account}/*.ts')
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n');
  const noted = [...code.matchAll(/'((?:sign-in|password) (?:failed|refused)[^']*|signed in)'/g)].map(
    ([, event]) => event,
  );
  expect(noted.length).toBeGreaterThan(4);
  const known = [...Object.keys(SIGN_INS), ...Object.keys(THROTTLED)];
  for (const event of noted) expect(known).toContain(event);
  // These are put together of two.
  const reasons = /const AUDITED = \{(.*?)\}/s.exec(code)?.[1] ?? '';
  for (const [, reason] of reasons.matchAll(/: '([^']+)'/g))
    expect(known).toContain(`sign-in failed: ${reason}`);
});
