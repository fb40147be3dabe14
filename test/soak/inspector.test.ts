/** Several ask at once, of whom each gets an answer. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../support.ts';
import { keptBy } from './heap-snapshot.ts';
import { inspect } from './inspector.ts';

async function start() {
  const child = spawn(process.execPath, ['--inspect=127.0.0.1:0', '-e', 'setInterval(() => {}, 1e6)']);
  onTestFinished(() => void child.kill('SIGKILL'));
  const [line] = await once(createInterface(child.stderr), 'line');
  const inspector = await inspect(Number(/:(\d+)\//.exec(line)?.[1]));
  onTestFinished(() => inspector.close());
  const evaluate = (expression: string) => inspector.ask('Runtime.evaluate', { expression });
  return { child, inspector, evaluate };
}

test('whoever asks while somebody else does gets their own answer', async () => {
  const { evaluate } = await start();
  const answers = await Promise.all(['1 + 1', '2 + 2', '3 + 3'].map(evaluate));
  expect(answers).toMatchObject([
    { result: { value: 2 } },
    { result: { value: 4 } },
    { result: { value: 6 } },
  ]);
});

test('of a process that ends it is said', async () => {
  const { child, evaluate } = await start();
  const answer = evaluate('for (;;);');
  child.kill('SIGKILL');
  await expect(answer).rejects.toThrow('the process has ended');
});

test('what a process keeps is seen, and that it has let go of it', async () => {
  const { inspector, evaluate } = await start();
  const kept = () => keptBy(inspector, join(temporaryFolder(), 'heap'));
  const before = await kept();
  await evaluate(
    'globalThis.users = Array.from({ length: 25_000 }, (_, id) => ({ id, name: "user" + id })); 0',
  );
  expect((await kept()) - before).toBeGreaterThan(1);
  await evaluate('delete globalThis.users');
  expect((await kept()) - before).toBeLessThan(0.1);
});
