/** What is promised of these files: at length, on a machine that has nothing else to do, all of their tests take two minutes at most. */
import { afterAll, beforeAll, expect, inject } from 'vitest';

const TWO_MINUTES = 120_000;

/** Of each test, in short as well: then others are run beside it. */
export const IN_TIME = { timeout: inject('isLong') ? TWO_MINUTES : 180_000 };

export function takesTwoMinutes(): void {
  let began = 0;
  beforeAll(() => {
    began = performance.now();
  });
  afterAll(() => {
    if (inject('isLong')) expect(performance.now() - began).toBeLessThan(TWO_MINUTES);
  });
}
