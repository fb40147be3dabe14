/** As in many weeks, in minutes: backups are made one after the other under writers, and each of them is put back. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { keyOf, runToEnd, startRoster } from '../roster.ts';
import { temporaryFolder, temporaryUrl } from '../support.ts';
import { backedUpIn, usernamesIn, within } from './backed-up.ts';

/** With `npm run test:long` one a minute for ten minutes. */
const isLong = process.env.PROPERTY_RUNS === 'all';
const [ROUNDS, EVERY, PAUSE] = isLong ? [10, 60_000, '40'] : [2, 0, '5'];
const WRITER = join(import.meta.dirname, '..', 'reliability', 'writer.ts');

/** Writes until the test is over. @returns who was acknowledged so far, in that order */
function startWriter(url: string): string[] {
  const writer = spawn(process.execPath, [WRITER, url, 'w', PAUSE], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void writer.kill('SIGKILL'));
  const acknowledged: string[] = [];
  createInterface({ input: writer.stdout }).on('line', (username) => acknowledged.push(username));
  return acknowledged;
}

async function done(args: readonly string[], settings: Record<string, string>): Promise<void> {
  const { code, out, error } = await runToEnd(args, settings);
  expect({ args, code, said: code === 0 ? '' : out + error }).toEqual({ args, code: 0, said: '' });
}

test('backups under writers: every one restores, checks clean and holds each user who was acknowledged before it began', {
  timeout: isLong ? 20 * 60_000 : 300_000,
}, async () => {
  const { url } = await startRoster();
  const acknowledged = startWriter(url);
  let known = 0;
  for (let round = 1; round <= ROUNDS; round++) {
    const [begun, folder, before] = [performance.now(), temporaryFolder(), known];
    await expect.poll(() => acknowledged.length).toBeGreaterThan(before + 50);
    known = acknowledged.length;
    const awaited = acknowledged.slice(0, known);
    await done(['backup', folder], { DATABASE_URL: url, ...keyOf({ DATABASE_URL: url }) });
    const target = await temporaryUrl();
    await done(['restore', backedUpIn(folder), '--yes'], { DATABASE_URL: target });
    await done(['check'], { DATABASE_URL: target });
    const found = new Set(await within(target, usernamesIn));
    expect(
      awaited.filter((username) => !found.has(username)),
      `of round ${round}`,
    ).toEqual([]);
    await setTimeout(round < ROUNDS ? begun + EVERY - performance.now() : 0);
  }
});
