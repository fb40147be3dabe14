import { expect, test } from 'vitest';
import { Turns } from '../../src/transfer/turns.ts';
import { movableClock } from '../people.ts';

test('of two at a time the third waits, and has its turn before those who came after it', () => {
  const clock = movableClock();
  const turns = new Turns(2, clock);
  const first = turns.take('first');
  expect([first, turns.take('second')]).not.toContain(undefined);
  expect([turns.take('third'), turns.take('fourth'), turns.take('third')]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  first?.();
  expect(turns.take('fourth')).toBeUndefined();
  expect(turns.take('third')).toBeDefined();
  expect(turns.take('fourth')).toBeUndefined();
});

test('whoever asks no more is not waited for', () => {
  const clock = movableClock();
  const turns = new Turns(1, clock);
  const first = turns.take('first');
  turns.take('gone');
  clock.move(10_001);
  turns.take('there');
  first?.();
  expect(turns.take('there')).toBeDefined();
});
