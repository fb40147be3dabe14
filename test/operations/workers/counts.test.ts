/** What several processes have counted, told as if one had. */
import { expect, test } from 'vitest';
import { by, counter, gauge } from '../../../src/operations/metrics/families.ts';
import { Counts } from '../../../src/operations/workers/counts.ts';

const answered = (count: number, waiting: number) => [
  counter('requests', 'Answers.', by('route', { '/users': count })),
  gauge('in_flight', 'Under way.', waiting),
];

test('is added up; of one that has ended what it had counted stays, and nothing is under way there', () => {
  const counts = new Counts();
  counts.note('one', answered(1, 1));
  counts.note('one', answered(3, 2));
  counts.note('other', answered(10, 5));
  expect(counts.sum()).toEqual(answered(13, 7));
  counts.end('one');
  expect(counts.sum()).toEqual(answered(13, 5));
  counts.note('another', answered(100, 0));
  counts.end('other');
  expect(counts.sum()).toEqual(answered(113, 0));
});

test('has no more series of a name than one process may have, and loses none of what was counted', () => {
  const counts = new Counts();
  for (const who of ['one', 'other', 'another']) {
    const routes = Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`/${who}/${at}`, 1]));
    counts.note(who, [counter('requests', 'Answers.', by('route', routes))]);
  }
  const [{ samples } = { samples: [] }] = counts.sum();
  expect(samples).toHaveLength(201);
  expect(samples.reduce((sum, { value }) => sum + value, 0)).toBe(600);
  expect(samples.at(-1)).toEqual({ value: 400, labels: { route: 'other' } });
});

test('a replica is in use where it is for all, and as far behind as for any', () => {
  const counts = new Counts();
  for (const [who, used, lag] of [
    ['one', 1, 0.5],
    ['other', 0, 3],
    ['another', 1, 1],
  ] as const)
    counts.note(who, [
      gauge('roster_replica_in_use', 'Whether.', by('replica', { one: used })),
      gauge('roster_replica_lag_seconds', 'How old.', by('replica', { one: lag })),
    ]);
  expect(counts.sum().map(({ samples }) => samples[0]?.value)).toEqual([0, 3]);
});

test('when they were started is when the first of them was', () => {
  const counts = new Counts();
  for (const [who, at] of [
    ['one', 5],
    ['other', 3],
    ['another', 4],
  ] as const)
    counts.note(who, [gauge('process_start_time_seconds', 'When it was started.', at)]);
  expect(counts.sum()[0]?.samples).toEqual([{ value: 3 }]);
});
