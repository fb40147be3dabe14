/** Several ask at once, of whom each gets an answer. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { inspect } from './inspector.ts';

async function start() {
  const child = spawn(process.execPath, ['--inspect=127.0.0.1:0', '-e', 'setInterval(() => {}, 1e6)']);
  onTestFinished(() => void child.kill('SIGKILL'));
  const [line] = await once(createInterface(child.stderr), 'line');
  const inspector = await inspect(Number(/:(\d+)\//.exec(line)?.[1]));
  onTestFinished(() => inspector.close());
  return { child, evaluate: (expression: string) => inspector.ask('Runtime.evaluate', { expression }) };
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
