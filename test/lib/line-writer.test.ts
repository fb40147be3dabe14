/** What becomes of lines where nobody takes them. */
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { lineWriter } from '../../src/lib/line-writer.ts';
import { temporaryFolder } from '../support.ts';

const noticeOf = (count: number) => `${count} left out\n`;

/** Both ends of a connection. */
async function pair(): Promise<[writing: Socket, reading: Socket]> {
  const server = createServer({ pauseOnConnect: true });
  const path = join(temporaryFolder(), 'socket');
  await once(server.listen(path), 'listening');
  const accepted = once(server, 'connection');
  const writing = connect(path);
  const [reading] = (await accepted) as [Socket];
  server.close();
  onTestFinished(() => {
    writing.destroy();
    reading.destroy();
  });
  return [writing, reading];
}

/** Node's sockets do not block: whoever writes to one that is full hears EAGAIN. */
function descriptorOf(socket: Socket): number {
  return (socket as Socket & { _handle: { fd: number } })._handle.fd;
}

test('what a full pipe does not take is left out in whole lines, and it is said how many they were', async () => {
  const [writing, reading] = await pair();
  const { write } = lineWriter(descriptorOf(writing), noticeOf);
  const lineOf = (number: number) => `${number} ${'x'.repeat(1_000)}\n`;
  for (let number = 1; number <= 5_000; number++) write(lineOf(number));
  let read = '';
  reading.setEncoding('utf8').on('data', (data) => {
    read += data;
  });
  reading.resume();
  let more = 0;
  for (; !read.includes('more\n'); more++) {
    write('more\n');
    await setImmediate();
  }
  const lines = () => read.split('\n').slice(0, -1);
  const leftOut = () =>
    lines().reduce((sum, line) => sum + Number(/^(\d+) left out$/.exec(line)?.[1] ?? 0), 0);
  const taken = () => lines().filter((line) => !line.endsWith(' left out')).length;
  await expect.poll(() => taken() + leftOut()).toBe(5_000 + more);
  expect(leftOut()).toBeGreaterThan(0);
  const whole = lines().filter((line) => line.endsWith('x'));
  for (const [at, line] of whole.entries()) expect(`${line}\n`).toBe(lineOf(at + 1));
  expect(lines()[whole.length]).toMatch(/^\d+ left out$/);
});

test('a descriptor that cannot be written to ends nothing', () => {
  const path = join(temporaryFolder(), 'read-only');
  closeSync(openSync(path, 'w'));
  const fd = openSync(path, 'r');
  const { write } = lineWriter(fd, noticeOf);
  write('one\n');
  write('two\n');
  closeSync(fd);
  expect(readFileSync(path, 'utf8')).toBe('');
});
