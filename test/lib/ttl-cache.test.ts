/** An answer that stands for a while, however many ask. */
import { expect, test } from 'vitest';
import { cacheFor } from '../../src/lib/ttl-cache.ts';

test('however many ask, it is found out once in so long', async () => {
  let [now, found] = [0, 0];
  const ask = cacheFor(async () => ++found, { ttl: 100, timeout: 1_000, fallback: 0, stopwatch: () => now });
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
  const ask = cacheFor(find, { ttl: 0, timeout: 1, fallback: 'late' });
  expect(await ask()).toBe('late');
  const again = ask();
  resolve('there');
  expect(await again).toBe('there');
  expect(begun).toBe(1);
});
