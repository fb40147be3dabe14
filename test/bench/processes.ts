/** Node processes that never outlive the bench, however it ends. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');

const running = new Set<ChildProcess>();

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
// A signal that nobody listens to would skip "exit".
process.once('SIGINT', () => process.exit(130)).once('SIGTERM', () => process.exit(143));

/** So that it does not outlive this process, however that ends. */
export function endWithThis<Child extends ChildProcess>(child: Child): Child {
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

/** Runs a file of this project, by the path from its root, with the Node that runs the bench. */
export function runNode(args: readonly string[], env: Record<string, string> = {}) {
  return endWithThis(
    spawn(process.execPath, args, {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  );
}

/** Asks a process to end, and waits until it has. */
export async function stop(child: ChildProcess): Promise<void> {
  if (!running.has(child)) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}

/** With all its threads, and what it starts from then on. @param cores such as `1`, or `0-3` @returns whether the system has done it: Linux, with util-linux */
export function keepOn(cores: string, pid = process.pid): boolean {
  return spawnSync('taskset', ['--all-tasks', '--cpu-list', '--pid', cores, `${pid}`]).status === 0;
}
