/** Waiting for what comes by itself. */
import { setTimeout } from 'node:timers/promises';

const LOOK_EVERY = 100;
const PATIENCE = 120_000;

/** An error counts as not yet. @throws Error after two minutes, with what was waited for */
export async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + PATIENCE; performance.now() < end; await setTimeout(LOOK_EVERY)) {
    if (await isSo().catch(() => false)) return;
  }
  throw new Error(`In two minutes it did not come to this: ${what}.`);
}
