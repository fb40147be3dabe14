import { expect, test } from 'vitest';
import { BusyError, UnavailableError } from '../../src/errors.ts';
import { retryAfter } from '../../src/lib/retry-after.ts';
import { get, startApp, temporaryDatabase } from '../support.ts';

test('those who are sent away are not all told to come back in the same second', () => {
  const drawn = new Set(Array.from({ length: 1_000 }, retryAfter));
  expect([...drawn].sort()).toEqual(['1', '2', '3', '4', '5']);
});

test.each([new BusyError(), new UnavailableError('gone')])(
  'also where the answer is that of a %s',
  async (error) => {
    const failing = (await temporaryDatabase()).withPlugin({
      transformQuery() {
        throw error;
      },
      transformResult: async ({ result }) => result,
    });
    const app = await startApp({}, failing);
    const seconds = new Set<unknown>();
    for (let asked = 0; asked < 60; asked++) seconds.add((await get(app, '/users')).headers['retry-after']);
    expect(seconds.size).toBeGreaterThan(1);
    for (const value of seconds) expect(value).toMatch(/^[1-5]$/);
  },
);
