/** Processes that are killed at moments found by what they have done so far, whichever machine they run on. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';

/** Bytes that a process has read and written; undefined once it is gone. Linux only: https://man7.org/linux/man-pages/man5/proc_pid_io.5.html */
function bytesOf({ pid, exitCode, signalCode }: ChildProcess): number | undefined {
  if (exitCode !== null || signalCode !== null) return undefined;
  try {
    const [, read, written] =
      /^rchar: (\d+)\nwchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8')) ?? [];
    return Number(read) + Number(written);
  } catch {
    return undefined;
  }
}

/** @returns how many bytes a process has read and written until it has ended by itself */
export async function bytesInAll(child: ChildProcess): Promise<number> {
  return (await watch(child, () => false)) ?? 0;
}

/** Kills it once it has read and written so many bytes; it may have ended before. */
export async function killAt(child: ChildProcess, bytes: number): Promise<void> {
  await watch(child, (sofar) => sofar >= bytes);
  child.kill('SIGKILL');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

/** @returns the last number of bytes that was seen */
async function watch(child: ChildProcess, isTime: (bytes: number) => boolean): Promise<number | undefined> {
  let last: number | undefined;
  for (;;) {
    const bytes = bytesOf(child);
    if (bytes === undefined || isTime(bytes)) return bytes ?? last;
    last = bytes;
    await setTimeout(1);
  }
}
