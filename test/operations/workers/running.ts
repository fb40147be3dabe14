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
  const { address, said: all } = await listenTo(child);
  const workers = () => childrenOf(Number(child.pid));
  const said = () => exceptRequests(all());
  return {
    url,
    child,
    address,
    said,
    workers,
    ended: once(child, 'exit'),
    /** Which process answered each request for a page of this route so far. */
    answeredBy: (route: string) => requestsIn(all(), route).map(({ pid }) => pid),
    /** Waits until they have said it so often; what else they have said is shown where they do not, and which are there. */
    async saying(sentence: string, times = 1): Promise<void> {
      const count = () => ({ times: said().split(sentence).length - 1, said: said(), there: workers() });
      await expect.poll(count).toMatchObject({ times });
    },
    /** Waits until there are two that were not there before. */
    async replaced(before: readonly number[]): Promise<void> {
      await expect.poll(() => workers().filter((pid) => !before.includes(pid)).length).toBe(2);
    },
  };
}

const REQUEST = '"msg":"request"';

/** Of these there are thousands. */
export function exceptRequests(said: string): string {
  const lines = said.split('\n').filter((line) => !line.includes(REQUEST));
  return lines.join('\n');
}

function requestsIn(said: string, route: string): { pid: number }[] {
  // The last line may not be whole yet.
  const lines = said.split('\n').slice(0, -1);
  return lines
    .filter((line) => line.includes(REQUEST) && line.includes(`"route":"${route}"`))
    .map((line) => JSON.parse(line));
}

/** One that nobody has asked for its end has no command line any more. */
export function isRunning(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8') !== '';
  } catch {
    return false;
  }
}
