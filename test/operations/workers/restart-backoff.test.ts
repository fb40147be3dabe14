/** How long is waited before another process is begun in the place of one that has died. */
import { expect, test } from 'vitest';
import { RestartBackoff } from '../../../src/operations/workers/restart-backoff.ts';

const MINUTE = 60_000;

/** The pauses where each lives for so long, in milliseconds. */
function pausesWith(life: number, count = 13): number[] {
  const backoff = new RestartBackoff();
  let now = 0;
  return Array.from({ length: count }, () => {
    const pause = backoff.next(now);
    now += pause + life;
    return pause;
  });
}

test('is twice as long each time, and stays a minute while each dies as it starts', () => {
  const pauses = pausesWith(2_000);
  expect(pauses.slice(0, 4)).toEqual([100, 200, 400, 800]);
  expect(pauses.slice(-3)).toEqual([MINUTE, MINUTE, MINUTE]);
});

test('is short again once none has died for a minute', () => {
  expect(new Set(pausesWith(MINUTE))).toEqual(new Set([100]));
});

test('whoever dies in a pause waits for no more than its end', () => {
  const backoff = new RestartBackoff();
  expect([0, 10, 60, 100].map((now) => backoff.next(now))).toEqual([100, 100, 100, 200]);
});
