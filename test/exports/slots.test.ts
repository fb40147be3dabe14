import { expect, test } from 'vitest';
import { Turns } from '../../src/exports/turns.ts';
import { movableClock } from '../people.ts';

const MOST = { written: 2, open: 3, ofOne: 2 };

test('of two at a time the third waits, and has its turn before those who came after it', () => {
  const turns = new Turns(MOST, movableClock());
  const first = turns.take('first');
  expect([first, turns.take('second')]).not.toContain(undefined);
  expect([turns.take('third'), turns.take('fourth'), turns.take('third')]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  first?.endWriting();
  expect(turns.take('fourth')).toBeUndefined();
  expect(turns.take('third')).toBeDefined();
  expect(turns.take('fourth')).toBeUndefined();
});

test('whoever asks no more is not waited for', () => {
  const clock = movableClock();
  const turns = new Turns({ ...MOST, written: 1 }, clock);
  const first = turns.take('first');
  turns.take('gone');
  clock.move(10_001);
  turns.take('there');
  first?.endWriting();
  expect(turns.take('there')).toBeDefined();
});

test('what is written and still being read takes room, and nobody takes all of it', () => {
  const turns = new Turns(MOST, movableClock());
  const own = [turns.take('slow'), turns.take('slow')];
  for (const turn of own) turn?.endWriting();
  expect(turns.take('slow')).toBeUndefined();
  const other = turns.take('other');
  other?.endWriting();
  expect(turns.take('third')).toBeUndefined();
  other?.endReading();
  expect(turns.take('slow')).toBeUndefined();
  expect(turns.take('third')).toBeDefined();
});
