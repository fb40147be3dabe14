/** For how long processes have been on a processor: others who work on the same machine change it little. Linux only. */
import { readdirSync, readFileSync } from 'node:fs';

/** https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: what follows the name; of those who have ended in ticks. */
const FIELDS = { parent: 1, endedUser: 13, endedSystem: 14 };
const TICK_MS = 10;

/** In milliseconds, of these processes, of all threads of theirs, and of all that they have started; 0 where it is not told. */
export function processorTime(roots: readonly number[]): number {
  const all = names('/proc').filter((name) => /^\d+$/.test(name));
  const stats = new Map(all.map((pid) => [Number(pid), statOf(pid)]));
  const isOurs = (pid: number): boolean =>
    roots.includes(pid) || (stats.has(pid) && isOurs(stats.get(pid)?.[FIELDS.parent] ?? 0));
  return [...stats].reduce((sum, [pid, stat]) => (isOurs(pid) ? sum + timeOf(pid, stat) : sum), 0);
}

function timeOf(pid: number, stat: readonly number[]): number {
  const ended = (stat[FIELDS.endedUser] ?? 0) + (stat[FIELDS.endedSystem] ?? 0);
  const threads = names(`/proc/${pid}/task`).map((thread) => {
    // https://docs.kernel.org/scheduler/sched-stats.html: nanoseconds come first.
    const [running] = read(`/proc/${pid}/task/${thread}/schedstat`).split(' ');
    return Number(running) / 1_000_000;
  });
  return threads.reduce((sum, time) => sum + time, TICK_MS * ended);
}

function statOf(pid: string): number[] {
  return read(`/proc/${pid}/stat`).split(') ').at(-1)?.split(' ').map(Number) ?? [];
}

/** Nothing, of what has just ended. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
