/** Rounds of which each waits for most of its time: several go on at once. */
import { inject } from 'vitest';

const ROUNDS = inject('isLong') ? 20 : 1;
const LANES = inject('isLong') ? 4 : 1;

/** Each lane has its share of them, one after the other. */
export async function inLanes(run: (rounds: readonly number[]) => Promise<void>): Promise<void> {
  const rounds = Array.from({ length: ROUNDS }, (_, round) => round);
  const lanes = Array.from({ length: LANES }, (_, lane) => rounds.filter((round) => round % LANES === lane));
  await Promise.all(lanes.map(run));
}
