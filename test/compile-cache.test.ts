/** Code compiled by one start runs in the next: it is kept where nobody else can have put it. */
import { chmodSync, chownSync, mkdirSync, readdirSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { askForHelp, installRoster } from './installation.ts';
import { isLacking } from './requirements.ts';
import { preloading } from './roster.ts';
import { temporaryFolder } from './support.ts';

const cacheOf = (folder: string) => join(folder, 'node_modules', '.cache', 'roster');

/** With a temporary directory in which whatever is put there would be seen. */
async function start(folder: string, settings: Record<string, string> = {}): Promise<string[]> {
  const temporary = temporaryFolder();
  const { stdout } = await askForHelp(folder, { TMPDIR: temporary, ...settings });
  expect(stdout).toContain('Roster, a user directory.');
  return readdirSync(temporary);
}

test('compiled code is kept in a folder of the project that is its owner’s alone', async () => {
  const folder = installRoster();
  expect(await start(folder), 'the temporary directory').toEqual([]);
  expect(readdirSync(cacheOf(folder))).toHaveLength(1);
  for (const made of [cacheOf(folder), join(cacheOf(folder), '..')])
    expect((statSync(made).mode & 0o777).toString(8)).toBe('700');
});

test('threads find it, too', async () => {
  const folder = installRoster();
  const inThread = 'console.log("In a thread:", require("node:module").getCompileCacheDir())';
  const settings = preloading(`
    import { isMainThread, Worker } from 'node:worker_threads';
    if (isMainThread) process.once('beforeExit', () => new Worker(${JSON.stringify(inThread)}, { eval: true }));`);
  const { stdout } = await askForHelp(folder, settings);
  expect(stdout).toContain(`In a thread: ${cacheOf(folder)}`);
});

describe('nothing is read from or written to a folder', () => {
  test.each([
    ['that all may write to', 'roster', 0o777],
    ['that a group may write to', 'roster', 0o770],
    ['beside which others may put one', '', 0o777],
  ])('%s', async (_which, name, mode) => {
    const folder = installRoster();
    mkdirSync(cacheOf(folder), { recursive: true });
    chmodSync(join(cacheOf(folder), '..', name), mode);
    expect(await start(folder)).toEqual([]);
    expect(readdirSync(cacheOf(folder))).toEqual([]);
  });

  test('that is a link to another', async () => {
    const folder = installRoster();
    const elsewhere = temporaryFolder();
    mkdirSync(join(cacheOf(folder), '..'));
    symlinkSync(elsewhere, cacheOf(folder));
    expect(await start(folder)).toEqual([]);
    expect(readdirSync(elsewhere)).toEqual([]);
  });

  test.skipIf(isLacking(process.getuid?.() === 0))('that belongs to somebody else', async () => {
    const folder = installRoster();
    mkdirSync(cacheOf(folder), { recursive: true, mode: 0o700 });
    chownSync(cacheOf(folder), 4242, 4242);
    expect(await start(folder)).toEqual([]);
    expect(readdirSync(cacheOf(folder))).toEqual([]);
  });
});

test('NODE_COMPILE_CACHE names another folder, NODE_DISABLE_COMPILE_CACHE has nothing kept', async () => {
  const folder = installRoster();
  const named = temporaryFolder();
  const off = { NODE_DISABLE_COMPILE_CACHE: '1' };
  await start(folder, { ...off, NODE_COMPILE_CACHE: named });
  expect(readdirSync(named)).toEqual([]);
  await start(folder, { NODE_COMPILE_CACHE: named });
  expect(readdirSync(named)).not.toEqual([]);
  const toThreads = preloading(
    `process.once('exit', () => console.log('To threads:', process.env.NODE_COMPILE_CACHE));`,
  );
  expect((await askForHelp(folder, { ...off, ...toThreads })).stdout).toContain('To threads: undefined');
});
