/** How old it is what a replica shows, by where the primary's log was at which times. */
import { expect, test } from 'vitest';
import { LogPositions } from '../../../src/db/postgres/log-positions.ts';

test('what a replica shows is as old as the last position of the primary that it has come to', () => {
  const positions = new LogPositions(2_000);
  for (const [at, position] of [
    [0, 100],
    [500, 200],
    [1_000, 300],
  ] as const)
    positions.note(at, position);
  expect([99, 100, 250, 300, 400].map((position) => positions.lagOf(position, 1_100))).toEqual([
    Number.POSITIVE_INFINITY,
    1_100,
    600,
    0,
    0,
  ]);
});

test('nothing is old while nothing is written, nor while nobody knows what is, for a minute', () => {
  const positions = new LogPositions(2_000);
  for (let at = 0; at < 10_000; at += 500) positions.note(at, 100);
  expect(positions.lagOf(100, 69_500)).toBe(0);
  expect(positions.lagOf(100, 69_501)).toBe(Number.POSITIVE_INFINITY);
});

test('as far back as it is asked for it is known, and after a failover nothing of before for longer', () => {
  const positions = new LogPositions(2_000);
  positions.note(0, 900);
  for (let at = 500; at <= 2_500; at += 500) positions.note(at, at / 10);
  // The former primary had 900, and lost it.
  expect(positions.lagOf(250, 2_500)).toBe(0);
  expect(positions.lagOf(200, 2_500)).toBe(500);
  expect(positions.lagOf(50, 2_500)).toBe(2_000);
  expect(positions.lagOf(40, 2_500)).toBe(Number.POSITIVE_INFINITY);
});
