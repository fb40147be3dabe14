/** Which processes hang: those that have said nothing for a minute. */
import { expect, test } from 'vitest';
import { LOOK_EVERY_MS, Watchdog } from '../../../src/operations/workers/watchdog.ts';

const MINUTE = 60_000;

/** How often has to be looked until one is told of that has said nothing since before the first time. */
const ENOUGH = MINUTE / LOOK_EVERY_MS + 1;

/** What each look at them tells. */
function look(watchdog: Watchdog<string>, count: number, all = ['one', 'other']): string[][] {
  return Array.from({ length: count }, () => watchdog.look(all));
}

test('one is told of once, after a minute', () => {
  const told = look(new Watchdog(), 2 * ENOUGH, ['one']);
  expect(told.flat()).toEqual(['one']);
  expect(told[ENOUGH - 1]).toEqual(['one']);
});

test('one that has said something has a minute from then on, and others do not', () => {
  const watchdog = new Watchdog<string>();
  look(watchdog, ENOUGH - 1);
  watchdog.heard('one');
  const told = look(watchdog, ENOUGH);
  expect(told[0]).toEqual(['other']);
  expect(told.slice(1, -1).flat()).toEqual([]);
  expect(told.at(-1)).toEqual(['one']);
});
