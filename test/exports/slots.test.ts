import { expect, test } from 'vitest';
import { Slots } from '../../src/exports/slots.ts';
import { SharedSlots } from '../../src/operations/workers/shared-slots.ts';
import { movableClock } from '../people.ts';

const MOST = { written: 2, open: 3, ofOne: 2 };

test('of two at a time the third waits, and has its turn before those who came after it', () => {
  const slots = new Slots(MOST, movableClock());
  const first = slots.take('first');
  expect([first, slots.take('second')]).not.toContain(undefined);
  expect([slots.take('third'), slots.take('fourth'), slots.take('third')]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  first?.endWriting();
  expect(slots.take('fourth')).toBeUndefined();
  expect(slots.take('third')).toBeDefined();
  expect(slots.take('fourth')).toBeUndefined();
});

test('whoever asks no more is not waited for', () => {
  const clock = movableClock();
  const slots = new Slots({ ...MOST, written: 1 }, clock);
  const first = slots.take('first');
  slots.take('gone');
  clock.move(10_001);
  slots.take('there');
  first?.endWriting();
  expect(slots.take('there')).toBeDefined();
});

test('what is written and still being read takes room, and nobody takes all of it', () => {
  const slots = new Slots(MOST, movableClock());
  const own = [slots.take('slow'), slots.take('slow')];
  for (const slot of own) slot?.endWriting();
  expect(slots.take('slow')).toBeUndefined();
  const other = slots.take('other');
  other?.endWriting();
  expect(slots.take('third')).toBeUndefined();
  other?.endReading();
  expect(slots.take('slow')).toBeUndefined();
  expect(slots.take('third')).toBeDefined();
});

test('of several processes there are two at a time, also after one that had them has died', () => {
  const slots = new SharedSlots<string>();
  expect(['one', 'other', 'one'].map((process, at) => slots.take(process, at, `${at}`))).toEqual([
    true,
    true,
    false,
  ]);
  slots.endWriting('one', 0);
  slots.endWriting('one', 0);
  expect([slots.take('other', 3, '2'), slots.take('other', 4, '3')]).toEqual([true, false]);
  slots.end('other');
  // Whoever it was goes on waiting elsewhere, and comes first.
  expect([slots.take('one', 5, '3'), slots.take('one', 6, '4'), slots.take('one', 7, '5')]).toEqual([
    true,
    true,
    false,
  ]);
  slots.endWriting('other', 3);
  expect(slots.take('one', 8, '5')).toBe(false);
});
