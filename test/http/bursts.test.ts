import { expect, test } from 'vitest';
import { BurstTracker, isBursting } from '../../src/http/bursts.ts';

/** Whether someone is in a burst who asks at these times. */
function bursting(...times: number[]): boolean[] {
  const tracker = new BurstTracker<string>();
  return times.map((time) => isBursting(tracker.note('alice', time)));
}

test('whoever asks more than three times without a pause is in a burst until they pause', () => {
  expect(bursting(0, 10, 20, 30, 1_000, 1_999, 2_999, 3_000)).toEqual([
    false,
    false,
    false,
    true,
    true,
    true,
    false,
    false,
  ]);
});

test('each has a burst of their own, and whoever is not known is in none', () => {
  const tracker = new BurstTracker<string>();
  const asking = [...'aaabaa'].map((who) => isBursting(tracker.note(who, 0)));
  expect(asking).toEqual([false, false, false, false, true, true]);
  expect(isBursting(undefined)).toBe(false);
});

test('to wait for an answer is no pause, however long it takes and however many ask meanwhile', () => {
  const tracker = new BurstTracker<string>();
  const [first] = [0, 1, 2, 3].map((time) => tracker.note('alice', time));
  for (let time = 0; time < 10_000; time += 100) tracker.note('bob', time);
  if (first) tracker.keep(first, 10_000);
  expect(isBursting(tracker.note('alice', 10_001))).toBe(true);
});
