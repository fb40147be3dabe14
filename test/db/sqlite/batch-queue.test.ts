import { expect, test } from 'vitest';
import { giveWay, isCrowded, runBatch } from '../../../src/db/sqlite/batch-queue.ts';
import { DAY } from '../../../src/lib/clock.ts';
import { Deadline } from '../../../src/lib/deadline.ts';

test('what nobody waits for lets all batches of others go first, however many one of them takes', async () => {
  const order: string[] = [];
  const search = async (name: string) => {
    for (let batch = 1; batch <= 3; batch++) await runBatch(async () => order.push(`${name} ${batch}`));
  };
  const searches = [search('one'), search('other')];
  await giveWay(Deadline.in(DAY));
  order.push('job');
  await Promise.all(searches);
  expect(order).toEqual(['one 1', 'other 1', 'one 2', 'other 2', 'one 3', 'other 3', 'job']);
});

test('it gives way for a while, and not for ever', async () => {
  let isJobsTurn = false;
  const endless = (async () => {
    while (!isJobsTurn) await runBatch(async () => {});
  })();
  await giveWay();
  isJobsTurn = true;
  await endless;
});

test('while many of them wait for their turn nothing more is to be begun', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const begin = (count: number) => Array.from({ length: count }, () => runBatch(() => promise));
  const few = begin(2);
  expect(isCrowded()).toBe(false);
  const many = begin(100);
  expect(isCrowded()).toBe(true);
  resolve();
  await Promise.all([...few, ...many]);
  expect(isCrowded()).toBe(false);
});
