import { expect, test } from 'vitest';
import { Askers, isHasty } from '../../src/http/haste.ts';

/** Whether someone is hasty who asks at these times. */
function hasty(...times: number[]): boolean[] {
  const askers = new Askers<string>();
  return times.map((time) => isHasty(askers.note('alice', time)));
}

test('whoever asks more than three times without a pause is hasty until they pause', () => {
  expect(hasty(0, 10, 20, 30, 1_000, 1_999, 2_999, 3_000)).toEqual([
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

test('each has a burst of their own, and whoever is not known is not hasty', () => {
  const askers = new Askers<string>();
  const asking = [...'aaabaa'].map((who) => isHasty(askers.note(who, 0)));
  expect(asking).toEqual([false, false, false, false, true, true]);
  expect(isHasty(undefined)).toBe(false);
});

test('to wait for an answer is no pause, however long it takes and however many ask meanwhile', () => {
  const askers = new Askers<string>();
  const [first] = [0, 1, 2, 3].map((time) => askers.note('alice', time));
  for (let time = 0; time < 10_000; time += 100) askers.note('bob', time);
  if (first) askers.keep(first, 10_000);
  expect(isHasty(askers.note('alice', 10_001))).toBe(true);
});
