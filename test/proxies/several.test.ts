/** Two Rosters on one database behind each proxy, with what its README has for that: of one that stops nobody sees anything. */
import { once } from 'node:events';
import { expect } from 'vitest';
import { blockOf } from '../operations/deploy/pages.ts';
import { addPerson } from '../people.ts';
import { readyUrl, temporaryDatabase } from '../support.ts';
import { withEach } from './everyone.ts';
import { startLoad } from './load.ts';
import type { Program } from './programs.ts';
import { startBehind, startProxy } from './start.ts';

const OTHER = '127.0.0.1:3001';

/** What is written otherwise in each snippet: the start of a line, and a block of the page in the place of its line. */
const PLACES: Readonly<Record<string, RegExp>> = {
  nginx: /^ *proxy_pass .*\n/m,
  Caddy: /^\treverse_proxy .*\n/m,
  HAProxy: /^ *# While Roster.*\n.*\n.*\n/m,
  Apache: /^ *# As soon.*\n.*\n/m,
};

/** A block for nginx has two parts, of which the first stands before the servers. */
function ofSeveral({ name }: Program, snippet: string): string {
  const parts = blockOf(name.toLowerCase()).split('\n\n');
  const line = parts.pop() ?? '';
  return [...parts, snippet.replace(PLACES[name] ?? '', line)].join('\n');
}

const SETTINGS = { DRAIN_SECONDS: '8', LOG_LEVEL: 'info' };

withEach(
  'asks no Roster that is about to stop where there are two, and both once it is there again',
  async (program) => {
    const url = await readyUrl();
    await addPerson(await temporaryDatabase(url), 'ann', 'admin');
    const first = await startBehind(url, SETTINGS);
    const second = await startBehind(url, SETTINGS);
    const change = (snippet: string) =>
      ofSeveral(program, snippet).replaceAll(OTHER, new URL(second.address).host);
    const load = await startLoad(await startProxy(program, first.address, change));
    await load.more(20);

    const ended = once(first.child, 'exit');
    first.child.kill('SIGTERM');
    // nginx asks nobody whether they are ready.
    if (program.name !== 'nginx') {
      await expect.poll(() => count(first, REFUSED_CHECK), { timeout: 60_000 }).toBeGreaterThan(3);
      const before = count(first, PAGE);
      await load.more(20);
      expect(count(first, PAGE)).toBe(before);
    }
    await ended;
    await load.more(20);
    const again = await startBehind(url, { ...SETTINGS, PORT: new URL(first.address).port });
    await expect.poll(() => count(again, PAGE), { timeout: 60_000 }).toBeGreaterThan(0);
    const { created, failures } = await load.stop();
    expect(failures).toEqual([]);
    expect(created.length).toBeGreaterThan(20);
  },
);

const PAGE = /"route":"\/users"/g;
const REFUSED_CHECK = /"route":"\/readyz","status":503/g;

function count({ said }: { said: () => string }, what: RegExp): number {
  return said().match(what)?.length ?? 0;
}
