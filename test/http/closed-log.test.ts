/** A log that nobody takes any more: Roster goes on, and ends when it is told to. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../free-port.ts';
import { preloading } from '../roster.ts';
import { readyUrl, temporaryFolder } from '../support.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** Both of what it says lead there. @returns its address, and what ends it with a signal: its code */
async function startSpeakingTo(start: string, there: string, settings: Record<string, string>) {
  const folder = temporaryFolder();
  const [pid, code] = [join(folder, 'pid'), join(folder, 'code')];
  const port = await freePort();
  const script = `{ ${start} & echo $! > ${pid}; wait $!; echo $? > ${code}; } 2>&1 ${there}`;
  const shell = spawn('sh', ['-c', script], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'ignore'],
    env: {
      PATH: process.env.PATH ?? '',
      HOME: process.env.HOME ?? '',
      npm_config_update_notifier: 'false',
      NODE: process.execPath,
      DRAIN_SECONDS: '0',
      PORT: `${port}`,
      DATABASE_URL: await readyUrl(),
      ...settings,
    },
  });
  const ended = once(shell, 'exit');
  const kill = (signal: NodeJS.Signals) => process.kill(Number(readFileSync(pid, 'utf8')), signal);
  onTestFinished(() => {
    if (shell.exitCode === null) kill('SIGKILL');
  });
  return {
    address: `http://127.0.0.1:${port}`,
    async end(): Promise<number> {
      kill('SIGTERM');
      await ended;
      return Number(readFileSync(code, 'utf8'));
    },
  };
}

/** A thread that goes on speaking, as that of jobs may. */
const SPEAKING = preloading(`
  import { isMainThread, Worker } from 'node:worker_threads';
  const speak = "setInterval(() => { console.log('out'); console.error('error'); }, 20)";
  if (isMainThread) new Worker(speak, { eval: true }).unref();`);

const NODE = '"$NODE" src/main.js';

test.each([
  ['a pipe that is closed after the first line', NODE, '| head -1', {}],
  ['the same, by npm', 'npm start', '| head -1', {}],
  ['a pipe that is closed, in lines for people', NODE, '| head -1', { LOG_FORMAT: 'text' }],
  ['a pipe that is closed, while a thread speaks', NODE, '| head -1', SPEAKING],
  ['a disk that is full', NODE, '> /dev/full', {}],
])('%s ends nothing', async (_what, start, there, settings) => {
  const roster = await startSpeakingTo(start, there, { LOG_LEVEL: 'info', ...settings });
  const ask = () =>
    fetch(`${roster.address}/users`).then(
      ({ status }) => status,
      () => undefined,
    );
  await expect.poll(ask).toBe(200);
  // Each has a line that nobody takes; so has each of what is no request, as a warning.
  for (let count = 0; count < 20; count++) expect(await ask()).toBe(200);
  expect((await fetch(`${roster.address}/%zz`)).status).toBe(400);
  expect(await ask()).toBe(200);
  expect(await roster.end()).toBe(0);
});
