/** `npm run test:soak` in short: forty people at once, beside an import, bulk changes and exports, are answered rightly. */
import { expect, test } from 'vitest';
import { unyielding } from '../roster.ts';
import { soak } from '../soak/soak.ts';

test.each(['sqlite', 'postgres'] as const)(
  'on %s, nobody of forty who work at once gets a wrong answer, and nothing is left over',
  { timeout: 300_000 },
  async (engine) => {
    const few = { seconds: 10, users: 2_000, rows: 300, rounds: 2, thinking: 1_000 };
    const orders = { engine, ...few, looksAtKept: false, settings: unyielding({}) };
    const { faults, answers, rests, samples } = await soak(orders);
    expect(faults).toEqual([]);
    expect(answers.length).toBeGreaterThan(200);
    expect(rests).toHaveLength(orders.rounds);
    expect(samples.at(-1)?.descriptors).toBeLessThan(200);
  },
);
