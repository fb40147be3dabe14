/** Which processes hang: those that have said nothing for a minute. */
import { expect, test } from 'vitest';
import { LOOK_EVERY_MS, Silence } from '../../../src/operations/workers/silence.ts';

const MINUTE = 60_000;

/** How often has to be looked until one is told of that has said nothing since before the first time. */
const ENOUGH = MINUTE / LOOK_EVERY_MS + 1;

/** What each look at them tells. */
function look(silence: Silence<string>, count: number, all = ['one', 'other']): string[][] {
  return Array.from({ length: count }, () => silence.look(all));
}

test('one is told of once, after a minute', () => {
  const told = look(new Silence(), 2 * ENOUGH, ['one']);
  expect(told.flat()).toEqual(['one']);
  expect(told[ENOUGH - 1]).toEqual(['one']);
});

test('one that has said something has a minute from then on, and others do not', () => {
  const silence = new Silence<string>();
  look(silence, ENOUGH - 1);
  silence.heard('one');
  const told = look(silence, ENOUGH);
  expect(told[0]).toEqual(['other']);
  expect(told.slice(1, -1).flat()).toEqual([]);
  expect(told.at(-1)).toEqual(['one']);
});
