/** One of several processes, as its parent has it: begun, told something, ended. */
import cluster, { type Worker } from 'node:cluster';
import { availableParallelism } from 'node:os';
import type { FromParent } from './messages.ts';

export function fork(count: number): Worker {
  // At least two: passwords are hashed there, as many at once as `FairQueue.ofOne` lets, and files and names wait there, too.
  const threads = Math.max(2, Math.ceil(availableParallelism() / count));
  return cluster.fork({ UV_THREADPOOL_SIZE: String(threads) });
}

/** One that could not be started has no number; one that has just ended may still be among Node's. */
export function livingWorkers(): Worker[] {
  const all = Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined);
  return all.filter((worker) => worker.process.pid !== undefined && !worker.isDead());
}

export function kill(worker: Worker): void {
  worker.process.kill('SIGKILL');
}

export function tell(worker: Worker, message: FromParent): void {
  // Of one that has just ended nobody needs to know: its end is heard of.
  if (worker.isConnected()) worker.send(message, () => {});
}
