/** A Roster of several processes: which they are, and what all of them have said. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { childrenOf } from '../../children.ts';
import { listenTo, run } from '../../roster.ts';
import { readyUrl } from '../../support.ts';

/** Of a test that starts several processes, on a machine that may have other things to do. */
export const PATIENCE = { timeout: 300_000 };

export async function startSeveral(settings: Record<string, string> = {}) {
  const url = settings.DATABASE_URL ?? (await readyUrl());
  const child = run([], { PORT: '0', WORKERS: '2', DATABASE_URL: url, ...settings });
  const { address, said } = await listenTo(child);
  const workers = () => childrenOf(Number(child.pid));
  return {
    url,
    child,
    address,
    said,
    workers,
    ended: once(child, 'exit'),
    /** Waits until there are two that were not there before. */
    async replaced(before: readonly number[]): Promise<void> {
      await expect.poll(() => workers().filter((pid) => !before.includes(pid)).length).toBe(2);
    },
  };
}

/** One that nobody has asked for its end has no command line any more. */
export function isRunning(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8') !== '';
  } catch {
    return false;
  }
}
