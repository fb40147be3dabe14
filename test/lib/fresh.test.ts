/** An answer that stands for a while, however many ask. */
import { expect, test } from 'vitest';
import { keepFresh } from '../../src/lib/fresh.ts';

test('however many ask, it is found out once in so long', async () => {
  let [now, found] = [0, 0];
  const ask = keepFresh(async () => ++found, { fresh: 100, patience: 1_000, late: 0, stopwatch: () => now });
  expect(await Promise.all([ask(), ask()])).toEqual([1, 1]);
  now = 99;
  expect(await ask()).toBe(1);
  now = 100;
  expect(await ask()).toBe(2);
});

test('whoever asks for what hangs hears that it is late, and it is waited for again instead of begun anew', async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  let begun = 0;
  const find = () => {
    begun++;
    return promise;
  };
  const ask = keepFresh(find, { fresh: 0, patience: 1, late: 'late' });
  expect(await ask()).toBe('late');
  const again = ask();
  resolve('there');
  expect(await again).toBe('there');
  expect(begun).toBe(1);
});
